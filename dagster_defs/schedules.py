"""What runs by the clock: the end of each day, the nightly proof, and the reports of their cadence."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG, RUN_KEY_TAG
from dagster._utils.schedules import reverse_cron_string_iterator

from dagster_defs import jobs
from dagster_defs.assets.evidence import last_period
from dagster_defs.evidence.reports import MONTHLY, QUARTERLY, WEEKLY, ReportSpec
from dagster_defs.partitions import DAYS, last_day, local_day
from dagster_defs.resources import ScimStore
from scim_app.settings import Settings
from scim_app.store.export import Head

_ON = dg.DefaultScheduleStatus.RUNNING
_SETTINGS = Settings()
EACH_QUARTER_HOUR = "*/15 * * * *"
"""When it is looked whether a report is due: zones differ by quarters of an hour."""
CAUGHT_UP = timedelta(days=7)
"""For how long after it was due a report is made where Dagster did not run; each once."""


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


def _by_cron(job: UnresolvedAssetJobDefinition, cron: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=_SETTINGS.time_zone,
        default_status=_ON,
    )


def _of_periods(job: UnresolvedAssetJobDefinition, spec: ReportSpec, cron: str) -> dg.ScheduleDefinition:
    """Return the schedule that makes a report of the period that ended last, at the cron's time in each zone."""

    @dg.schedule(name=f"{job.name}_schedule", job=job, cron_schedule=EACH_QUARTER_HOUR, default_status=_ON)
    def schedule(context: dg.ScheduleEvaluationContext, scim: dg.ResourceParam[ScimStore]) -> Iterator[dg.RunRequest]:
        now = context.scheduled_execution_time.astimezone(UTC)
        for zone, oldest in sorted(_oldest_by_zone(scim).items()):
            due = last_due(cron, zone, now)
            # With the id of an organization: another project's schedule may have the same name, zone and time.
            key = f"{spec.name}/{zone}/{oldest.org_id}/{due.isoformat()}"
            if max(datetime.fromisoformat(oldest.created_at), now - CAUGHT_UP) < due and not _has_run(context, key):
                period = last_period(spec, due.date())
                chosen = {"period": period.name, "time_zone": zone}
                yield dg.RunRequest(
                    run_key=key,
                    run_config={"ops": {f"{spec.name}_report": {"config": chosen}}},
                    tags={"scim/period": period.name},
                )

    return schedule


def _oldest_by_zone(scim: ScimStore) -> dict[str, Head]:
    """Return the oldest organization of each zone."""
    return {head.time_zone: head for head in sorted(scim.heads(), key=lambda head: head.created_at, reverse=True)}


def _has_run(context: dg.ScheduleEvaluationContext, key: str) -> bool:
    """Tell whether a run was asked for by a key: Dagster itself compares keys of the same tick of a schedule alone."""
    return bool(context.instance.get_run_records(dg.RunsFilter(tags={RUN_KEY_TAG: key}), limit=1))


def last_due(cron: str, zone: str, now: datetime) -> datetime:
    """Return when a cron was due last in a zone, as a moment of that zone: at `now` or before it."""
    after = (now + timedelta(seconds=1)).timestamp()
    return next(reverse_cron_string_iterator(after, cron, zone))


SCHEDULES = [
    end_of_day_schedule,
    _by_cron(jobs.proof, _SETTINGS.proof_cron),
    _by_cron(jobs.daily_compliance, _SETTINGS.daily_report_cron),
    _of_periods(jobs.weekly_operations, WEEKLY, _SETTINGS.weekly_report_cron),
    _of_periods(jobs.monthly_joiner_mover_leaver, MONTHLY, _SETTINGS.monthly_report_cron),
    _of_periods(jobs.quarterly_access_review, QUARTERLY, _SETTINGS.quarterly_review_cron),
]
"""All schedules."""
