"""What watches the runs themselves: failures are told, runs whose process is gone are ended."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.tags import GRPC_INFO_TAG, WILL_RETRY_TAG

from dagster_defs import jobs
from dagster_defs.alerting import Message, Severity
from dagster_defs.channels import Channel, ChannelRefused
from dagster_defs.code_location import CodeLocation
from dagster_defs.resources import AlertChannels
from dagster_defs.run_locks import RunLocks, is_refused

TRIES = 3


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING, monitored_jobs=jobs.JOBS, minimum_interval_seconds=15
)
def run_failure_alert(context: dg.RunFailureSensorContext, channels: dg.ResourceParam[AlertChannels]) -> None:
    """Tell every alert channel that a job began to fail, and where to look; not again while it goes on failing."""
    run, moment = context.dagster_run, datetime.now(UTC)
    if run.tags.get(WILL_RETRY_TAG) == "true" or _failed_before(context.instance, run):
        return
    body = f"Run {run.run_id} of {run.job_name} failed at {moment:%Y-%m-%d %H:%M} UTC:\n{context.failure_event.message}"
    title = f"Dagster run failed: {run.job_name}"
    page = f"Run: {channels.links.dagster_url}/runs/{run.run_id}"
    _tell(context, channels, Message(title, body, Severity.CRITICAL, (run.run_id,), "opened", (page,)))


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    monitored_jobs=jobs.JOBS,
    minimum_interval_seconds=15,
)
def run_recovery_alert(context: dg.RunStatusSensorContext, channels: dg.ResourceParam[AlertChannels]) -> None:
    """Tell every alert channel that a job that failed works again."""
    run = context.dagster_run
    if _failed_before(context.instance, run):
        title = f"Resolved: Dagster run failed: {run.job_name}"
        page = f"Run: {channels.links.dagster_url}/runs/{run.run_id}"
        body = f"{run.job_name} works again."
        _tell(context, channels, Message(title, body, Severity.CRITICAL, (run.run_id,), "resolved", (page,)))


def _failed_before(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Tell whether the run of the same job that ended before this one failed for good."""
    ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    records = CodeLocation.of_run(instance, run).runs(job=run.job_name, statuses=ended, limit=20)
    finals = [one.dagster_run for one in records if one.dagster_run.tags.get(WILL_RETRY_TAG) != "true"]
    ids = [one.run_id for one in finals]
    earlier = finals[ids.index(run.run_id) + 1 :] if run.run_id in ids else []
    return bool(earlier) and earlier[0].status == dg.DagsterRunStatus.FAILURE


def _tell(
    context: dg.RunStatusSensorContext | dg.RunFailureSensorContext, channels: AlertChannels, message: Message
) -> None:
    for channel in channels.channels:
        if not any(_sent(channel, message) for _ in range(TRIES)):
            context.log.error("the alert channel %s refused the message", channel.name)


def _sent(channel: Channel, message: Message) -> bool:
    with suppress(ChannelRefused):
        channel.send(message)
        return True
    return False


@dg.sensor(minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def lost_run_sensor(context: dg.SensorEvaluationContext, run_locks: dg.ResourceParam[RunLocks]) -> dg.SkipReason:
    """End runs of this code location whose process is gone: they would hold the warehouse for ever.

    Run retries take them up again. Launchers that watch their own runs (Kubernetes, Celery) are left alone.
    """
    if context.instance.run_launcher.supports_check_run_worker_health:
        return dg.SkipReason("the run launcher watches its own runs")
    lost = [*_without_process(context.instance, run_locks), *_without_server(CodeLocation.of_sensor(context))]
    for run in lost:
        context.instance.report_run_failed(run, "The process of this run is gone.")
    return dg.SkipReason(f"{len(lost)} runs had lost their process")


def _without_process(instance: dg.DagsterInstance, locks: RunLocks) -> Iterator[dg.DagsterRun]:
    """Yield the runs whose process is gone before they ended; the locks of those that ended are removed."""
    for run_id in locks.free():
        run = instance.get_run_by_id(run_id)  # read after its lock: a process notes the end of its run, then ends
        if run and run.is_finished:
            locks.forget(run_id)
        elif run:
            yield run


def _without_server(location: CodeLocation) -> Iterator[dg.DagsterRun]:
    """Yield the runs that have no process yet and whose code server, which would start it, is gone."""
    for record in location.runs(statuses=[dg.DagsterRunStatus.STARTING]):
        run = record.dagster_run
        if GRPC_INFO_TAG in run.tags and is_refused(json.loads(run.tags[GRPC_INFO_TAG])):
            yield run


SENSORS = [run_failure_alert, run_recovery_alert, lost_run_sensor]
"""All sensors of runs."""
