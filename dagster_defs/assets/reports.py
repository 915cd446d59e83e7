"""The compliance report: the marts as files, one folder for each state of an organization's log."""

from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs import reporting
from dagster_defs.assets.events import PROVISIONING_EVENTS
from dagster_defs.assets.sources import OWNERS
from dagster_defs.reporting import Report, Sheet
from dagster_defs.resources import ReportFolder
from dagster_defs.warehouse import POOL

_STATES = f"""
    SELECT org, max(seq), arg_max(hash, seq),
           greatest(max(day), coalesce((SELECT max(day) FROM identity.users), max(day)))
    FROM {PROVISIONING_EVENTS.address} GROUP BY org ORDER BY org
"""  # noqa: S608


@dg.asset(
    deps=["leavers", "access_review_population", "sync_failures"],
    group_name="reports",
    owners=OWNERS,
    kinds={"html", "csv"},
    pool=POOL,
)
def compliance_report(
    warehouse: DuckDBResource, reports: dg.ResourceParam[ReportFolder]
) -> "dg.MaterializeResult[Any]":
    """Leavers, the access review population and refused writes of each organization, as HTML and CSV.

    The folder is named by the day and the event it stands at; the same state gives the same bytes.
    """
    with warehouse.get_connection() as connection:
        found = [_report(connection, *state) for state in connection.execute(_STATES).fetchall()]
    folders = [reporting.write(report, reports.path) for report in found]
    return dg.MaterializeResult(
        metadata={
            "organizations": len(found),
            "leavers": sum(len(report.leavers.rows) for report in found),
            **{
                report.organization: dg.MetadataValue.path(folder)
                for report, folder in zip(found, folders, strict=True)
            },
        }
    )


def _report(connection: duckdb.DuckDBPyConnection, org: str, seq: int, head_hash: str, day: Any) -> Report:
    return Report(
        organization=org,
        as_of_day=day,
        as_of_event=seq,
        head_hash=head_hash,
        leavers=_sheet(connection, "reports.leavers", "organization", org, "left_at, event"),
        access_review_population=_sheet(
            connection, "reports.access_review_population", "organization", org, "user_name, team_name, user_id"
        ),
        sync_failures=_sheet(connection, "identity.sync_failures", "org", org, "seq"),
    )


def _sheet(connection: duckdb.DuckDBPyConnection, table: str, scope: str, org: str, order: str) -> Sheet:
    query = f"SELECT * FROM {table} WHERE {scope} = ? ORDER BY {order}"  # noqa: S608
    found = connection.execute(query, [org])
    names = [column[0] for column in found.description or ()]
    return Sheet(names, [dict(zip(names, row, strict=True)) for row in found.fetchall()])
