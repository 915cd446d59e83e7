"""Days: the partitions of the snapshots, and the cut that each organization's day makes in its log."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from dagster_defs.resources import ScimStore
from scim_app.settings import Settings
from scim_app.store.export import Export, Head


def days(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Return one partition a day, from the first organization's first day to the running day."""
    starts = [local_day(head, head.created_at) for head in ScimStore(settings.store_url).heads()]
    first = min(starts, default=datetime.now(ZoneInfo(settings.time_zone)).date())
    return dg.DailyPartitionsDefinition(
        start_date=datetime.combine(first, time()), timezone=settings.time_zone, end_offset=1
    )


def local_day(head: Head, at: str) -> date:
    """Return the day it is in an organization at an instant (ISO 8601, UTC)."""
    return datetime.fromisoformat(at).astimezone(ZoneInfo(head.time_zone)).date()


def last_day(partitions: dg.DailyPartitionsDefinition) -> date:
    """Return the running day: the last partition there is."""
    return date.fromisoformat(partitions.get_last_partition_key() or "")


def cut(export: Export, head: Head, day: date, running: date) -> int:
    """Return the last event of an organization's day; of the running day the last there is."""
    if day >= running:
        return head.last_seq
    return export.seq_at(head.org_id, end_of(head, day))


def end_of(head: Head, day: date) -> str:
    """Return the instant (ISO 8601, UTC) at which a day ends in an organization's time zone."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(head.time_zone)).astimezone(UTC)
    return midnight.isoformat(timespec="microseconds").replace("+00:00", "Z")


DAYS = days(Settings())
"""The partitions of the snapshots."""
