"""Of the snapshots: they are the store, names are unique, no day is missing."""

from datetime import date, timedelta

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs.asset_checks.finding import nothing
from dagster_defs.documents import folded
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.warehouse import POOL

DAYS_KEPT = 90


@dg.asset_check(asset="users", additional_deps=["teams", "team_members"], pool=POOL)
def snapshot_counts_equal_the_store(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """At the event at which the log was copied, the history has as many users, teams and memberships as the store."""
    query = """
        WITH histories AS (
            SELECT 'users' AS what, org, from_seq, until_seq FROM identity.user_versions
            UNION ALL SELECT 'teams', org, from_seq, until_seq FROM identity.team_versions
            UNION ALL SELECT 'team_members', org, from_seq, until_seq FROM identity.membership_versions
        ),
        told AS (
            SELECT known.org, histories.what, count(*) AS rows
            FROM identity.organizations AS known INNER JOIN histories
                ON histories.org = known.org AND histories.from_seq <= known.seq
                AND (histories.until_seq IS NULL OR histories.until_seq > known.seq)
            GROUP BY known.org, histories.what
        ),
        live AS (
            SELECT org, seq, unnest(['users', 'teams', 'team_members']) AS what,
                unnest([users, teams, team_members]) AS rows
            FROM identity.organizations
        )
        SELECT live.org, live.seq, live.what, live.rows AS in_the_store, coalesce(told.rows, 0) AS in_the_snapshot
        FROM live LEFT JOIN told ON told.org = live.org AND told.what = live.what
        WHERE live.rows <> coalesce(told.rows, 0) ORDER BY live.org, live.what
    """
    return nothing(warehouse, query, what="differing")


@dg.asset_check(asset="users", pool=POOL)
def user_names_are_unique(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """No two accounts of an organization have the same name, whatever the case of its letters."""
    query = f"""
        SELECT org, {folded("user_name")} AS name, count(*) AS accounts FROM identity.user_versions
        WHERE until_seq IS NULL GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL
    """  # noqa: S608
    return nothing(warehouse, query, what="names")


@dg.asset_check(asset="users", pool=POOL)
def no_day_is_missing(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """Of the last 90 days, each that has ended has its snapshot."""
    newest = last_day(DAYS) - timedelta(days=1)
    wanted = [
        key
        for key in DAYS.get_partition_keys()
        if newest - timedelta(days=DAYS_KEPT) < date.fromisoformat(key) < newest
    ]
    query = """
        SELECT known.org, day.key FROM (SELECT unnest(?::DATE[]) AS key) AS day
        CROSS JOIN (SELECT org, min(day) AS first FROM identity.provisioning_events GROUP BY org) AS known
        ANTI JOIN identity.snapshot_cuts AS cut ON cut.org = known.org AND cut.day = day.key
        WHERE day.key >= known.first ORDER BY known.org, day.key
    """
    return nothing(warehouse, query, [wanted], what="days", severity=dg.AssetCheckSeverity.WARN)


CHECKS = [snapshot_counts_equal_the_store, user_names_are_unique, no_day_is_missing]
"""Checks of the snapshots."""
