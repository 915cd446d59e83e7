"""Access that nobody answers for or nobody uses, and the tokens that provisioning goes by."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.assets.snapshots import EFFECTIVE_ACCESS, ROLE_GRANTS, TEAM_MEMBERS, TEAMS, USERS, cuts
from dagster_defs.assets.sources import DIRECTORY
from dagster_defs.incremental import COPY
from dagster_defs.partitions import DAYS, end_of
from dagster_defs.resources import ScimStore
from dagster_defs.warehouse import DAY, ORGANIZATION, SEQ, Table, kept, sql
from scim_app.settings import Settings
from scim_app.store.exported import ROLE_GRANT_COLUMNS, TOKEN_COLUMNS, Column

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
    sql("dormant_accounts", days=str(Settings().dormant_days)),
)
TOKENS = Table("tokens", (DAY, ORGANIZATION, SEQ, *TOKEN_COLUMNS))


@table_asset(
    ORPHANED_ACCESS,
    group="access",
    deps=[USERS.name, TEAMS.name, TEAM_MEMBERS.name, ROLE_GRANTS.name, "owner_versions"],
)
def orphaned_access(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Grants and memberships of accounts that are inactive or gone, grants on what is gone, teams that nobody owns."""
    with warehouse.get_connection() as connection:
        ORPHANED_ACCESS.make(connection)
        found = connection.execute("SELECT finding, count(*) FROM identity.orphaned_access GROUP BY finding").fetchall()
        return result(connection, ORPHANED_ACCESS, order="org, finding, team_name, user_name", findings=dict(found))


@table_asset(DORMANT_ACCOUNTS, group="access", deps=[USERS.name, EFFECTIVE_ACCESS.name, COPY])
def dormant_accounts(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Active accounts that neither signed in nor were changed for a long time (`DAGSTER_SCIM_DORMANT_DAYS`)."""
    with warehouse.get_connection() as connection:
        DORMANT_ACCOUNTS.make(connection)
        return result(connection, DORMANT_ACCOUNTS, order="idle_days DESC, org, user_name")


@table_asset(TOKENS, group="snapshots", deps=[DIRECTORY, COPY], partitions_def=DAYS)
def tokens(
    context: dg.AssetExecutionContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> "dg.MaterializeResult[Any]":
    """Every SCIM token, one row a day: who made it, until when it is valid, when it was last used."""
    days = [date.fromisoformat(key) for key in context.partition_keys]
    with scim.opened() as export, warehouse.get_connection() as connection:
        known = [(head, export.tokens(head.org_id)) for head in export.heads()]
        with kept(connection):
            for day in days:
                stood = cuts(connection, day)
                rows = [
                    {"day": day, "org": head.slug, "seq": stood[head.slug], **token}
                    for head, found in known
                    if head.slug in stood
                    for token in tokens_as_of(end_of(head, day), found)
                ]
                TOKENS.replace(connection, rows, day=day)
        return result(connection, TOKENS, where="day = ?", values=[days[-1]], order="org, created_at")


def tokens_as_of(end: str, tokens: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the tokens there were before an instant (ISO 8601, UTC), without what happened to them later."""
    later = ("revoked_at", "last_used_at")
    return [
        {**token, **{name: token[name] if (token[name] or end) < end else None for name in later}}
        for token in tokens
        if token["created_at"] < end
    ]
