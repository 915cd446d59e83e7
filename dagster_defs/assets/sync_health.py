"""What keeps identities from arriving: refused writes, one by one and grouped by cause."""

from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.events import PROVISIONING_EVENTS
from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.incremental import BLOCK, COPY, advance
from dagster_defs.pictures import failures_by_cause
from dagster_defs.warehouse import DAY, ORGANIZATION, Frame, Table, records, sql
from scim_app.store.export.columns import EVENT_COLUMNS, Column, failure_told

_TOLD = {
    *("seq", "id", "occurred_at", "subject_kind", "subject_name", "actor", "idp"),
    *("request_id", "method", "path", "status", "scim_type", "detail"),
}
_REFUSED = """
    CREATE OR REPLACE TEMP TABLE refused AS SELECT * FROM identity.provisioning_events
    WHERE org = getvariable('org') AND seq > getvariable('after') AND seq <= getvariable('until')
        AND type = 'write.rejected';
"""
_TELLING = ("status", "scim_type", "detail")
"""Columns of an event that tell the cause."""
_CAUSE = (
    Column("cause", "text", "Why it was refused, one word for each cause"),
    Column("meaning", "text", "What that means"),
    Column("what_to_do", "text", "What the administrator of the identity provider does about it"),
)
_OF_THE_EVENT = (ORGANIZATION, DAY, *(column for column in EVENT_COLUMNS if column.name in _TOLD))
_EXPLAINED = f"""
    INSERT INTO identity.sync_failures BY NAME
    SELECT
        {", ".join(f"refused.{column.name}" for column in _OF_THE_EVENT)},
        causes.cause, causes.meaning, causes.what_to_do
    FROM refused INNER JOIN causes
        ON causes.status IS NOT DISTINCT FROM refused.status
        AND causes.scim_type IS NOT DISTINCT FROM refused.scim_type
        AND causes.detail IS NOT DISTINCT FROM refused.detail
    ORDER BY refused.seq;
"""  # noqa: S608
_CAUSES = Frame(
    "causes",
    {name: (f"{COPY}.{name}",) for name in _TELLING}
    | {column.name: tuple(f"{COPY}.{name}" for name in _TELLING) for column in _CAUSE},
)

SYNC_FAILURES = Table(
    "sync_failures",
    (*_OF_THE_EVENT, *_CAUSE),
    script=_REFUSED + _EXPLAINED,
    reads=(PROVISIONING_EVENTS, _CAUSES),
)
SYNC_HEALTH = Table(
    "sync_health",
    (
        ORGANIZATION,
        Column("idp", "text", "Identity provider"),
        Column("cause", "text", "Why writes were refused"),
        Column("resource", "text", "Kind of what was written: `user`, `team`"),
        Column("failures", "integer", "How many writes were refused for it"),
        Column("subjects", "integer", "How many people or groups these were"),
        Column("first_at", "instant", "When it happened first (UTC)"),
        Column("last_at", "instant", "When it happened last (UTC)"),
        Column("sample_request_id", "text", "Request of the last one, for the service's log"),
        Column("sample_subject", "text", "Whom the last one was about"),
        Column("sample_detail", "text", "What the last answer said"),
        Column("meaning", "text", "What the cause means"),
        Column("what_to_do", "text", "What to do about it"),
    ),
    sql("sync_health"),
    reads=(SYNC_FAILURES,),
)
IDP_RHYTHM = Table(
    "idp_rhythm",
    (
        ORGANIZATION,
        Column("idp", "text", "Identity provider"),
        Column("last_event_at", "instant", "When it last changed something or was refused (UTC)"),
        Column("pauses", "integer", "Pauses between its busy hours in the 30 days before that"),
        Column("longest_pause_seconds", "number", "The longest of these"),
        Column(
            "allowed_silence_seconds", "number", "Longer than this it never is silent; empty while too little is known"
        ),
    ),
    sql("idp_rhythm"),
    reads=(PROVISIONING_EVENTS,),
)
_ARROW = pa.schema([(name, pa.int64() if name == "status" else pa.string()) for name in _CAUSES.made_from])


@table_asset(SYNC_FAILURES, group="sync_health", urgent=True)
def sync_failures(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Writes of an identity provider that were refused, each with its status, its cause and what to do about it."""
    with warehouse.get_connection() as connection:
        carry(connection)
        return result(connection, SYNC_FAILURES, order="occurred_at DESC")


def carry(connection: duckdb.DuckDBPyConnection, block: int = BLOCK) -> int:
    """Take the refused writes among the new events in, and return how many events were looked at."""
    return advance(connection, SYNC_FAILURES.name, [SYNC_FAILURES], lambda: _take_in(connection), block)


def _take_in(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(_REFUSED)
    found = records(connection.execute(f"SELECT DISTINCT {', '.join(_TELLING)} FROM refused"))  # noqa: S608
    causes = pa.Table.from_pylist([one | failure_told(one) for one in found], _ARROW)
    connection.register("causes", causes)
    connection.execute(_EXPLAINED)
    connection.unregister("causes")


@table_asset(SYNC_HEALTH, group="sync_health")
def sync_health(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Refused writes grouped by identity provider, cause and resource, with a sample and what to do about it."""
    with warehouse.get_connection() as connection:
        SYNC_HEALTH.make(connection)
        return result(connection, SYNC_HEALTH, order="last_at DESC", chart=failures_by_cause(connection))


@table_asset(IDP_RHYTHM, group="sync_health", urgent=True)
def idp_rhythm(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """How often each identity provider is heard of, and for how long it is silent at most."""
    with warehouse.get_connection() as connection:
        IDP_RHYTHM.make(connection)
        return result(connection, IDP_RHYTHM, order="org, idp")
