"""The copy of the event log in the warehouse, and the writes that were refused."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.assets.sources import EVENT_LOG
from dagster_defs.partitions import local_day
from dagster_defs.resources import ScimStore
from dagster_defs.warehouse import DAY, ORGANIZATION, Table, transaction
from scim_app.store.export import Export, Head
from scim_app.store.exported import EVENT_COLUMNS

BATCH = 10_000
"""Events read from the store at a time."""

PROVISIONING_EVENTS = Table("provisioning_events", (ORGANIZATION, DAY, *EVENT_COLUMNS))

_TOLD = {
    *("seq", "id", "occurred_at", "subject_kind", "subject_name", "actor", "idp"),
    *("request_id", "method", "path", "status", "scim_type", "detail"),
}
SYNC_FAILURES = Table("sync_failures", (ORGANIZATION, DAY, *(c for c in EVENT_COLUMNS if c.name in _TOLD)))


@table_asset(PROVISIONING_EVENTS, group="changes", deps=[EVENT_LOG])
def provisioning_events(scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Every event of every organization, copied from the log: each run adds what is new, so none is missed."""
    with scim.opened() as export, transaction(warehouse) as connection:
        heads = export.heads()
        PROVISIONING_EVENTS.make(connection)
        for head in heads:
            for batch in _new_events(export, head, _copied(connection, head)):
                PROVISIONING_EVENTS.append(connection, batch)
        newest = PROVISIONING_EVENTS.rows(connection, "ORDER BY occurred_at DESC, seq DESC LIMIT 10")
        total = PROVISIONING_EVENTS.count(connection)
    return result(PROVISIONING_EVENTS, newest, total=total, last_event={head.slug: head.last_seq for head in heads})


def _copied(connection: duckdb.DuckDBPyConnection, head: Head) -> int:
    """Return the last event copied; a copy of another life of the log is dropped, and counts for nothing."""
    query = f"SELECT max(seq), bool_and(log_epoch = ?) FROM {PROVISIONING_EVENTS.address} WHERE org_id = ?"  # noqa: S608
    last, same = connection.execute(query, [head.log_epoch, head.org_id]).fetchall()[0]
    if last is None or (same and last <= head.last_seq):
        return last or 0
    connection.execute(f"DELETE FROM {PROVISIONING_EVENTS.address} WHERE org_id = ?", [head.org_id])  # noqa: S608
    return 0


def _new_events(export: Export, head: Head, after: int) -> Iterator[list[dict[str, Any]]]:
    while after < head.last_seq:
        batch = export.events(head.org_id, after=after, limit=min(BATCH, head.last_seq - after))
        yield [{"org": head.slug, "day": local_day(head, row["occurred_at"]), **row} for row in batch]
        after = batch[-1]["seq"]


@table_asset(SYNC_FAILURES, group="sync_health", deps=[PROVISIONING_EVENTS.name])
def sync_failures(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Writes of an identity provider that were refused, each with its status, SCIM error type and reason."""
    with transaction(warehouse) as connection:
        rows = PROVISIONING_EVENTS.rows(connection, "WHERE type = 'write.rejected' ORDER BY org, seq")
        SYNC_FAILURES.replace(connection, rows)
    shown = [{column.name: row[column.name] for column in SYNC_FAILURES.columns} for row in rows]
    return result(SYNC_FAILURES, shown[::-1], total=len(rows))
