"""The register of the files in evidence packs: read from the packs themselves, so it tells what is there."""

from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import result, table_asset
from dagster_defs.resources import ReportFolder
from dagster_defs.warehouse import ORGANIZATION, Table, kept
from scim_app.store.export.columns import Column
from scim_app.store.export.packs import packs, read_manifest, read_run

EVIDENCE_FILES = Table(
    "evidence_files",
    (
        ORGANIZATION,
        Column("report", "text", "Which report the pack is of"),
        Column("period", "text", "Period that it tells of"),
        Column("file", "text", "Name of the file in the pack"),
        Column("rows", "integer", "Rows in it, for a table"),
        Column("sha256", "text", "SHA-256 of its bytes"),
        Column("query_sha256", "text", "SHA-256 of the SQL that gave its rows"),
        Column("first_event", "integer", "First event of the period"),
        Column("last_event", "integer", "Event that the pack stands at"),
        Column("head_hash", "text", "Hash of that event"),
        Column("run_id", "text", "Dagster run that wrote it"),
    ),
)


_PACKS = (
    *("compliance_report", "weekly_operations_report", "monthly_jml_report", "quarterly_access_review_report"),
    "access_review_report",
)


@table_asset(EVIDENCE_FILES, group="evidence", deps=_PACKS)
def evidence_files(warehouse: DuckDBResource, reports: dg.ResourceParam[ReportFolder]) -> "dg.MaterializeResult[Any]":
    """Every file of every evidence pack there is, with its digest and where its pack stands in the log."""
    rows = [row for pack in packs(reports.path) for row in _rows(read_manifest(pack)["evidence"], read_run(pack))]
    with warehouse.get_connection() as connection:
        with kept(connection):
            EVIDENCE_FILES.replace(connection, rows)
        return result(connection, EVIDENCE_FILES, order="org, report, period, file")


def _rows(evidence: dict[str, Any], run_id: str) -> list[dict[str, Any]]:
    log = evidence["log"]
    common = {"org": evidence["organization"], "report": evidence["report"], "period": evidence["period"]}
    common |= {name: log[name] for name in ("first_event", "last_event", "head_hash")} | {"run_id": run_id}
    return [common | file for file in evidence["files"]]
