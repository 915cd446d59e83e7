"""The demo plays a company's provisioning and says what came of it."""

import csv
from pathlib import Path

import make
import pytest

pytestmark = pytest.mark.line

LEAVERS = {"ben.carter@example.com", "lucas.moreau@example.com", "marcus.hill@example.com", "sofia.rossi@example.com"}
BACK = {"priya.shah@example.com"}
"""Who was on leave and has access again."""


def test_the_demo_ends_with_the_leavers_and_failures_that_were_played(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{make.free_port()}"
    done = make.command("demo", "--url", url, home=tmp_path, DAGSTER_SCIM_PUBLIC_URL=url)
    assert done.returncode == 0, done.stderr
    assert "24 users (21 active), 6 teams" in done.stdout
    assert "All of it is as the exchanges say." in done.stdout
    (report,) = tmp_path.glob("reports/demo/compliance_report/*/report.html")
    assert str(report) in done.stdout
    with (report.parent / "leavers.csv").open(newline="") as file:
        returned = {row["user_name"]: bool(row["returned_at"]) for row in csv.DictReader(file)}
    assert returned == dict.fromkeys(LEAVERS, False) | dict.fromkeys(BACK, True)
    with (report.parent / "sync_failures.csv").open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["400", "409", "409"]
    with (report.parent / "access_review_population.csv").open(newline="") as file:
        population = {row["user_name"] for row in csv.DictReader(file)}
    assert len(population) == 21
    assert population.isdisjoint(LEAVERS)
    assert population > BACK
