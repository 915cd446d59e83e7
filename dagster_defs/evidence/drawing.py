"""Which numbers the charts of a report show, read from the warehouse."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import duckdb

from dagster_defs.evidence.charts import BAD, GOOD, SOFT, Chart, Series, columns

_WRITES = """
    SELECT day, accepted_writes, refused_writes FROM {schema}.sync_health_daily
    WHERE organization = $org AND day >= $first AND day < $after ORDER BY day
"""
_COMINGS = """
    SELECT strftime(moment, '%Y-%m') AS month, count(*) FILTER (came), count(*) FILTER (NOT came) FROM (
        SELECT joined_at AS moment, true AS came FROM {schema}.joiners WHERE organization = $org
        UNION ALL SELECT left_at, false FROM {schema}.leavers WHERE organization = $org
    ) WHERE moment < $until AND moment >= $until - INTERVAL 1 YEAR GROUP BY month ORDER BY month
"""
_LATENCY = """
    SELECT bucket, count(*) FILTER (is_within_sla), count(*) FILTER (NOT is_within_sla) FROM (
        SELECT is_within_sla, CASE
            WHEN latency_seconds <= 60 THEN 0 WHEN latency_seconds <= 3600 THEN 1 WHEN latency_seconds <= 14400 THEN 2
            WHEN latency_seconds <= 86400 THEN 3 WHEN latency_seconds <= 259200 THEN 4 ELSE 5 END AS bucket
        FROM {schema}.leavers WHERE organization = $org AND left_at >= $since AND left_at < $until
    ) GROUP BY bucket
"""
_BUCKETS = ("≤ 1 minute", "≤ 1 hour", "≤ 4 hours", "≤ 1 day", "≤ 3 days", "longer")
_CONTROLS = """
    SELECT framework, count(*) FILTER (result = 'pass'), count(*) FILTER (result = 'fail'),
        count(*) FILTER (result = 'no occurrence')
    FROM {schema}.control_matrix WHERE organization = $org GROUP BY framework ORDER BY framework
"""

_DECISIONS = """
    SELECT
        reviewer_name, count(*) FILTER (decision = 'keep'), count(*) FILTER (decision = 'revoke'),
        count(*) FILTER (decision = 'not_reviewed')
    FROM {schema}.access_review_decisions WHERE organization = $org AND campaign_id = $campaign
    GROUP BY reviewer_name ORDER BY count(*) DESC, reviewer_name LIMIT 8
"""


def draw(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    *,
    schema: str,
    org: str,
    days: tuple[date, date],
    instants: tuple[datetime, datetime],
    values: Mapping[str, object],
) -> Chart:
    """Return one of the charts: `writes`, `comings`, `latency`, `controls` or `decisions`.

    Args:
        connection: an open connection to the warehouse.
        name: which chart.
        schema: schema of the marts.
        org: slug of the organization.
        days: first day of the period, and the day after its last.
        instants: the same as instants (UTC).
        values: what else the chart is of, such as `campaign`.
    """
    text, make = _CHARTS[name]
    bounds = {"first": days[0], "after": days[1], "since": instants[0], "until": instants[1]}
    known: dict[str, object] = {**values, **bounds, "org": org}
    query = text.format(schema=schema)
    used = {key: value for key, value in known.items() if f"${key}" in query}
    return make(connection.execute(query, used).fetchall())


def _writes(rows: list[Any]) -> Chart:
    return columns("Writes of the identity provider by day", [f"{row[0]:%d %b}" for row in rows], _pair(rows, _WROTE))


def _comings(rows: list[Any]) -> Chart:
    return columns("Joiners and leavers by month, the last year", [row[0] for row in rows], _pair(rows, _CAME))


def _latency(rows: list[Any]) -> Chart:
    found = {row[0]: row for row in rows}
    whole = [found.get(bucket, (bucket, 0, 0)) for bucket in range(len(_BUCKETS))]
    return columns("Leavers by the time from asked to ended", _BUCKETS, _pair(whole, _ENDED))


def _controls(rows: list[Any]) -> Chart:
    return columns("Control tests by framework", [row[0] for row in rows], _pair(rows, _TESTED))


def _decisions(rows: list[Any]) -> Chart:
    names = [str(row[0]).split("@")[0] for row in rows]
    labels = [name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…" for name in names]
    return columns("Decisions by reviewer, those with the most", labels, _pair(rows, _DECIDED))


_LABEL = 15
_DECIDED = (("kept", GOOD), ("revoked", BAD), ("not decided", SOFT))
_WROTE = (("accepted", GOOD), ("refused", BAD))
_CAME = (("joiners", GOOD), ("leavers", SOFT))
_ENDED = (("in time", GOOD), ("too late", BAD))
_TESTED = (("pass", GOOD), ("fail", BAD), ("no occurrence", SOFT))


def _pair(rows: list[Any], words: tuple[tuple[str, str], ...]) -> list[Series]:
    return [Series(name, color, [row[place] for row in rows]) for place, (name, color) in enumerate(words, 1)]


_CHARTS: dict[str, tuple[str, Callable[[list[Any]], Chart]]] = {
    "writes": (_WRITES, _writes),
    "comings": (_COMINGS, _comings),
    "latency": (_LATENCY, _latency),
    "controls": (_CONTROLS, _controls),
    "decisions": (_DECISIONS, _decisions),
}
