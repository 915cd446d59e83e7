"""Users, teams and memberships as of the end of each day, from the event log alone."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import result, table_metadata
from dagster_defs.assets.sources import EVENT_LOG, OWNERS
from dagster_defs.partitions import DAYS, cut, last_day
from dagster_defs.resources import ScimStore
from dagster_defs.warehouse import DAY, ORGANIZATION, POOL, SEQ, Table, transaction
from scim_app.store.exported import TEAM_COLUMNS, TEAM_MEMBER_COLUMNS, USER_COLUMNS

USERS = Table("users", (DAY, ORGANIZATION, SEQ, *USER_COLUMNS))
TEAMS = Table("teams", (DAY, ORGANIZATION, SEQ, *TEAM_COLUMNS))
TEAM_MEMBERS = Table("team_members", (DAY, ORGANIZATION, SEQ, *TEAM_MEMBER_COLUMNS))

_SAID = {
    USERS: "Every account of every organization, one row a day, active or not.",
    TEAMS: "Every team, one row a day.",
    TEAM_MEMBERS: "Who was in which team, one row a day; members that aren't provisioned yet are pending.",
}


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table.name,
            deps=[EVENT_LOG, "provisioning_events"],
            group_name="snapshots",
            owners=OWNERS,
            kinds={"python", "duckdb"},
            description=said,
            metadata={**table_metadata(table), "partition_expr": "day"},
        )
        for table, said in _SAID.items()
    ],
    partitions_def=DAYS,
    pool=POOL,
)
def snapshots(
    context: dg.AssetExecutionContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> Iterator["dg.MaterializeResult[Any]"]:
    """Replay each organization's log to the end of the day; all three tables stand at the same event."""
    day = date.fromisoformat(context.partition_key)
    rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in _SAID}
    stood: dict[str, int] = {}
    with scim.opened() as export:
        for head in export.heads():
            stood[head.slug] = seq = cut(export, head, day, last_day(DAYS))
            snapshot = export.snapshot(head.org_id, seq)
            common = {"day": day, "org": head.slug, "seq": seq}
            for table in _SAID:
                rows[table] += [{**common, **row} for row in getattr(snapshot, table.name)]
    with transaction(warehouse) as connection:
        for table, found in rows.items():
            table.replace(connection, found, day=day)
    for table, found in rows.items():
        yield result(table, found, at_event=stood, **{"dagster/partition_row_count": len(found)})
