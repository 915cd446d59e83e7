"""How the asset checks of this code location stand."""

from collections.abc import Collection
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from dagster_defs.asset_checks import CHECKS
from dagster_defs.assets import marts
from dagster_defs.code_location import CodeLocation

KEYS = sorted(key for checks in (*CHECKS, marts.marts, marts.evidence_register) for key in checks.check_keys)
"""The checks of this project, whatever else is in the same code location."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A check that failed at its last evaluation."""

    asset: str
    name: str
    severity: str
    """`ERROR` or `WARN`."""

    @property
    def path(self) -> str:
        """Asset and name."""
        return f"{self.asset}/{self.name}"


def failed(location: CodeLocation, before: Collection[str]) -> list[Failed]:
    """Return the checks that failed, in order; one that is being evaluated again has failed if it is among `before`."""
    found: list[Failed] = []
    for key, record in location.latest_checks(KEYS).items():
        running = record.status == AssetCheckExecutionRecordStatus.PLANNED
        severity = record.evaluation.severity if record.evaluation and not running else dg.AssetCheckSeverity.ERROR
        one = Failed(key.asset_key.to_user_string(), key.name, severity.value)
        if record.status == AssetCheckExecutionRecordStatus.FAILED or (running and one.path in before):
            found.append(one)
    return found
