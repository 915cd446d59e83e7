"""What watches the runs themselves: failures are told, runs whose process is gone are ended."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.tags import GRPC_INFO_TAG, WILL_RETRY_TAG

from dagster_defs import jobs
from dagster_defs.alerting import Message, Severity
from dagster_defs.channels import Channel, ChannelRefused
from dagster_defs.processes import answers, lives
from dagster_defs.resources import AlertChannels

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
    records = instance.get_run_records(dg.RunsFilter(job_name=run.job_name, statuses=ended), limit=20)
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
def lost_run_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """End runs whose process is gone with the machine or the code server: they would hold the warehouse for ever.

    Run retries take them up again. Launchers that watch their own runs (Kubernetes, Celery) are left alone.
    """
    if context.instance.run_launcher.supports_check_run_worker_health:
        return dg.SkipReason("the run launcher watches its own runs")
    lost = [run for run in _in_progress(context.instance) if _is_gone(context.instance, run)]
    for run in lost:
        context.instance.report_run_failed(run, "The process of this run is gone.")
    return dg.SkipReason(f"{len(lost)} runs had lost their process")


def _in_progress(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    begun = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]
    return [record.dagster_run for record in instance.get_run_records(dg.RunsFilter(statuses=begun))]


def _is_gone(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Tell whether the process of a run is gone; before it told its id, whether the code server that starts it is."""
    for event in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        metadata = event.get_dagster_event().engine_event_data.metadata
        if "pid" in metadata:
            return not lives(int(str(metadata["pid"].value)), event.timestamp)
    return GRPC_INFO_TAG in run.tags and not answers(json.loads(run.tags[GRPC_INFO_TAG]))


SENSORS = [run_failure_alert, run_recovery_alert, lost_run_sensor]
"""All sensors of runs."""
