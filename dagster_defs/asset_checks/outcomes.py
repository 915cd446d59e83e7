"""Of outcomes: leavers lose access in time and not too many at once, nobody inactive has access, alerts arrive."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs import lasting
from dagster_defs.asset_checks.finding import nothing, outcome
from dagster_defs.assets.changes import leavers_and_active
from dagster_defs.warehouse import POOL
from scim_app.settings import Settings

_WARN = dg.AssetCheckSeverity.WARN


@dg.asset_check(asset="effective_access", additional_deps=["users"], pool=POOL)
def inactive_users_have_no_access(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """Nobody who is inactive or gone has effective access on the newest day."""
    query = """
        WITH cut AS (SELECT org, max(day) AS day FROM identity.snapshot_cuts GROUP BY org)
        SELECT held.org, held.user_name, held.role, held.scope_name
        FROM identity.effective_access AS held INNER JOIN cut ON cut.org = held.org AND cut.day = held.day
        ANTI JOIN identity.user_versions AS person
            ON person.org = held.org AND person.user_id = held.user_id AND person.until_seq IS NULL AND person.active
        ORDER BY ALL
    """
    return nothing(warehouse, query, what="access")


@dg.asset_check(asset="access_review_population", pool=POOL)
def inactive_users_hold_no_access(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """No account that is inactive, deleted or unknown is among those that a reviewer is asked about."""
    query = """
        SELECT organization, user_name FROM reports.access_review_population AS held
        WHERE NOT EXISTS (
            SELECT 1 FROM identity.users
            WHERE users.active AND users.org = held.organization AND users.user_id = held.user_id
              AND users.day = held.as_of_day
        )
        ORDER BY organization, user_name
    """
    return nothing(warehouse, query, what="accounts")


@dg.asset_check(asset="deprovisioned_accounts", pool=POOL)
def leavers_lose_access_within_the_agreement(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """Every leaver of the last 90 days lost access within the organization's deprovisioning agreement."""
    query = """
        SELECT org, user_name, asserted_at, access_ended_at, latency_seconds FROM identity.deprovisioned_accounts
        WHERE NOT within_sla AND access_ended_at > ? ORDER BY org, seq
    """
    return nothing(warehouse, query, [_ago(days=90)], what="late", severity=_WARN)


@dg.asset_check(asset="deprovisioned_accounts", pool=POOL)
def deactivation_rate_is_normal(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """No organization loses abnormally many of its active accounts within an hour."""
    settings, now = Settings(), datetime.now(UTC).replace(tzinfo=None)
    percent, least = settings.mass_deprovision_percent, settings.mass_deprovision_least
    with warehouse.get_connection() as connection:
        counts = leavers_and_active(connection, now)
    found = [one for one in counts if lasting.is_abnormal(one["gone"], one["active"], percent=percent, least=least)]
    wrong = {one["org"]: f"{one['gone']} of {one['active']} people" for one in found}
    return outcome(wrong, {"abnormal": found, "percent": percent, "least": least})


@dg.asset_check(asset="alert_deliveries", pool=POOL)
def alerts_are_delivered(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """No alert of the last seven days was given up, and none of them waits for more than an hour."""
    query = """
        SELECT channel, status, error, count(*) AS alerts FROM identity.alert_deliveries
        WHERE first_at > ? AND (status = 'given_up' OR (status = 'waiting' AND next_at - first_at > INTERVAL 1 HOUR))
        GROUP BY ALL ORDER BY ALL
    """
    return nothing(warehouse, query, [_ago(days=7)], what="undelivered", severity=_WARN)


def _ago(*, days: int) -> datetime:
    return datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)


CHECKS = [
    inactive_users_have_no_access,
    inactive_users_hold_no_access,
    leavers_lose_access_within_the_agreement,
    deactivation_rate_is_normal,
    alerts_are_delivered,
]
"""Checks of outcomes."""
