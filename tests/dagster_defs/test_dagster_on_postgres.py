"""Dagster's own storage on a real PostgreSQL, as `dagster.yaml` says it is set up, with the locked drivers."""

from pathlib import Path

import dagster as dg
import make
import postgres
import sqlalchemy as sa
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run


def test_a_run_is_recorded(tmp_path: Path) -> None:
    written = (make.ROOT / "dagster_defs" / "dagster.yaml").read_text()
    lines = [line.removeprefix("#") if line.startswith(("#storage", "#  ")) else line for line in written.splitlines()]

    @dg.op
    def works() -> None:
        """Do nothing."""

    @dg.job(executor_def=dg.in_process_executor)
    def provisioning() -> None:
        works()

    with postgres.server() as address:
        url = sa.make_url(address).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
        given = "\n".join(lines).replace("postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE", f'"{url}"')
        assert url in given
        (tmp_path / "dagster.yaml").write_text(given)
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            run = instance.create_run_for_job(provisioning)
            assert execute_run(InMemoryJob(provisioning), run, instance).success
            assert [record.dagster_run.status.value for record in instance.get_run_records()] == ["SUCCESS"]
            assert instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_SUCCESS)
