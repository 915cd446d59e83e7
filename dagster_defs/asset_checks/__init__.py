"""Sentences that must hold of the assets; blocking where all that follows would be wrong."""

from dagster_defs.asset_checks import log, outcomes, snapshots

CHECKS = [*log.CHECKS, *snapshots.CHECKS, *outcomes.CHECKS]
"""All checks."""
