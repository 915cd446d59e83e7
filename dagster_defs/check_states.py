"""How the asset checks of this code location stand."""

from collections.abc import Collection, Mapping

import dagster as dg
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

from dagster_defs.asset_checks import CHECKS
from dagster_defs.asset_checks.finding import ORGANIZATIONS
from dagster_defs.assets import marts
from dagster_defs.code_location import CodeLocation
from dagster_defs.lasting import EVERY, FailedCheck

KEYS = sorted(key for checks in (*CHECKS, marts.marts, marts.evidence_register) for key in checks.check_keys)
"""The checks of this project, whatever else is in the same code location."""


def failed(location: CodeLocation, before: Collection[tuple[str, str]]) -> list[FailedCheck]:
    """Return the checks that failed, one for each organization, in order.

    A check that is being evaluated again has failed for an organization if its path and that are among `before`.
    """
    found: list[FailedCheck] = []
    for key, record in location.latest_checks(KEYS).items():
        asset, name = key.asset_key.to_user_string(), key.name
        if record.status == AssetCheckExecutionRecordStatus.PLANNED:
            unsettled = sorted(org for path, org in before if path == f"{asset}/{name}")
            found += [FailedCheck(asset, name, dg.AssetCheckSeverity.ERROR.value, org) for org in unsettled]
        elif record.status == AssetCheckExecutionRecordStatus.FAILED:
            severity = record.evaluation.severity if record.evaluation else dg.AssetCheckSeverity.ERROR
            found += [FailedCheck(asset, name, severity.value, *one) for one in sorted(_organizations(record).items())]
    return found


def _organizations(record: AssetCheckExecutionRecord) -> Mapping[str, str]:
    """Return the organizations that a check failed for, each with what is wrong there."""
    told = record.evaluation.metadata.get(ORGANIZATIONS) if record.evaluation else None
    named = told.value if isinstance(told, dg.JsonMetadataValue) else None
    return {str(org): str(words) for org, words in named.items()} if isinstance(named, dict) and named else {EVERY: ""}
