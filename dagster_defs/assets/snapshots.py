"""Users, teams, memberships, grants and access as of the end of each day: views that cut the history at one event."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.history import (
    GRANT_VERSIONS,
    MEMBERSHIP_VERSIONS,
    PLACE_VERSIONS,
    SETTING_VERSIONS,
    TEAM_VERSIONS,
    USER_VERSIONS,
)
from dagster_defs.assets.materialized import AGAIN, result_of_days, table_spec
from dagster_defs.incremental import COPY, marks, save
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.pictures import active_users
from dagster_defs.warehouse import DAY, ORGANIZATION, POOL, SEQ, Table, kept, sql
from scim_app.store.export.columns import (
    EFFECTIVE_ACCESS_COLUMNS,
    PRIVILEGED_ROLES,
    ROLE_GRANT_COLUMNS,
    ROLES,
    TEAM_COLUMNS,
    TEAM_MEMBER_COLUMNS,
    USER_COLUMNS,
    Column,
)

CUTS = Table(
    "snapshot_cuts",
    (DAY, ORGANIZATION, SEQ),
    made_from={"day": (), "org": (f"{COPY}.org",), "seq": (f"{COPY}.seq",)},
    is_asset=False,
)
"""The event at which each organization's day is cut: all snapshots of a day stand there."""

PLACES = Table(
    "places",
    (
        DAY,
        ORGANIZATION,
        Column("scope_kind", "text", "Kind of the scope"),
        Column("scope_id", "text", "Id of the deployment or code location"),
        Column("scope_name", "text", "What people call it"),
        Column("wider", "text", "Wider scopes whose roles hold here"),
    ),
    sql("places"),
    reads=(CUTS, PLACE_VERSIONS),
    is_asset=False,
)
"""The scopes of each day; what names the scopes of the snapshots."""


def _snapshot(name: str, columns: tuple[Column, ...], view: str, *reads: Table) -> Table:
    return Table(name, (DAY, ORGANIZATION, SEQ, *columns), view, reads=(CUTS, *reads))


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


USERS = _snapshot("users", USER_COLUMNS, sql("at_cut", versions="user_versions"), USER_VERSIONS)
TEAMS = _snapshot("teams", TEAM_COLUMNS, sql("at_cut", versions="team_versions"), TEAM_VERSIONS)
TEAM_MEMBERS = _snapshot("team_members", TEAM_MEMBER_COLUMNS, sql("team_members"), MEMBERSHIP_VERSIONS, USER_VERSIONS)
ROLE_GRANTS = _snapshot(
    "role_grants", ROLE_GRANT_COLUMNS, sql("role_grants"), GRANT_VERSIONS, USER_VERSIONS, TEAM_VERSIONS, PLACES
)
EFFECTIVE_ACCESS = _snapshot(
    "effective_access",
    EFFECTIVE_ACCESS_COLUMNS,
    sql("effective_access", roles=_quoted(ROLES), privileged_roles=_quoted(PRIVILEGED_ROLES)),
    *(USERS, ROLE_GRANTS, MEMBERSHIP_VERSIONS, SETTING_VERSIONS, PLACES),
)

_SAID = {
    USERS: "Every account of every organization, one row a day, active or not.",
    TEAMS: "Every team, one row a day.",
    TEAM_MEMBERS: "Who was in which team, one row a day; members that aren't provisioned yet are pending.",
    ROLE_GRANTS: "Which roles users and teams held and where, one row a day.",
    EFFECTIVE_ACCESS: (
        "What every active account may do and where, one row a day for each scope in which it has more than in "
        "the wider ones, with the source that gives it: the most permissive of the default role, own grants and "
        "teams' grants."
    ),
}
TABLES = tuple(_SAID)
"""All snapshots; a day of each stands at the same event."""
_SPECS = [table_spec(table, group="snapshots", description=said) for table, said in _SAID.items()]

_ORDERS = {USERS: "org, user_name", TEAMS: "org, display_name", TEAM_MEMBERS: "since DESC", ROLE_GRANTS: "granted_at"}


@dg.multi_asset(
    specs=[spec.merge_attributes(metadata={"partition_expr": "day"}) for spec in _SPECS],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,
    pool=POOL,
    retry_policy=AGAIN,
)
def snapshots(context: dg.AssetExecutionContext, warehouse: DuckDBResource) -> Iterator["dg.MaterializeResult[Any]"]:
    """Cut each organization's history at the end of each day; all tables of a day stand at the same event."""
    days = [date.fromisoformat(key) for key in context.partition_keys]
    selected = {key.path[-1] for key in context.selected_asset_keys}
    with warehouse.get_connection() as connection:
        make_views(connection)
        told = {day: {"at_event": stood} for day, stood in cut(connection, days).items()}
        for table in TABLES:
            if table.name in selected:
                # A chart of the days up to the last one: one is enough, and the asset's page shows the last day.
                chart = {days[-1]: {"chart": active_users(connection, days[-1])}} if table is USERS else {}
                of_days = {day: {**told[day], **chart.get(day, {})} for day in days}
                yield result_of_days(context, connection, table, of_days, order=_ORDERS.get(table, "org, user_name"))


def make_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Declare the views over the history, in the order in which they build on each other."""
    for table in (CUTS, USERS, TEAMS, TEAM_MEMBERS, PLACES, ROLE_GRANTS, EFFECTIVE_ACCESS):
        table.make(connection)


def cut(connection: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[date, dict[str, int]]:
    """Cut the history at the end of each day, and return where each of them stands, by slug."""
    stood: dict[date, dict[str, int]] = {}
    with kept(connection):
        CUTS.make(connection)
        # A clock that was ahead leaves a day that has not come, and the newest day is what much is told of.
        connection.execute(f"DELETE FROM {CUTS.address} WHERE day > ?", [last_day(DAYS)])  # noqa: S608
        for day in [*days_of_another_life(connection, CUTS), *days]:
            stood[day] = cuts(connection, day)
            CUTS.replace(connection, [{"day": day, "org": org, "seq": seq} for org, seq in stood[day].items()], day=day)
    return stood


def days_of_another_life(connection: duckdb.DuckDBPyConnection, table: Table) -> list[date]:
    """Return all days that a table has, once after a log began another life: they tell of events that are no more."""
    table.make(connection)
    before, now = marks(connection, table.name), marks(connection)
    changed = [mark for org, mark in now.items() if org not in before or before[org].log_epoch != mark.log_epoch]
    for mark in changed:
        save(connection, table.name, mark)
    if not any(mark.org in before for mark in changed):
        return []
    return [row[0] for row in connection.execute(f"SELECT DISTINCT day FROM {table.address}").fetchall()]  # noqa: S608


def cuts(connection: duckdb.DuckDBPyConnection, day: date) -> dict[str, int]:
    """Return the last event of each organization's day, by slug; of the running day the last there is."""
    if day >= last_day(DAYS):
        return {org: mark.seq for org, mark in marks(connection).items()}
    found = connection.execute(
        "SELECT org, max(seq) FROM identity.provisioning_events WHERE day <= ? GROUP BY org ORDER BY org", [day]
    )
    return dict(found.fetchall())
