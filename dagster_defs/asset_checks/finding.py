"""The commonest check: a query that must find nothing."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

SHOWN = 100


def nothing(
    warehouse: DuckDBResource,
    query: str,
    values: Sequence[object] = (),
    *,
    what: str,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """Return a check that passes when a query finds nothing, with the first rows that it found under `what`."""
    with warehouse.get_connection() as connection:
        found: list[Any] = [[str(value) for value in row] for row in connection.execute(query, list(values)).fetchall()]
    return dg.AssetCheckResult(passed=not found, severity=severity, metadata={what: found[:SHOWN], "found": len(found)})
