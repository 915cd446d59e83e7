"""Access that nobody answers for or nobody uses, and the tokens that provisioning goes by."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.events import ORGANIZATIONS, PROVISIONING_EVENTS
from dagster_defs.assets.history import OWNER_VERSIONS, SETTING_VERSIONS
from dagster_defs.assets.materialized import result, result_of_days, table_asset
from dagster_defs.assets.snapshots import CUTS, ROLE_GRANTS, TEAM_MEMBERS, TEAMS, USERS, cuts, days_of_another_life
from dagster_defs.assets.sources import in_directory
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.resources import ScimStore
from dagster_defs.warehouse import DAY, ORGANIZATION, SEQ, Frame, Table, kept, records, sql
from scim_app.store.export import Export
from scim_app.store.export.columns import ROLE_GRANT_COLUMNS, TOKEN_COLUMNS, Column

_GRANT = tuple(
    column
    for column in ROLE_GRANT_COLUMNS
    if column.name in {"grant_id", "role", "scope_kind", "scope_id", "scope_name"}
)
ORPHANED_ACCESS = Table(
    "orphaned_access",
    (
        DAY,
        ORGANIZATION,
        SEQ,
        Column(
            "finding",
            "text",
            "`inactive_member`, `inactive_holder`, `scope_is_gone`, `team_without_members`, `team_without_owners`",
        ),
        Column("user_id", "text", "Account that it is about"),
        Column("user_name", "text", "Name the account signs in with"),
        Column("team_id", "text", "Team that it is about"),
        Column("team_name", "text", "Name of the team"),
        *_GRANT,
        Column("since", "instant", "Since when (UTC)"),
        Column("detail", "text", "What is wrong, in words"),
    ),
    sql("orphaned_access"),
    reads=(CUTS, USERS, TEAMS, TEAM_MEMBERS, ROLE_GRANTS, OWNER_VERSIONS),
)
DORMANT_ACCOUNTS = Table(
    "dormant_accounts",
    (
        DAY,
        ORGANIZATION,
        SEQ,
        Column("user_id", "text", "Id of an active account"),
        Column("user_name", "text", "Name the account signs in with"),
        Column("display_name", "text", "Name shown to people"),
        Column("email", "text", "Primary e-mail address"),
        Column("department", "text", "Department"),
        Column("created_at", "instant", "When it was provisioned (UTC)"),
        Column("last_sign_in_at", "instant", "When it last signed in here (UTC); empty when it never did"),
        Column("last_changed_at", "instant", "When the identity provider last changed it (UTC)"),
        Column("idle_days", "integer", "Days since the last of these"),
    ),
    sql("dormant_accounts"),
    reads=(CUTS, USERS, PROVISIONING_EVENTS, ORGANIZATIONS, SETTING_VERSIONS),
)
_OF_TOKENS = (
    PROVISIONING_EVENTS,
    Frame("tokens_now", {"org": in_directory("organizations")["slug"], **in_directory("tokens")}),
    Frame("days", {**CUTS.made_from, "running": ()}),
)
TOKENS = Table("tokens", (DAY, ORGANIZATION, SEQ, *TOKEN_COLUMNS), script=sql("tokens_at_cut"), reads=_OF_TOKENS)
_NOW = pa.schema([(column.name, pa.string()) for column in (ORGANIZATION, *TOKEN_COLUMNS)])
_DAYS = pa.schema([("day", pa.date32()), ("org", pa.string()), ("seq", pa.int64()), ("running", pa.bool_())])


@table_asset(ORPHANED_ACCESS, group="access")
def orphaned_access(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Grants and memberships of accounts that are inactive or gone, grants on what is gone, teams that nobody owns."""
    with warehouse.get_connection() as connection:
        ORPHANED_ACCESS.make(connection)
        found = connection.execute("SELECT finding, count(*) FROM identity.orphaned_access GROUP BY finding").fetchall()
        return result(connection, ORPHANED_ACCESS, order="org, finding, team_name, user_name", findings=dict(found))


@table_asset(DORMANT_ACCOUNTS, group="access")
def dormant_accounts(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Active accounts that neither signed in nor were changed for a long time (`dormant_days` of the organization)."""
    with warehouse.get_connection() as connection:
        DORMANT_ACCOUNTS.make(connection)
        return result(connection, DORMANT_ACCOUNTS, order="idle_days DESC, org, user_name")


@table_asset(TOKENS, group="snapshots", partitions_def=DAYS)
def tokens(
    context: dg.AssetExecutionContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> "dg.MaterializeResult[Any]":
    """Every SCIM token, one row a day: who made it, until when it is valid, when it was last used.

    Of a day that has ended the last use is the last write, which the log tells.
    """
    days = [date.fromisoformat(key) for key in context.partition_keys]
    with scim.opened() as export, warehouse.get_connection() as connection:
        with kept(connection):
            keep_tokens(connection, export, days)
        return result_of_days(context, connection, TOKENS, {day: {} for day in days}, order="org, created_at")


def keep_tokens(connection: duckdb.DuckDBPyConnection, export: Export, days: Sequence[date]) -> None:
    """Put the tokens there were at the end of each day in the place of what was known of these days."""
    running, days = last_day(DAYS), sorted({*days, *days_of_another_life(connection, TOKENS)})
    now = [{"org": head.slug, **token} for head in export.heads() for token in export.tokens(head.org_id)]
    asked = [
        {"day": day, "org": org, "seq": seq, "running": day >= running}
        for day in days
        for org, seq in cuts(connection, day).items()
    ]
    connection.register("tokens_now", pa.Table.from_pylist(now, _NOW))
    connection.register("days", pa.Table.from_pylist(asked, _DAYS))
    found = records(connection.execute(TOKENS.script))
    for name in ("tokens_now", "days"):
        connection.unregister(name)
    for day in days:
        TOKENS.replace(connection, [row for row in found if row["day"] == day], day=day)
