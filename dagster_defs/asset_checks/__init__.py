"""Sentences that must hold of the assets. None blocks what follows: it would stop the organizations where they hold."""

from dagster_defs.asset_checks import log, outcomes, snapshots

CHECKS = [*log.CHECKS, *snapshots.CHECKS, *outcomes.CHECKS]
"""All checks."""
