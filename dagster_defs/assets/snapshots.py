"""Users, teams and memberships as of the end of each day: views that cut the history at one event."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import result, table_spec
from dagster_defs.incremental import COPY, marks
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.warehouse import DAY, ORGANIZATION, POOL, SEQ, Table, kept
from scim_app.store.exported import TEAM_COLUMNS, TEAM_MEMBER_COLUMNS, USER_COLUMNS

CUTS = Table("snapshot_cuts", (DAY, ORGANIZATION, SEQ))
"""The event at which each organization's day is cut: all snapshots of a day stand there."""

_AT_CUT = """
    FROM identity.snapshot_cuts AS cut INNER JOIN identity.{versions} AS held
    ON held.org = cut.org AND held.from_seq <= cut.seq AND (held.until_seq IS NULL OR held.until_seq > cut.seq)
"""


def _cut(versions: str) -> str:
    return "SELECT cut.day, cut.seq, held.*" + _AT_CUT.format(versions=versions)


USERS = Table("users", (DAY, ORGANIZATION, SEQ, *USER_COLUMNS), _cut("user_versions"))
TEAMS = Table("teams", (DAY, ORGANIZATION, SEQ, *TEAM_COLUMNS), _cut("team_versions"))
TEAM_MEMBERS = Table(
    "team_members",
    (DAY, ORGANIZATION, SEQ, *TEAM_MEMBER_COLUMNS),
    f"""
    SELECT held.*, known.user_id IS NULL AS pending
    FROM ({_cut("membership_versions")}) AS held
    LEFT JOIN identity.user_versions AS known
    ON known.org = held.org AND known.user_id = held.user_id
        AND known.from_seq <= held.seq AND (known.until_seq IS NULL OR known.until_seq > held.seq)
    """,  # noqa: S608
)

_SAID = {
    USERS: ("user_versions", "Every account of every organization, one row a day, active or not."),
    TEAMS: ("team_versions", "Every team, one row a day."),
    TEAM_MEMBERS: (
        "membership_versions",
        "Who was in which team, one row a day; members that aren't provisioned yet are pending.",
    ),
}


@dg.multi_asset(
    specs=[
        table_spec(table, group="snapshots", deps=[COPY, versions], description=said).merge_attributes(
            metadata={"partition_expr": "day"}
        )
        for table, (versions, said) in _SAID.items()
    ],
    partitions_def=DAYS,
    pool=POOL,
)
def snapshots(
    context: dg.AssetExecutionContext, warehouse: DuckDBResource
) -> Iterator["dg.MaterializeResult[Any]"]:
    """Cut each organization's history at the end of the day; all tables of a day stand at the same event."""
    day = date.fromisoformat(context.partition_key)
    with warehouse.get_connection() as connection:
        for table in (CUTS, *_SAID):
            table.make(connection)
        stood = cuts(connection, day)
        rows = [{"day": day, "org": org, "seq": seq} for org, seq in stood.items()]
        with kept(connection):
            CUTS.replace(connection, rows, day=day)
        for table in _SAID:
            yield result(connection, table, where="day = ?", values=[day], order="ALL", at_event=stood)


def cuts(connection: duckdb.DuckDBPyConnection, day: date) -> dict[str, int]:
    """Return the last event of each organization's day, by slug; of the running day the last there is."""
    copied = {org: mark.seq for org, mark in marks(connection).items()}
    if day >= last_day(DAYS):
        return copied
    found = connection.execute(
        "SELECT org, max(seq) FROM identity.provisioning_events WHERE day <= ? GROUP BY org ORDER BY org", [day]
    )
    return dict(found.fetchall())
