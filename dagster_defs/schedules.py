"""What runs by the clock: the end of each day, the nightly proof, and the reports of their cadence."""

from collections.abc import Iterator
from datetime import UTC, date, timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from dagster_defs import jobs
from dagster_defs.partitions import DAYS, last_day, local_day
from dagster_defs.resources import ScimStore
from scim_app.settings import Settings

_ON = dg.DefaultScheduleStatus.RUNNING
_SETTINGS = Settings()


@dg.schedule(job=jobs.end_of_day, cron_schedule=_SETTINGS.end_of_day_cron, default_status=_ON)
def end_of_day_schedule(
    context: dg.ScheduleEvaluationContext, scim: dg.ResourceParam[ScimStore]
) -> Iterator[dg.RunRequest]:
    """Fix the snapshots of a day once it has ended, in each organization's time zone, and those of days missed before.

    One run takes all of them, so that a year of history or a week without Dagster costs one run too. A partition that
    is still running shows what is so now, also of an organization whose day has ended already: it is fixed afterwards.
    """
    now = context.scheduled_execution_time.astimezone(UTC).isoformat()
    running = last_day(DAYS)
    ended = {(head.time_zone, min(local_day(head, now), running) - timedelta(days=1)) for head in scim.heads()}
    made = context.instance.get_materialized_partitions(dg.AssetKey("users"))
    for zone, day in sorted(ended):
        if DAYS.has_partition_key(day.isoformat()):
            first = first_missing(day, made)
            tags = {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: day.isoformat()}
            yield dg.RunRequest(run_key=f"end-of-day/{zone}/{day}/{first}", tags=tags)


def first_missing(day: date, made: set[str]) -> str:
    """Return the first day up to `day` that no snapshot was made of; `day` itself when there is none."""
    keys = DAYS.get_partition_keys()
    return next((key for key in keys if key <= day.isoformat() and key not in made), day.isoformat())


def _reports(job: UnresolvedAssetJobDefinition, cron: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=_SETTINGS.time_zone,
        default_status=_ON,
    )


SCHEDULES = [
    end_of_day_schedule,
    _reports(jobs.proof, _SETTINGS.proof_cron),
    _reports(jobs.daily_compliance, _SETTINGS.daily_report_cron),
    _reports(jobs.weekly_operations, _SETTINGS.weekly_report_cron),
    _reports(jobs.monthly_joiner_mover_leaver, _SETTINGS.monthly_report_cron),
    _reports(jobs.quarterly_access_review, _SETTINGS.quarterly_review_cron),
]
"""All schedules."""
