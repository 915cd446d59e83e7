"""The copy of the event log in the warehouse, and the organizations it is of."""

from bisect import bisect_right
from datetime import UTC, datetime
from functools import partial
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
from dagster_defs.failures import DATA_ERRORS, MissingEvent, Stopped, failures, note, up_to_the_first_failure
from dagster_defs.incremental import COPY, Mark, marks, mended, save, start
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
    """Every event of every organization, copied from the log: each run adds what is new, so none is missed.

    An organization whose log has a gap is copied up to there; the others go on.
    """
    with warehouse.get_connection() as connection:
        added = copy(connection, scim)
        for seen in sources.observations(ORGANIZATIONS.rows(connection), scim.tokens(), _now()):
            context.log_event(seen)
        return result(
            connection,
            PROVISIONING_EVENTS,
            order="occurred_at DESC, seq DESC",
            last_event={org: mark.seq for org, mark in marks(connection).items()},
            events_added=added,
            failed={failure.org: failure.sentence for failure in failures(connection, COPY)},
        )


def copy(connection: duckdb.DuckDBPyConnection, scim: ScimStore) -> dict[str, int]:
    """Copy what is new of every organization's log, and return how many events that were, by slug."""
    PROVISIONING_EVENTS.make(connection)
    _tell_who_asked_to_leave(connection)
    with scim.opened() as export, scim.opened_in_bulk() as bulk:
        heads = export.heads()
        for gone in marks(connection).keys() - {head.slug for head in heads}:
            _forget(connection, gone)
        failed = {failure.org for failure in failures(connection, COPY)}
        added: dict[str, int] = {}
        for head in heads:
            added[head.slug], stopped = _copy(connection, bulk, head)
            if stopped:
                note(connection, stopped.failure(head.slug, COPY))
            elif head.slug in failed:
                mended(connection, head.slug, COPY)
        return added


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


def _copy(connection: duckdb.DuckDBPyConnection, bulk: ArrowExport, head: Head) -> tuple[int, Stopped | None]:
    """Copy an organization's new events; return how many, and what stopped that, where one is missing or wrong."""
    standing = bulk.standing(head.org_id)
    target = Mark(head.slug, head.org_id, standing.log_epoch, standing.last_seq)
    with kept(connection):
        first = start(connection, COPY, [PROVISIONING_EVENTS], target)
        save(connection, COPY, target._replace(seq=first))
    stopped = _copy_events(connection, bulk, head, target, first)
    seq = stopped.seq if stopped else target.seq
    # What the store holds is known at its last event alone.
    counts = {name: None if stopped else getattr(standing, name) for name in ("users", "teams", "team_members")}
    row = {"org": head.slug, "org_id": head.org_id, "name": head.name, "time_zone": head.time_zone, **counts}
    row |= head.thresholds
    row |= {"log_epoch": target.log_epoch, "seq": seq, "copied_at": _now()}
    try:
        with kept(connection):
            ORGANIZATIONS.replace(connection, [row], org=head.slug)
            keep_calendar(connection, head, anew=seq > first and (first == 0 or _zone_was_set(connection, head, first)))
    except DATA_ERRORS as error:
        stopped = stopped or Stopped(seq, error)
    return seq - first, stopped


def _copy_events(
    connection: duckdb.DuckDBPyConnection, bulk: ArrowExport, head: Head, target: Mark, after: int
) -> Stopped | None:
    """Copy events a block at a time, each with the mark that says so; return what stopped that, if anything did."""
    try:
        for block in bulk.events(head.org_id, after=after, until=target.seq):
            until = min(after + BLOCK, target.seq)
            up_to_the_first_failure(after, until, partial(_append, connection, head, target, block))
            after = until
    except Stopped as stopped:
        return stopped
    except DATA_ERRORS as error:
        return Stopped(after, error)
    return None


def _append(
    connection: duckdb.DuckDBPyConnection, head: Head, target: Mark, block: pa.Table, after: int, until: int
) -> None:
    """Append a stretch of a block to the copy, each event with the organization's day on which it happened."""
    seqs: list[int] = block.column("seq").to_pylist()
    first = bisect_right(seqs, after)
    events = block.slice(first, bisect_right(seqs, until) - first)
    if events.column("seq").to_pylist() != list(range(after + 1, until + 1)):
        raise MissingEvent(f"not every event from {after + 1} to {until} is in the log of {head.slug}")
    connection.register("block", events)
    try:
        with kept(connection):
            _insert(connection, head, events)
            save(connection, COPY, target._replace(seq=until))
    finally:
        connection.unregister("block")


def _insert(connection: duckdb.DuckDBPyConnection, head: Head, block: pa.Table) -> None:
    if connection.execute(_MALFORMED).fetchall():
        raise ValueError(f"an event of {head.slug} is no JSON")
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
    connection.unregister("days")
    if added != block.num_rows:
        raise ValueError(f"only {added} of {block.num_rows} events of {head.slug} fall on a day")


_MALFORMED = "SELECT seq FROM block WHERE NOT json_valid(change) OR NOT json_valid(document) LIMIT 1"


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
