"""Another project's code location in the same Dagster: its jobs, sensors and assets have the names of ours.

Its `reporting` goes on until a file `go` is beside this one; its `provisioning` is short, and runs again and again.
"""

import time
from pathlib import Path

import dagster as dg

GO = Path(__file__).with_name("go")


@dg.asset
def provisioning_events() -> None:
    """An asset with a name of ours."""


@dg.op
def long_work() -> None:
    """Work for as long as the test wants, and no longer than an hour."""
    deadline = time.monotonic() + 3600
    while not GO.exists() and time.monotonic() < deadline:
        time.sleep(0.2)


@dg.job(executor_def=dg.in_process_executor)
def reporting() -> None:
    """A job with a name of ours."""
    long_work()


provisioning = dg.define_asset_job("provisioning", selection="provisioning_events")


@dg.sensor(job=reporting, minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def reporting_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest:
    """Ask for the long run: for another one whenever the one before has ended."""
    ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    origin = context.code_location_origin
    tags = {".dagster/repository": f"{context.repository_name}@{origin.location_name if origin else ''}"}
    chosen = dg.RunsFilter(job_name="reporting", statuses=ended, tags=tags)
    return dg.RunRequest(run_key=f"reporting/{context.instance.get_runs_count(chosen)}")


@dg.sensor(job=provisioning, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def provisioning_event_sensor() -> dg.RunRequest:
    """Ask for the short run at each tick."""
    return dg.RunRequest()


defs = dg.Definitions(
    assets=[provisioning_events],
    jobs=[reporting, provisioning],
    sensors=[reporting_sensor, provisioning_event_sensor],
    executor=dg.in_process_executor,
)
