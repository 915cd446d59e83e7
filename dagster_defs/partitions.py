"""Days: the partitions of the snapshots, and the cut that each organization's day makes in its log."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import dagster as dg

from dagster_defs.evidence.periods import Zones
from dagster_defs.resources import ScimStore
from scim_app.settings import Settings
from scim_app.store.export import Head


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


def day_starts(zone: str, first: datetime, last: datetime) -> list[tuple[date, datetime]]:
    """Return each day that a zone has between two instants, with the instant at which it begins (UTC, naive)."""
    known = Zones.of(zone)
    days = [known.day_of(moment.replace(tzinfo=None)) for moment in (first, last)]
    return [(day, begins) for day, begins, _ in known.days(*days)]


DAYS = days(Settings())
"""The partitions of the snapshots."""
