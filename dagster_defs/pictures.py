"""What the charts on the assets' pages show, asked of the warehouse."""

from datetime import date

import dagster as dg
import duckdb

from dagster_defs import charts

WEEKS = 26
DAYS = 180

# Each account counts from the first cut after it came, to the first after it went: one pass, however many days.
ACCOUNTS_BY_DAY = """
    WITH cuts AS (SELECT org, seq, min(day) AS day FROM identity.snapshot_cuts GROUP BY org, seq),
    steps AS (
        SELECT org, from_seq AS seq, active, 1 AS step FROM identity.user_versions
        UNION ALL
        SELECT org, until_seq, active, -1 FROM identity.user_versions WHERE until_seq IS NOT NULL
    ),
    placed AS (
        SELECT cuts.day, sum(step) FILTER (active) AS active, sum(step) FILTER (NOT active) AS inactive
        FROM steps ASOF JOIN cuts ON cuts.org = steps.org AND cuts.seq >= steps.seq GROUP BY cuts.day
    ),
    days AS (SELECT DISTINCT day FROM identity.snapshot_cuts)
    SELECT day, sum(coalesce(active, 0)) OVER so_far, sum(coalesce(inactive, 0)) OVER so_far
    FROM days LEFT JOIN placed USING (day)
    WHERE day <= ?
    WINDOW so_far AS (ORDER BY day)
    ORDER BY day DESC LIMIT ?
"""
_WEEKS = """
    SELECT
        date_trunc('week', day)::DATE AS week,
        count(*) FILTER (change = 'joiner'), count(*) FILTER (change = 'leaver')
    FROM identity.access_changes
    WHERE day > (SELECT max(day) FROM identity.access_changes) - ? GROUP BY week ORDER BY week
"""
_LATENCY = """
    WITH steps AS (
        SELECT unnest(['≤ 1 s', '≤ 1 min', '≤ 5 min', '≤ 1 h', '≤ 24 h', 'longer']) AS step,
            unnest([1, 60, 300, 3600, 86400, 1e18]) AS until, unnest([-1e18, 1, 60, 300, 3600, 86400]) AS above
    )
    SELECT step, count(gone.seq) FROM steps LEFT JOIN identity.deprovisioned_accounts AS gone
        ON gone.latency_seconds > steps.above AND gone.latency_seconds <= steps.until
    GROUP BY step, until ORDER BY until
"""
_CAUSES = "SELECT cause, sum(failures)::BIGINT FROM identity.sync_health GROUP BY cause ORDER BY 2 DESC LIMIT 10"


def active_users(connection: duckdb.DuckDBPyConnection, last: date) -> dg.MetadataValue:
    """Return the chart of active and inactive accounts by day, of the days up to `last` that snapshots were made of."""
    found = connection.execute(ACCOUNTS_BY_DAY, [last, DAYS]).fetchall()[::-1]
    series = {"active": [row[1] for row in found], "inactive": [row[2] for row in found]}
    return dg.MetadataValue.md(charts.lines("Accounts by day", [_day(row[0]) for row in found], series))


def joiners_and_leavers(connection: duckdb.DuckDBPyConnection) -> dg.MetadataValue:
    """Return the chart of joiners and leavers by week, of half a year."""
    found = connection.execute(_WEEKS, [7 * WEEKS]).fetchall()
    series = {"joiners": [row[1] for row in found], "leavers": [row[2] for row in found]}
    return dg.MetadataValue.md(charts.bars("Joiners and leavers by week", [_day(row[0]) for row in found], series))


def deprovisioning_latency(connection: duckdb.DuckDBPyConnection) -> dg.MetadataValue:
    """Return the chart of how long after the identity provider's word access ended."""
    found = connection.execute(_LATENCY).fetchall()
    return dg.MetadataValue.md(_counted("Time until access ended", "leavers", found))


def failures_by_cause(connection: duckdb.DuckDBPyConnection) -> dg.MetadataValue:
    """Return the chart of refused writes by cause."""
    return dg.MetadataValue.md(_counted("Refused writes by cause", "refused", connection.execute(_CAUSES).fetchall()))


def _counted(title: str, name: str, found: list[tuple[str, float]]) -> str:
    return charts.bars(title, [label.replace("_", " ") for label, _ in found], {name: [value for _, value in found]})


def _day(day: date) -> str:
    return f"{day:%d %b}"
