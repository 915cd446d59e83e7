"""The compliance report: how things stand, one evidence pack for each state of an organization's log."""

from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.evidence import Packs, told
from dagster_defs.assets.marts import mart_key
from dagster_defs.assets.sources import OWNERS
from dagster_defs.cadence import CADENCE
from dagster_defs.evidence.periods import Period
from dagster_defs.evidence.reading import left_out, read, standings
from dagster_defs.evidence.reports import STATE
from dagster_defs.evidence.writing import write
from dagster_defs.resources import ReportFolder
from dagster_defs.warehouse import POOL

_NEWEST = "SELECT max(day) FROM identity.snapshot_cuts"


@dg.asset(
    deps=[mart_key(sheet.name) if sheet.schema == "reports" else sheet.name for sheet in STATE.sheets],
    group_name="reports",
    tags={CADENCE: "daily"},
    owners=OWNERS,
    kinds={"html", "pdf", "csv"},
    pool=POOL,
)
def compliance_report(
    context: dg.AssetExecutionContext, warehouse: DuckDBResource, reports: dg.ResourceParam[ReportFolder]
) -> "dg.MaterializeResult[Any]":
    """Controls, leavers, the access review population and refused writes of each organization.

    The folder is named by the day and the event it stands at; the same state gives the same bytes. There is none for an
    organization whose log can't be taken in further: how things stand there is not known.
    """
    with warehouse.get_connection() as connection:
        day: date = connection.execute(_NEWEST).fetchall()[0][0]
        known = standings(connection, day, day)
        incomplete = left_out(connection, known)
        found = [
            read(connection, STATE, period(day, standing.last_event), standing, schema="reports")
            for standing in known
            if standing.slug not in incomplete
        ]
    parameters = {"as_of_day": day.isoformat()}
    packs = [write(report, reports.path, run_id=context.run_id, parameters=parameters) for report in found]
    return dg.MaterializeResult(metadata={**told(context, Packs(packs, incomplete)), "organizations": len(packs)})


def period(day: date, event: int) -> Period:
    """Return the day, named with the event that its state is of."""
    return Period(state_name(day.isoformat(), event), day, day + timedelta(days=1))


def state_name(day: str, event: int) -> str:
    """Return the name of a state: the same for the same event of the same day."""
    return f"{day}-seq-{event:06d}"
