"""The commonest check: a query that must find nothing."""

from collections.abc import Sequence

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import preview
from dagster_defs.warehouse import records

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
        found = records(connection.execute(query, list(values)))
    return dg.AssetCheckResult(
        passed=not found,
        severity=severity,
        description=f"{len(found)} found" if found else "Nothing found, as it should be",
        metadata={what: preview(found[:SHOWN]), "found": len(found)},
    )
