"""The copy of the event log in the warehouse, and the organizations it is of."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
from dagster_duckdb import DuckDBResource

from dagster_defs.assets import sources
from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.assets.sources import in_directory
from dagster_defs.calendar import keep_calendar, zones_of
from dagster_defs.evidence.periods import Zones
from dagster_defs.incremental import COPY, Mark, marks, save, start
from dagster_defs.resources import ScimStore
from dagster_defs.warehouse import DAY, ORGANIZATION, SCHEMA, Table, kept
from scim_app.store.export import Head
from scim_app.store.export.arrow import BLOCK, ArrowExport, asked_to_leave
from scim_app.store.export.columns import ASKED_TO_LEAVE, EVENT_COLUMNS, THRESHOLD_COLUMNS, Column

_SLUG = in_directory("organizations")["slug"]
PROVISIONING_EVENTS = Table(
    COPY,
    (ORGANIZATION, DAY, *EVENT_COLUMNS, ASKED_TO_LEAVE),
    made_from={"org": _SLUG, "day": ("scim_event_log.occurred_at",)}
    | {column.name: (f"scim_event_log.{column.name}",) for column in EVENT_COLUMNS}
    | {ASKED_TO_LEAVE.name: ("scim_event_log.method", "scim_event_log.change")},
)

ORGANIZATIONS = Table(
    "organizations",
    (
        ORGANIZATION,
        Column("org_id", "text", "Id of the organization"),
        Column("name", "text", "Name of the organization"),
        Column("time_zone", "text", "Zone in which its day ends"),
        Column("log_epoch", "text", "Life of its log"),
        Column("seq", "integer", "Last event that was copied"),
        Column("users", "integer", "Users in the store at that event"),
        Column("teams", "integer", "Teams in the store at that event"),
        Column("team_members", "integer", "Memberships in the store at that event"),
        *THRESHOLD_COLUMNS,
        Column("copied_at", "instant", "When the log was last copied (UTC)"),
    ),
    made_from={"org": _SLUG, **in_directory("organizations")},
    is_asset=False,
)


@table_asset(PROVISIONING_EVENTS, group="changes")
def provisioning_events(
    context: dg.AssetExecutionContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> "dg.MaterializeResult[Any]":
    """Every event of every organization, copied from the log: each run adds what is new, so none is missed."""
    with warehouse.get_connection() as connection:
        added = copy(connection, scim)
        for seen in sources.observations(ORGANIZATIONS.rows(connection), scim.tokens(), _now()):
            context.log_event(seen)
        last = {org: mark.seq for org, mark in marks(connection).items()}
        return result(
            connection, PROVISIONING_EVENTS, order="occurred_at DESC, seq DESC", last_event=last, events_added=added
        )


def copy(connection: duckdb.DuckDBPyConnection, scim: ScimStore) -> dict[str, int]:
    """Copy what is new of every organization's log, and return how many events that were, by slug."""
    PROVISIONING_EVENTS.make(connection)
    _tell_who_asked_to_leave(connection)
    with scim.opened() as export, scim.opened_in_bulk() as bulk:
        heads = export.heads()
        for gone in marks(connection).keys() - {head.slug for head in heads}:
            _forget(connection, gone)
        return {head.slug: _copy(connection, bulk, head) for head in heads}


def _tell_who_asked_to_leave(connection: duckdb.DuckDBPyConnection) -> None:
    """Read once more the refused writes that were copied by a release which did not tell who was asked to leave."""
    missing = connection.sql(_UNTOLD).to_arrow_table()
    if not missing.num_rows:
        return
    connection.register("told", missing.append_column(ASKED_TO_LEAVE.name, asked_to_leave(missing)))
    connection.execute(_TELL)
    connection.unregister("told")


_UNTOLD = """
    SELECT org, seq, type, subject_kind, subject_id, method, change FROM identity.provisioning_events
    WHERE type = 'write.rejected' AND subject_kind = 'user' AND asked_to_leave IS NULL
"""
_TELL = """
    UPDATE identity.provisioning_events AS event SET asked_to_leave = told.asked_to_leave
    FROM told WHERE told.org = event.org AND told.seq = event.seq
"""


