"""What users, teams and memberships were, and from which event to which: the history that every day is cut from."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import result, table_spec
from dagster_defs.incremental import COPY, advance, run_sql
from dagster_defs.warehouse import ORGANIZATION, POOL, Table
from scim_app.store.exported import TEAM_COLUMNS, TEAM_MEMBER_COLUMNS, USER_COLUMNS, Column

_HELD = (
    ORGANIZATION,
    Column("from_seq", "integer", "Event that made it so"),
    Column("until_seq", "integer", "Event that ended it; empty while it holds"),
)

USER_VERSIONS = Table("user_versions", (*_HELD, *USER_COLUMNS))
TEAM_VERSIONS = Table("team_versions", (*_HELD, *TEAM_COLUMNS))
MEMBERSHIP_VERSIONS = Table("membership_versions", (*_HELD, *(c for c in TEAM_MEMBER_COLUMNS if c.name != "pending")))

_SAID = {
    USER_VERSIONS: "Every state that every account was in, one row from one event to the next (SCD type 2).",
    TEAM_VERSIONS: "Every state that every team was in, one row from one event to the next (SCD type 2).",
    MEMBERSHIP_VERSIONS: "Who was in which team, one row from the event that began it to the one that ended it.",
}


@dg.multi_asset(
    specs=[table_spec(table, group="history", deps=[COPY], description=said) for table, said in _SAID.items()],
    pool=POOL,
)
def history(warehouse: DuckDBResource) -> Iterator["dg.MaterializeResult[Any]"]:
    """Take in the new events, each once: what a run costs grows with what is new, not with the directory."""
    with warehouse.get_connection() as connection:

        def take_in() -> None:
            run_sql(connection, "resource_versions", kind="user", columns=USER_VERSIONS.names)
            run_sql(connection, "resource_versions", kind="team", columns=TEAM_VERSIONS.names)
            run_sql(connection, "membership_versions")

        taken = advance(connection, "history", list(_SAID), take_in)
        for table in _SAID:
            yield result(connection, table, order="from_seq DESC", events_taken_in=taken)
