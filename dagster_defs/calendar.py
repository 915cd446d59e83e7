"""The calendar of each organization in the warehouse: its time zones, and when each of its days begins and ends."""

from datetime import UTC, datetime, timedelta

import duckdb

from dagster_defs.assets.sources import in_directory
from dagster_defs.evidence.periods import Zones
from dagster_defs.incremental import COPY
from dagster_defs.warehouse import ORGANIZATION, Table
from scim_app.store.export import Head
from scim_app.store.export.columns import Column

CALENDAR = Table(
    "calendar",
    (
        ORGANIZATION,
        Column("day", "date", "Day of the organization"),
        Column("begins_at", "instant", "When it begins (UTC): at midnight in the zone that was set then"),
        Column("ends_at", "instant", "When it ends and the next one begins (UTC)"),
    ),
    made_from={
        "org": in_directory("organizations")["slug"],
        "day": (f"{COPY}.occurred_at",),
        "begins_at": (f"{COPY}.change",),
        "ends_at": (f"{COPY}.change",),
    },
    is_asset=False,
)
"""When each day of an organization begins and ends: what reports take for a period."""
_AHEAD = timedelta(days=31)

_ZONES = """
    SELECT occurred_at, change ->> '$.attributes.time_zone.before', change ->> '$.attributes.time_zone.after' FROM (
        SELECT seq, occurred_at, change, type FROM identity.provisioning_events WHERE org = $org {more}
    )
    WHERE type IN ('organization.created', 'settings.changed')
        AND change ->> '$.attributes.time_zone.after' IS NOT NULL
    ORDER BY seq
"""


def zones_of(connection: duckdb.DuckDBPyConnection, org: str, zone: str, more: str = "") -> Zones:
    """Return the zones that an organization has had; `zone`, where its log tells of none.

    `more` is SQL that adds events which the copy does not have yet.
    """
    told = connection.execute(_ZONES.format(more=more), {"org": org}).fetchall()
    if not told:
        return Zones.of(zone)
    first = told[0][1] or told[0][2]
    return Zones(((datetime.min, first), *((at, after) for at, before, after in told if before)))  # noqa: DTZ901


def keep_calendar(connection: duckdb.DuckDBPyConnection, head: Head, *, anew: bool) -> None:
    """Write when each day of an organization begins and ends, where that is not known yet or a zone was set."""
    zones = zones_of(connection, head.slug, head.time_zone)
    tomorrow = zones.day_of(datetime.now(UTC).replace(tzinfo=None)) + timedelta(days=1)
    if not anew and CALENDAR.count(connection, "WHERE org = ? AND day >= ?", [head.slug, tomorrow]):
        return
    query = "SELECT min(occurred_at) FROM identity.provisioning_events WHERE org = ?"
    first: datetime | None = connection.execute(query, [head.slug]).fetchall()[0][0]
    if first is not None:
        days = zones.days(zones.day_of(first), max(tomorrow, zones.day_of(first)) + _AHEAD)
        rows = [{"org": head.slug, "day": day, "begins_at": begins, "ends_at": ends} for day, begins, ends in days]
        CALENDAR.replace(connection, rows, org=head.slug)
