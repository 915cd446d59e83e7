"""The commonest check: a query that must find nothing, and which organizations a failed check is about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import preview
from dagster_defs.warehouse import records

SHOWN = 100
ORGANIZATIONS = "organizations"
"""Entry of a failed check's metadata: the organizations that it is about, each with what is wrong there, in words."""


def nothing(
    warehouse: DuckDBResource,
    query: str,
    values: Sequence[object] = (),
    *,
    what: str,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """Return a check that passes when a query finds nothing, with the first rows that it found under `what`.

    Rows that have an organization, as `org` or `organization`, tell which ones it is about.
    """
    with warehouse.get_connection() as connection:
        found = records(connection.execute(query, list(values)))
    by_organization = Counter(org for row in found if (org := row.get("org") or row.get("organization")))
    return outcome(
        {org: f"{count} found" for org, count in sorted(by_organization.items())},
        {what: preview(found[:SHOWN]), "found": len(found)},
        passed=not found,
        severity=severity,
    )


def outcome(
    wrong: Mapping[str, str],
    metadata: Mapping[str, Any],
    *,
    passed: bool | None = None,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """Return what a check found wrong, by organization; without anything wrong it passes, unless `passed` says else."""
    named = "; ".join(f"{org}: {words}" for org, words in wrong.items())
    return dg.AssetCheckResult(
        passed=not wrong if passed is None else passed,
        severity=severity,
        description=named or ("Something found, see below" if passed is False else "Nothing found, as it should be"),
        metadata={**metadata, ORGANIZATIONS: dg.MetadataValue.json(dict(wrong))},
    )
