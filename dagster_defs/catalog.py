"""The assets and checks of this project: what its jobs choose from, whatever else is in the same code location."""

import dagster as dg

from dagster_defs import asset_checks
from dagster_defs.assets import (
    access,
    alerts,
    changes,
    events,
    evidence,
    evidence_files,
    findings,
    history,
    marts,
    reports,
    review_packs,
    reviews,
    snapshots,
    sync_health,
)

ASSETS: list[dg.AssetsDefinition] = [
    events.provisioning_events,
    history.history,
    snapshots.snapshots,
    sync_health.sync_failures,
    sync_health.sync_health,
    changes.access_changes,
    changes.deprovisioned_accounts,
    access.tokens,
    access.orphaned_access,
    access.dormant_accounts,
    reviews.reviews,
    marts.marts,
    *evidence.EVIDENCE,
    evidence_files.evidence_files,
    marts.evidence_register,
    reports.compliance_report,
    review_packs.access_review_report,
    sync_health.idp_rhythm,
    findings.findings,
    alerts.alert_deliveries,
]
"""The assets that are made here."""


def every_asset() -> dg.AssetSelection:
    """Return the selection of the assets that are made here."""
    return dg.AssetSelection.assets(*ASSETS)


def checks_of(*assets: str) -> dg.AssetSelection:
    """Return the selection of the checks of this project on some assets."""
    on = {dg.AssetKey(asset) for asset in assets}
    chosen = [key for check in asset_checks.CHECKS for key in check.check_keys if key.asset_key in on]
    return dg.AssetSelection.checks(*chosen)
