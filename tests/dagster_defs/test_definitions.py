"""The graph as it is meant to be: what is there, what hangs on what, and that all of it is on by default."""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_defs.definitions import defs

GRAPH = Path(__file__).with_name("graph.json")
OURS = {"sources", "changes", "history", "snapshots", "access", "sync_health", "alerts"}
"""Groups whose assets are declared in Python; those of dbt are as its project has them."""


def graph() -> dict[str, Any]:
    """The code location in words: assets with group and dependencies, checks, jobs, sensors, schedules."""
    assets = defs.resolve_asset_graph()
    told = {
        node.key.to_user_string(): [node.group_name, *sorted(parent.to_user_string() for parent in node.parent_keys)]
        for node in assets.asset_nodes
        if node.group_name in OURS
    }
    repository = defs.get_repository_def()
    checks = [(key.asset_key.to_user_string(), key.name) for key in assets.asset_check_keys]
    return {
        "assets": dict(sorted(told.items())),
        "checks": sorted(f"{asset}: {name}" for asset, name in checks if asset in told),
        "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
        "schedules": {
            one.name: str(one.cron_schedule) for one in sorted(repository.schedule_defs, key=lambda s: s.name)
        },
    }


def test_the_graph_is_the_one_that_was_agreed_on() -> None:
    """After a change that is meant: `python tests/dagster_defs/test_definitions.py` writes the new one."""
    assert graph() == json.loads(GRAPH.read_text())


def test_everything_is_on_by_default() -> None:
    repository = defs.get_repository_def()
    off = [one.name for one in repository.sensor_defs if one.default_status is not dg.DefaultSensorStatus.RUNNING]
    off += [one.name for one in repository.schedule_defs if one.default_status is not dg.DefaultScheduleStatus.RUNNING]
    assert off in ([], ["default_automation_condition_sensor"])


def test_every_asset_says_what_it_is_who_owns_it_and_where_it_belongs() -> None:
    for node in defs.resolve_asset_graph().asset_nodes:
        if node.is_executable and node.group_name in OURS:
            assert node.description, node.key
            assert node.owners, node.key
            assert node.kinds, node.key


if __name__ == "__main__":
    GRAPH.write_text(json.dumps(graph(), indent=1) + "\n")
