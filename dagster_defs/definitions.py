"""The code location: what `workspace.yaml` and `dg` load."""

import dagster as dg

from dagster_defs import asset_checks, catalog, jobs, run_sensors, schedules, sensors
from dagster_defs.assets import sources
from dagster_defs.resources import resources, run_locks
from dagster_defs.run_locks import in_one_process
from scim_app.settings import Settings

_SETTINGS = Settings()

defs = dg.Definitions(
    assets=[*sources.ASSETS, *catalog.ASSETS],
    asset_checks=asset_checks.CHECKS,
    jobs=jobs.JOBS,
    sensors=[*sensors.SENSORS, *run_sensors.SENSORS],
    schedules=schedules.SCHEDULES,
    resources=resources(_SETTINGS),
    # One process for all steps: they are small, and each process of its own would cost seconds to start.
    executor=in_one_process(run_locks(_SETTINGS)),
)
