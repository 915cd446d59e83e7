"""Joiners, movers and leavers, and the accounts that have lost access."""

from datetime import datetime
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.events import ORGANIZATIONS, PROVISIONING_EVENTS
from dagster_defs.assets.history import (
    GRANT_VERSIONS,
    MEMBERSHIP_VERSIONS,
    PLACE_VERSIONS,
    SETTING_VERSIONS,
    TEAM_VERSIONS,
    USER_VERSIONS,
)
from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.incremental import BATCH, BLOCK, HISTORY, VARIABLES, advance
from dagster_defs.pictures import deprovisioning_latency, joiners_and_leavers
from dagster_defs.warehouse import ORGANIZATION, Table, sql
from scim_app.store.export.columns import Column

_PERSON = (
    Column("user_id", "text", "Id of the account"),
    Column("user_name", "text", "Name the account signs in with"),
    Column("display_name", "text", "Name shown to people"),
    Column("email", "text", "Primary e-mail address"),
    Column("department", "text", "Department"),
)
_WHO = (
    Column("actor", "text", "Who did it: a token's id"),
    Column("idp", "text", "Identity provider behind the token"),
)
_WHEN = (
    ORGANIZATION,
    Column("day", "date", "Day of the organization on which it happened"),
    Column("seq", "integer", "Number of the event that did it"),
    Column("event_id", "text", "Id of the event that did it"),
    Column("occurred_at", "instant", "When it happened (UTC)"),
)
_ASSERTED = Column(
    "asserted_at",
    "instant",
    "When the identity provider said so first (UTC): a request that was refused before; else empty",
)
_HISTORIES = (USER_VERSIONS, TEAM_VERSIONS, MEMBERSHIP_VERSIONS, GRANT_VERSIONS, PLACE_VERSIONS)

ACCESS_CHANGES = Table(
    "access_changes",
    (
        *_WHEN,
        Column("change", "text", "`joiner`, `mover`, `leaver` or `role_change`"),
        Column(
            "how",
            "text",
            "created, restored, reactivated; joined_team, left_team, changed_job; deactivated, deleted; "
            "granted_role, revoked_role",
        ),
        *_PERSON,
        Column("teams", "text", "Names of the person's teams; of a leaver those that were lost"),
        Column("detail", "text", "The team, the role, or what changed in the job"),
        *_WHO,
        Column("team_id", "text", "Team that was joined or left, or through which a role came"),
        Column("team_name", "text", "Its name"),
        Column("grant_id", "text", "Grant that was given or taken"),
        Column("role", "text", "Role that was given or taken"),
        Column("scope_kind", "text", "Where the role holds: `organization`, `deployment`, `code_location` …"),
        Column("scope_id", "text", "Id of the deployment or code location"),
        Column("before", "text", "What it was before, in words"),
        Column("after", "text", "What it is afterwards, in words"),
        _ASSERTED,
    ),
    script=sql("access_changes"),
    reads=(BATCH, VARIABLES, PROVISIONING_EVENTS, *_HISTORIES),
)
DEPROVISIONED_ACCOUNTS = Table(
    "deprovisioned_accounts",
    (
        *_WHEN,
        Column("how", "text", "`deactivated` or `deleted`"),
        *_PERSON,
        Column("teams", "text", "Names of the teams that were lost"),
        Column("grants", "text", "Roles that were lost, with their scopes"),
        Column("tokens", "text", "Keys of the account that were lost"),
        *_WHO,
        _ASSERTED,
        Column("received_at", "instant", "When the service received it (UTC)"),
        Column("access_ended_at", "instant", "When access ended (UTC): the transaction that recorded it"),
        Column("latency_seconds", "number", "Seconds from when the identity provider said so, else from receipt"),
        Column("within_sla", "boolean", "Whether that is within the organization's agreement"),
        Column("returned_at", "instant", "When the person came back (UTC); empty while gone"),
    ),
    script=sql("deprovisioned_accounts"),
    reads=(VARIABLES, ACCESS_CHANGES, PROVISIONING_EVENTS, ORGANIZATIONS, SETTING_VERSIONS, *_HISTORIES),
)


@table_asset(ACCESS_CHANGES, group="changes", urgent=True)
def access_changes(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Who joined, moved and left, in order, each with the event that shows it; only new events are read."""
    with warehouse.get_connection() as connection:
        taken = carry(connection)
        counted = dict(
            connection.execute("SELECT change, count(*) FROM identity.access_changes GROUP BY change").fetchall()
        )
        return result(
            connection,
            ACCESS_CHANGES,
            order="occurred_at DESC",
            events_taken_in=taken,
            counts=counted,
            chart=joiners_and_leavers(connection),
        )


@table_asset(DEPROVISIONED_ACCOUNTS, group="changes", urgent=True)
def deprovisioned_accounts(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Each loss of access: when it was said, received and done, what was lost, and whether the person came back."""
    with warehouse.get_connection() as connection:
        carry_gone(connection)
        gone = DEPROVISIONED_ACCOUNTS.count(connection, "WHERE returned_at IS NULL")
        return result(
            connection,
            DEPROVISIONED_ACCOUNTS,
            order="occurred_at DESC",
            still_gone=gone,
            chart=deprovisioning_latency(connection),
        )


def carry(connection: duckdb.DuckDBPyConnection, block: int = BLOCK) -> int:
    """Take the new events into the access changes and return how many these were."""
    return _carry(connection, ACCESS_CHANGES, block, HISTORY)


def carry_gone(connection: duckdb.DuckDBPyConnection, block: int = BLOCK) -> int:
    """Take the new events into the deprovisioned accounts and return how many these were."""
    return _carry(connection, DEPROVISIONED_ACCOUNTS, block, ACCESS_CHANGES.name)


def _carry(connection: duckdb.DuckDBPyConnection, table: Table, block: int, source: str) -> int:
    return advance(connection, table.name, [table], lambda: connection.execute(table.script), block, behind=[source])


def leavers_and_active(connection: duckdb.DuckDBPyConnection, now: datetime) -> list[dict[str, Any]]:
    """Return for each organization `org`, `gone` in the last hour, and `active` before that."""
    found = connection.execute(
        """
        SELECT known.org, coalesce(gone.gone, 0), coalesce(gone.gone, 0) + coalesce(active.active, 0)
        FROM identity.organizations AS known
        LEFT JOIN (
            SELECT org, count(*) AS gone FROM identity.deprovisioned_accounts
            WHERE occurred_at > $now::TIMESTAMP - INTERVAL 1 HOUR GROUP BY org
        ) AS gone ON gone.org = known.org
        LEFT JOIN (
            SELECT org, count(*) AS active FROM identity.user_versions
            WHERE until_seq IS NULL AND active GROUP BY org
        ) AS active ON active.org = known.org
        """,
        {"now": now},
    )
    return [dict(zip(("org", "gone", "active"), row, strict=True)) for row in found.fetchall()]
