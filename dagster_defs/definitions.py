"""The code location: what `workspace.yaml` and `dg` load."""

import dagster as dg

from dagster_defs import asset_checks, jobs, run_sensors, schedules, sensors
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
    sources,
    sync_health,
)
from dagster_defs.resources import resources, run_locks
from dagster_defs.run_locks import in_one_process
from scim_app.settings import Settings

_SETTINGS = Settings()

defs = dg.Definitions(
    assets=[
        *sources.ASSETS,
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
    ],
    asset_checks=asset_checks.CHECKS,
    jobs=jobs.JOBS,
    sensors=[*sensors.SENSORS, *run_sensors.SENSORS],
    schedules=schedules.SCHEDULES,
    resources=resources(_SETTINGS),
    # One process for all steps: they are small, and each process of its own would cost seconds to start.
    executor=in_one_process(run_locks(_SETTINGS)),
)
