"""What is run together."""

import dagster as dg

from dagster_defs.cadence import CADENCE
from dagster_defs.catalog import checks_of, every_asset

_FIRST = {"dagster/priority": "5"}
"""Of runs that wait for the warehouse, those that end in an alert go first."""


def _every(cadence: str) -> dg.AssetSelection:
    return every_asset() & dg.AssetSelection.tag(CADENCE, cadence)


_REGISTER = dg.AssetSelection.assets("evidence_files", "stg_scim__evidence_files", "evidence_manifest")
"""The register of evidence: told anew with each pack."""
_SCHEDULED = _every("daily") | _every("weekly") | _every("monthly") | _every("quarterly") | _REGISTER
_REPORTS = (every_asset() & dg.AssetSelection.groups("reports", "evidence")) - _SCHEDULED
_SNAPSHOTS = dg.AssetSelection.assets("users", "teams", "team_members", "role_grants", "effective_access", "tokens")

provisioning = dg.define_asset_job(
    "provisioning",
    selection=every_asset() - _SCHEDULED - _REPORTS,
    tags=_FIRST,
    description="Copies new events, renews the day's snapshots, finds changes, sends alerts.",
)
reporting = dg.define_asset_job(
    "reporting",
    selection=_REPORTS,
    description="Builds the marts and the packs of closed access reviews, once the directory has come to rest.",
)
end_of_day = dg.define_asset_job(
    "end_of_day",
    selection=_SNAPSHOTS,
    description="Fixes the snapshots of days that have ended, however many there are, in one run.",
)
alerts = dg.define_asset_job(
    "alerts",
    selection=dg.AssetSelection.assets("findings", "alert_deliveries"),
    tags=_FIRST,
    description="Looks for what lasts (silence, tokens that end, failed checks) and sends what is due.",
)
proof = dg.define_asset_job(
    "proof",
    selection=checks_of("provisioning_events", "users"),
    tags={"scim/proof": "whole"},
    description="Compares the whole store with its log, and the whole log with its hashes.",
)
daily_compliance = dg.define_asset_job(
    "daily_compliance",
    selection=_every("daily") | _REGISTER,
    description="The compliance report: how things stand.",
)
weekly_operations = dg.define_asset_job(
    "weekly_operations",
    selection=_every("weekly") | _REGISTER,
    description="The weekly operations report: sync health, leavers, tokens.",
)
monthly_joiner_mover_leaver = dg.define_asset_job(
    "monthly_joiner_mover_leaver",
    selection=_every("monthly") | _REGISTER,
    description="The monthly report on joiners, movers and leavers.",
)
quarterly_access_review = dg.define_asset_job(
    "quarterly_access_review",
    selection=_every("quarterly") | _REGISTER,
    description="The population and the pack of the quarterly access review.",
)

JOBS = [
    *(provisioning, reporting, end_of_day, alerts, proof),
    *(daily_compliance, weekly_operations, monthly_joiner_mover_leaver, quarterly_access_review),
]
"""All jobs."""
