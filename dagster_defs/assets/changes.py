"""Joiners, movers and leavers, and the accounts that have lost access."""

import json
from itertools import groupby
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs import diffing
from dagster_defs.assets.events import PROVISIONING_EVENTS
from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.warehouse import ORGANIZATION, Table, transaction
from scim_app.store.exported import Column

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

ACCESS_CHANGES = Table(
    "access_changes",
    (
        *_WHEN,
        Column("change", "text", "`joiner`, `mover` or `leaver`"),
        Column("how", "text", "created, reactivated; joined_team, left_team, changed_job; deactivated, deleted"),
        *_PERSON,
        Column("teams", "text", "Names of the person's teams; of a leaver those that were lost"),
        Column("detail", "text", "The team, or what changed in the job"),
        *_WHO,
    ),
)
DEPROVISIONED_ACCOUNTS = Table(
    "deprovisioned_accounts",
    (
        *_WHEN,
        Column("how", "text", "`deactivated` or `deleted`"),
        *_PERSON,
        Column("teams", "text", "Names of the teams that were lost"),
        *_WHO,
    ),
)


@table_asset(ACCESS_CHANGES, group="changes", deps=[PROVISIONING_EVENTS.name])
def access_changes(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Who joined, moved and left, in order, each with the event that shows it."""
    with transaction(warehouse) as connection:
        events = PROVISIONING_EVENTS.rows(connection, "WHERE subject_kind IN ('user', 'team') ORDER BY org, seq")
        rows = [row for org, log in groupby(events, key=lambda event: event["org"]) for row in _changes(org, list(log))]
        ACCESS_CHANGES.replace(connection, rows)
    counts = {kind: sum(row["change"] == kind for row in rows) for kind in ("joiner", "mover", "leaver")}
    return result(ACCESS_CHANGES, rows[::-1], total=len(rows), **counts)


def _changes(org: str, log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    days = {event["seq"]: event["day"] for event in log}
    for event in log:
        event["change"] = json.loads(event["change"] or "null")
        event["document"] = json.loads(event["document"] or "null")
    return [{"org": org, "day": days[change["seq"]], **change} for change in diffing.access_changes(log)]


@table_asset(DEPROVISIONED_ACCOUNTS, group="changes", deps=[ACCESS_CHANGES.name])
def deprovisioned_accounts(warehouse: DuckDBResource) -> "dg.MaterializeResult[Any]":
    """Accounts that lost access and have not come back, each with the teams it lost."""
    with transaction(warehouse) as connection:
        changes = ACCESS_CHANGES.rows(connection, "ORDER BY org, seq")
        gone = [row for _, log in groupby(changes, lambda row: row["org"]) for row in diffing.deprovisioned(log)]
        DEPROVISIONED_ACCOUNTS.replace(connection, gone)
    return result(DEPROVISIONED_ACCOUNTS, gone[::-1], total=len(gone))
