"""When things run: as soon as something is provisioned, at the end of each day, and when a run fails."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from dagster_defs.partitions import DAYS, last_day, local_day
from dagster_defs.resources import AlertChannels, ScimStore

provisioning = dg.define_asset_job(
    "provisioning",
    selection=dg.AssetSelection.all(),
    description="Copies new events, renews the day's snapshots, finds changes, builds the reports, sends alerts.",
)

_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]


@dg.sensor(job=provisioning, minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def provisioning_event_sensor(
    context: dg.SensorEvaluationContext, scim: dg.ResourceParam[ScimStore]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for one run when any organization's log has grown; what comes while it runs goes into the next one."""
    heads = {head.org_id: [head.log_epoch, head.last_seq] for head in scim.heads()}
    cursor = json.dumps(heads, sort_keys=True)
    if not heads or cursor == context.cursor:
        return dg.SkipReason("no new events")
    if context.instance.get_run_records(dg.RunsFilter(job_name=provisioning.name, statuses=_WAITING), limit=1):
        return dg.SkipReason("a run that has not begun yet will copy these events too")
    run_key = hashlib.sha256(cursor.encode()).hexdigest()
    request = dg.RunRequest(run_key=run_key, partition_key=last_day(DAYS).isoformat())
    return dg.SensorResult([request], cursor=cursor)


@dg.schedule(job=provisioning, cron_schedule="10 * * * *", default_status=dg.DefaultScheduleStatus.RUNNING)
def end_of_day_schedule(
    context: dg.ScheduleEvaluationContext, scim: dg.ResourceParam[ScimStore]
) -> Iterator[dg.RunRequest]:
    """Fix the snapshots of a day once it has ended, in each organization's time zone; once a day and zone."""
    now = context.scheduled_execution_time.astimezone(UTC).isoformat()
    ended = {(head.time_zone, local_day(head, now) - timedelta(days=1)) for head in scim.heads()}
    for zone, day in sorted(ended):
        if DAYS.has_partition_key(day.isoformat()):
            yield dg.RunRequest(run_key=f"end-of-day/{zone}/{day}", partition_key=day.isoformat())


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING, monitored_jobs=[provisioning], minimum_interval_seconds=15
)
def run_failure_alert(context: dg.RunFailureSensorContext, channels: dg.ResourceParam[AlertChannels]) -> None:
    """Tell every alert channel that a run failed, and where to look."""
    run, moment = context.dagster_run, datetime.now(UTC)
    body = f"Run {run.run_id} of {run.job_name} failed at {moment:%Y-%m-%d %H:%M} UTC:\n{context.failure_event.message}"
    for name, url in channels.names().items():
        if not channels.send(url, title=f"Dagster run failed: {run.job_name}", body=body):
            context.log.error("the alert channel %s refused the message", name)
