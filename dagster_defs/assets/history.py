"""What everything was, and from which event to which: the history that every day is cut from."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import AGAIN, FIRST, result, table_spec
from dagster_defs.incremental import BATCH, BLOCK, HISTORY, VARIABLES, advance
from dagster_defs.warehouse import ORGANIZATION, POOL, Table, sql
from scim_app.store.export.columns import ROLE_GRANT_COLUMNS, TEAM_COLUMNS, TEAM_MEMBER_COLUMNS, USER_COLUMNS, Column

_HELD = (
    ORGANIZATION,
    Column("from_seq", "integer", "Event that made it so"),
    Column("until_seq", "integer", "Event that ended it; empty while it holds"),
)
_NAMES_OF_OTHERS = {"pending", "holder_name", "scope_name"}


def _table(name: str, columns: tuple[Column, ...]) -> Table:
    kept = (column for column in columns if column.name not in _NAMES_OF_OTHERS)
    return Table(name, (*_HELD, *kept), reads=(BATCH, VARIABLES))


def _resource(kind: str, columns: tuple[Column, ...]) -> Table:
    table = _table(f"{kind}_versions", columns)
    return replace(table, script=sql("resource_versions", kind=kind, columns=table.names))


def _versions(kind: str, keys: tuple[str, ...], columns: tuple[Column, ...]) -> Table:
    """Return the history whose steps `sql/{kind}_steps.sql` reads; the keys tell its subjects apart."""
    table = _table(f"{kind}_versions", columns)
    same = " AND ".join(f"version.{key} = step.{key}" for key in keys)
    tokens = {"table": table.name, "keys": ", ".join(keys), "columns": table.names, "same": same}
    return replace(table, script=sql(f"{kind}_steps") + sql("close_and_append", **tokens))


USER_VERSIONS = _resource("user", USER_COLUMNS)
TEAM_VERSIONS = _resource("team", TEAM_COLUMNS)
MEMBERSHIP_VERSIONS = _versions("membership", ("team_id", "user_id"), TEAM_MEMBER_COLUMNS)
GRANT_VERSIONS = _versions("grant", ("grant_id",), ROLE_GRANT_COLUMNS)
OWNER_VERSIONS = _versions(
    "owner",
    ("team_id", "user_id"),
    (
        Column("team_id", "text", "Id of the team"),
        Column("user_id", "text", "Id of the owner"),
        Column("since", "instant", "Since when (UTC)"),
    ),
)
PLACE_VERSIONS = _versions(
    "place",
    ("scope_kind", "scope_id"),
    (
        Column("scope_kind", "text", "`deployment` or `code_location`"),
        Column("scope_id", "text", "Its id"),
        Column("name", "text", "Its name"),
        Column("kind", "text", "Of a deployment: `full` or `branch`"),
        Column("deployment_id", "text", "Of a code location: the deployment it is in"),
    ),
)
SETTING_VERSIONS = _versions(
    "setting",
    ("name",),
    (Column("name", "text", "Name of the setting"), Column("value", "text", "What it was set to")),
)

_SAID = {
    USER_VERSIONS: "Every state that every account was in.",
    TEAM_VERSIONS: "Every state that every team was in.",
    MEMBERSHIP_VERSIONS: "Who was in which team.",
    OWNER_VERSIONS: "Who owned which team: the reviewers of its members.",
    GRANT_VERSIONS: "Which role was held by whom and where.",
    PLACE_VERSIONS: "Deployments and code locations that roles are granted on.",
    SETTING_VERSIONS: "Settings of the organization.",
}
TABLES = tuple(_SAID)
"""All histories."""

_KIND = " One row from the event that made it so to the one that ended it (SCD type 2)."


@dg.multi_asset(
    specs=[table_spec(table, group="history", description=said + _KIND) for table, said in _SAID.items()],
    pool=POOL,
    op_tags=FIRST,
    retry_policy=AGAIN,
)
def history(warehouse: DuckDBResource) -> Iterator["dg.MaterializeResult[Any]"]:
    """Take in the new events, each once: what a run costs grows with what is new, not with the directory."""
    with warehouse.get_connection() as connection:
        taken = carry(connection)
        for table in _SAID:
            yield result(connection, table, order="from_seq DESC", events_taken_in=taken)


def carry(connection: duckdb.DuckDBPyConnection, block: int = BLOCK) -> int:
    """Take the new events into every history, a block at a time, and return how many these were."""
    return advance(connection, HISTORY, list(_SAID), lambda: _take_in(connection), block)


def _take_in(connection: duckdb.DuckDBPyConnection) -> None:
    for table in TABLES:
        connection.execute(table.script)
