"""Sentences that must hold of the assets."""

from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs.resources import ScimStore


@dg.asset_check(asset="provisioning_events", additional_deps=["scim_directory"], blocking=True)
def every_change_has_an_event(scim: dg.ResourceParam[ScimStore]) -> dg.AssetCheckResult:
    """The live tables hold exactly what the event log explains: nothing was changed past the log."""
    with scim.opened() as export:
        found = {head.slug: ids for head in export.heads() if (ids := export.unexplained(head.org_id))}
    return dg.AssetCheckResult(passed=not found, metadata={"unexplained": found})


@dg.asset_check(asset="provisioning_events")
def event_log_chain_holds(scim: dg.ResourceParam[ScimStore]) -> dg.AssetCheckResult:
    """No event was changed, added or removed after it was written."""
    with scim.opened() as export:
        found = {head.slug: broken for head in export.heads() if (broken := export.first_break(head.org_id))}
    return dg.AssetCheckResult(passed=not found, metadata={"broken": found})


@dg.asset_check(asset="access_review_population")
def inactive_users_hold_no_access(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """No account that is inactive, deleted or unknown is among those that hold access."""
    query = """
        SELECT organization, user_name FROM reports.access_review_population AS held
        WHERE NOT EXISTS (
            SELECT 1 FROM identity.users
            WHERE users.active AND users.org = held.organization AND users.user_id = held.user_id
              AND users.day = held.as_of_day
        )
        ORDER BY organization, user_name
    """
    with warehouse.get_connection() as connection:
        found: list[Any] = [list(row) for row in connection.execute(query).fetchall()]
    return dg.AssetCheckResult(passed=not found, metadata={"accounts": found})


CHECKS = [every_change_has_an_event, event_log_chain_holds, inactive_users_hold_no_access]
"""All checks."""
