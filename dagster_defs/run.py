"""`python -m dagster_defs.run`: materialize everything once, in this process, and tell what came out as one JSON line.

The run is recorded in the Dagster instance at `DAGSTER_HOME`, so it is seen in the UI.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs import provenance
from dagster_defs.assets.reports import state_name
from dagster_defs.definitions import defs
from dagster_defs.evidence.reports import STATE
from dagster_defs.evidence.writing import folder
from dagster_defs.jobs import daily_compliance, provisioning, reporting
from dagster_defs.partitions import DAYS, last_day
from scim_app.settings import Settings

_COUNTS = """
    SELECT head.org, head.seq,
           (SELECT count(*) FROM identity.users AS u WHERE u.org = head.org AND u.day = $day),
           (SELECT count(*) FROM identity.users AS u WHERE u.org = head.org AND u.day = $day AND u.active),
           (SELECT count(*) FROM identity.teams AS t WHERE t.org = head.org AND t.day = $day),
           (SELECT count(*) FROM identity.team_members AS m WHERE m.org = head.org AND m.day = $day)
    FROM (SELECT org, max(seq) AS seq FROM identity.provisioning_events GROUP BY org) AS head ORDER BY head.org
"""
_LEAVERS = """
    SELECT organization, user_name, left_at, how FROM reports.leavers WHERE returned_at IS NULL ORDER BY left_at, event
"""
_FAILURES = "SELECT org, occurred_at, method, path, status, scim_type, detail FROM identity.sync_failures ORDER BY seq"


def main() -> None:
    """Run the jobs for a day and print `{"partition", "organizations": […]}`; exit status 1 when it fails."""
    parser = argparse.ArgumentParser(prog="python -m dagster_defs.run", description=__doc__)
    parser.add_argument("--partition", help="day to materialize, such as 2026-11-24; the running day by default")
    parser.add_argument("--new-warehouse", action="store_true", help="begin a new warehouse: the earlier one is lost")
    asked = parser.parse_args()
    partition = asked.partition or last_day(DAYS).isoformat()
    if not DAYS.has_partition_key(partition):
        parser.error(
            f"{partition} is not a day there are snapshots of; choose one from {DAYS.get_first_partition_key()}"
        )
    with dg.DagsterInstance.get() as instance:
        _run(instance, provisioning.name, partition, {provenance.NEW: "true"} if asked.new_warehouse else {})
        _run(instance, reporting.name, None)
        _run(instance, daily_compliance.name, None)
    sys.stdout.write(json.dumps(summary(partition), default=str) + "\n")


def _run(instance: dg.DagsterInstance, job: str, partition: str | None, tags: Mapping[str, str] | None = None) -> None:
    definition = defs.resolve_job_def(job)
    run = definition.execute_in_process(
        instance=instance, partition_key=partition, tags=dict(tags or {}), raise_on_error=False
    )
    if not run.success:
        failed = [event.step_key for event in run.all_events if event.is_step_failure]
        sys.exit(f"the run {run.run_id} failed in {', '.join(map(str, failed)) or 'its start'}")


def summary(partition: str) -> dict[str, Any]:
    """Return what the warehouse holds of each organization: counts, leavers, refused writes, path of the report."""
    settings = Settings()
    warehouse = DuckDBResource(database=str(settings.warehouse_path))
    with warehouse.get_connection() as connection:
        counts = connection.execute(_COUNTS, {"day": partition}).fetchall()
        leavers, failures = connection.execute(_LEAVERS).fetchall(), connection.execute(_FAILURES).fetchall()
    names = ("slug", "seq", "users", "active_users", "teams", "memberships")
    told = ("at", "method", "path", "status", "scim_type", "detail")
    organizations = [
        dict(zip(names, row, strict=True))
        | {"leavers": [{"user_name": name, "at": at, "how": how} for org, name, at, how in leavers if org == row[0]]}
        | {"sync_failures": [dict(zip(told, found[1:], strict=True)) for found in failures if found[0] == row[0]]}
        | {"report": str(_pack(settings, row[0], state_name(partition, row[1])) / "report.html")}
        for row in counts
    ]
    return {"partition": partition, "organizations": organizations}


def _pack(settings: Settings, organization: str, state: str) -> Path:
    return folder(settings.reports_path, organization, STATE.name, state)


if __name__ == "__main__":
    main()
