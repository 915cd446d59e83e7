"""Another project's runs in the same Dagster are nobody's business here, whatever their jobs are named."""

from pathlib import Path

import make
import pytest
from directories import Directory
from neighbours import OURS, THEIRS, neighbours

from dagster_defs import jobs

pytestmark = pytest.mark.line


def test_runs_of_another_code_location_go_on_to_their_end(tmp_path: Path) -> None:
    directory = Directory(make.organization(make.settings(tmp_path)))
    with neighbours(tmp_path) as both:
        make.until(lambda: both.statuses(THEIRS, "reporting") == {"STARTED"}, seconds=180, what="their long run")
        make.until(lambda: "SUCCESS" in both.statuses(THEIRS, "provisioning"), what="their short run")
        looked, copied = both.ticks("lost_run_sensor"), len(both.runs(OURS, jobs.provisioning.name))
        directory.deactivate(directory.user("ada@example.com"))
        make.until(lambda: both.ticks("lost_run_sensor") >= looked + 2, seconds=180, what="two looks at lost runs")
        make.until(lambda: len(both.runs(OURS, jobs.provisioning.name)) > copied, what="a run of ours")
        make.until(lambda: both.statuses(OURS, jobs.provisioning.name) == {"SUCCESS"}, seconds=180, what="its end")
        assert both.statuses(THEIRS, "reporting") == {"STARTED"}
        both.let_long_runs_end()
        make.until(lambda: "SUCCESS" in both.statuses(THEIRS, "reporting"), what="the end of their long run")
        assert not both.statuses(THEIRS) & {"FAILURE", "CANCELING", "CANCELED"}
    directory.store.close()