def _forget(connection: duckdb.DuckDBPyConnection, org: str) -> None:
    """Drop what is known of an organization that the store does not have any more: it came after a backup."""
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() JOIN duckdb_columns() USING (schema_name, table_name) "
        "WHERE schema_name = ? AND column_name = 'org'",
        [SCHEMA],
    ).fetchall()
    with kept(connection):
        for (table,) in tables:
            connection.execute(f"DELETE FROM {SCHEMA}.{table} WHERE org = ?", [org])  # noqa: S608


def _copy(connection: duckdb.DuckDBPyConnection, bulk: ArrowExport, head: Head) -> int:
    """Copy an organization's new events, a block at a time, each with the mark that says so; return how many."""
    standing = bulk.standing(head.org_id)
    target = Mark(head.slug, head.org_id, standing.log_epoch, standing.last_seq)
    with kept(connection):
        first = after = start(connection, COPY, [PROVISIONING_EVENTS], target)
        save(connection, COPY, target._replace(seq=after))
    for block in bulk.events(head.org_id, after=after, until=target.seq):
        until = min(after + BLOCK, target.seq)
        with kept(connection):
            _append(connection, head, block, after, until)
            save(connection, COPY, target._replace(seq=until))
        after = until
    counts = {name: getattr(standing, name) for name in ("users", "teams", "team_members")}
    row = {"org": head.slug, "org_id": head.org_id, "name": head.name, "time_zone": head.time_zone, **counts}
    row |= head.thresholds
    row |= {"log_epoch": target.log_epoch, "seq": after, "copied_at": _now()}
    with kept(connection):
        ORGANIZATIONS.replace(connection, [row], org=head.slug)
        keep_calendar(connection, head, anew=after > first and (first == 0 or _zone_was_set(connection, head, first)))
    return after - first


def _append(connection: duckdb.DuckDBPyConnection, head: Head, block: pa.Table, after: int, until: int) -> None:
    """Append a block to the copy, each event with the organization's day on which it happened."""
    if block.column("seq").to_pylist() != list(range(after + 1, until + 1)):
        raise dg.Failure(f"the event log of {head.slug} has a gap between event {after} and event {until}")
    connection.register("block", block)
    connection.execute("SET VARIABLE org = $org", {"org": head.slug})
    zones = zones_of(
        connection, head.slug, head.time_zone, "UNION ALL SELECT seq, occurred_at::TIMESTAMP, change, type FROM block"
    )
    connection.register("days", _days(zones, block))
    names, casts = PROVISIONING_EVENTS.names, PROVISIONING_EVENTS.casts
    ((added,),) = connection.execute(
        f"""
        INSERT INTO {PROVISIONING_EVENTS.address} ({names})
        SELECT {casts} FROM (
            SELECT getvariable('org') AS org, days.day, block.*
            FROM block ASOF JOIN days ON block.occurred_at::TIMESTAMP >= days.begins
        ) ORDER BY seq
        """  # noqa: S608
    ).fetchall()
    if added != block.num_rows:
        raise dg.Failure(f"only {added} of {block.num_rows} events of {head.slug} after event {after} fall on a day")
    connection.unregister("block")
    connection.unregister("days")


def _days(zones: Zones, block: pa.Table) -> pa.Table:
    """Return when each day of a block begins."""
    first, last = (
        datetime.fromisoformat(block.column("occurred_at")[end].as_py()).replace(tzinfo=None) for end in (0, -1)
    )
    days = zones.days(min(zones.day_of(first), zones.day_of(last)), max(zones.day_of(first), zones.day_of(last)))
    return pa.Table.from_pylist([{"day": day, "begins": begins} for day, begins, _ in days])


def _zone_was_set(connection: duckdb.DuckDBPyConnection, head: Head, after: int) -> bool:
    rest = "WHERE org = ? AND seq > ? AND type = 'settings.changed'"
    return PROVISIONING_EVENTS.count(connection, rest, [head.slug, after]) > 0


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
