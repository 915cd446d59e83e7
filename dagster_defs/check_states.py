"""How the asset checks of this code location stand."""

from collections.abc import Collection
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus


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


def failed(instance: dg.DagsterInstance, before: Collection[str]) -> list[Failed]:
    """Return the checks that failed, in order; one that is being evaluated again has failed if it is among `before`."""
    found: list[Failed] = []
    for key in _keys():
        record = instance.get_latest_asset_check_evaluation_record(key)
        if record is None:
            continue
        running = record.status == AssetCheckExecutionRecordStatus.PLANNED
        severity = record.evaluation.severity if record.evaluation and not running else dg.AssetCheckSeverity.ERROR
        one = Failed(key.asset_key.to_user_string(), key.name, severity.value)
        if record.status == AssetCheckExecutionRecordStatus.FAILED or (running and one.path in before):
            found.append(one)
    return found


def _keys() -> list[dg.AssetCheckKey]:
    # The definitions hold the assets and sensors that ask, so they can be had only once all is loaded.
    from dagster_defs.definitions import defs

    return sorted(defs.resolve_asset_graph().asset_check_keys)
