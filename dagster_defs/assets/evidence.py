"""Evidence packs of periods: one asset a report, made by the schedule of its cadence (weekly, monthly, quarterly).

A run makes the packs of the period that ended last; with the config `period: 2026-Q3` (or `2026-11`, `2026-W47`) those
of any other. A period gives the same bytes whenever it is made: everything in a pack stands at the period's last event.
The packs are in `reports/<organization>/<report>/<period>/`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DbtCliResource
from dagster_duckdb import DuckDBResource
from pydantic import Field

from dagster_defs.assets.access import keep_tokens
from dagster_defs.assets.marts import DATA_TESTS, REGISTER, make_sources, mart_key
from dagster_defs.assets.snapshots import CUTS
from dagster_defs.assets.sources import OWNERS
from dagster_defs.cadence import CADENCE
from dagster_defs.evidence.periods import FIRST_ZONE, Period, local_date
from dagster_defs.evidence.reading import left_out, read, standings
from dagster_defs.evidence.reports import MONTHLY, QUARTERLY, WEEKLY, ReportSpec
from dagster_defs.evidence.writing import write
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.resources import ReportFolder, ScimStore
from dagster_defs.warehouse import POOL, kept
from scim_app.store.export import Export

SCHEMA = "evidence"
"""Schema of the marts of a period, apart from those of today."""


@dataclass(frozen=True, slots=True)
class Packs:
    """The packs that a step wrote, and those that it left out."""

    folders: Sequence[Path]
    left_out: Mapping[str, str]
    """Organizations without a pack, since their data end too early, each with why."""


class PackConfig(dg.Config):
    """Which period the packs are of."""

    period: str = Field(default="", description="`2026-W47`, `2026-11` or `2026-Q4`; the one that ended last, if empty")
    time_zone: str = Field(default="", description="organizations whose days end in this zone; all, if empty")


def _asset(spec: ReportSpec, cadence: str) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"{spec.name}_report",
        description=f"{spec.title}. {spec.about} One evidence pack for each organization: HTML, PDF, CSV, manifest.",
        deps=[mart_key(sheet.name) if sheet.schema == "reports" else sheet.name for sheet in spec.sheets],
        group_name="evidence",
        tags={CADENCE: cadence},
        owners=OWNERS,
        kinds={"html", "pdf", "csv"},
        pool=POOL,
    )
    def evidence(
        context: dg.AssetExecutionContext,
        config: PackConfig,
        dbt: DbtCliResource,
        scim: dg.ResourceParam[ScimStore],
        warehouse: DuckDBResource,
        reports: dg.ResourceParam[ReportFolder],
    ) -> "dg.MaterializeResult[Any]":
        # Where days end first, a period has ended that is still running here; packs are of those where it has.
        today = local_date(_now(), FIRST_ZONE) if config.period else last_day(DAYS)
        period = chosen_period(spec, config.period, today)
        packs = write_packs(
            spec,
            period,
            dbt=dbt,
            scim=scim,
            warehouse=warehouse,
            root=reports.path,
            run_id=context.run_id,
            time_zone=config.time_zone,
        )
        return dg.MaterializeResult(metadata={"period": period.name, **told(context, packs)})

    return evidence


def chosen_period(spec: ReportSpec, name: str, today: date) -> Period:
    """Return the period of a name, or the one of a report that ended last where there is no name.

    Raises:
        ValueError: when the name is none, or the period has not ended: its last day would be the newest there is.
    """
    if not name:
        return last_period(spec, today)
    period = Period.named(name)
    if period.last_day >= today:
        raise ValueError(f"{name} has not ended: a pack is of days that are over; choose an earlier period")
    return period


def last_period(spec: ReportSpec, today: date) -> Period:
    """Return the period of a report that ended last before a day.

    Raises:
        ValueError: when the report is not of a period.
    """
    if spec.period_of is None:
        raise ValueError(f"{spec.name} is no report of a period")
    return spec.period_of(spec.period_of(today).begins - timedelta(days=1))


def write_packs(
    spec: ReportSpec,
    period: Period,
    *,
    dbt: DbtCliResource,
    scim: ScimStore,
    warehouse: DuckDBResource,
    root: Path,
    run_id: str,
    time_zone: str = "",
) -> Packs:
    """Build the marts as of the period's end, write packs and return their folders.

    There is a pack for each organization where the period has ended, or for those of a time zone alone; none where the
    log could not be taken in to the period's end, as nobody could tell it from a complete one.
    """
    make_sources(warehouse, whole=True)
    with scim.opened() as export, warehouse.get_connection() as connection:
        _fix_day(connection, export, period.last_day)
    parameters = {"as_of_day": period.last_day.isoformat(), "period_start": period.begins.isoformat()}
    variables = {"warehouse": warehouse.database, "reports_schema": SCHEMA, **parameters}
    target = Path(warehouse.database).with_name("dbt_evidence_target")
    command = [
        "build",
        "--quiet",
        *DATA_TESTS,
        "--exclude",
        f"{REGISTER} stg_scim__evidence_files",
        "--vars",
        json.dumps(variables),
    ]
    dbt.cli(command, target_path=target).wait()
    with warehouse.get_connection() as connection:
        chosen = [
            standing
            for standing in standings(connection, period.begins, period.last_day)
            if period.instants(standing.zones)[1] <= _now() and time_zone in ("", standing.time_zone)
        ]
        incomplete = left_out(connection, chosen)
        found = [
            read(connection, spec, period, standing, schema=SCHEMA)
            for standing in chosen
            if standing.slug not in incomplete
        ]
    return Packs([write(report, root, run_id=run_id, parameters=parameters) for report in found], incomplete)


def told(context: dg.AssetExecutionContext, packs: Packs) -> dict[str, Any]:
    """Return what the asset's page shows of packs: each report as a link, its folder, and those that were left out."""
    for org, why in packs.left_out.items():
        context.log.warning("no report of %s is made: %s", org, why)
    return {
        "packs": len(packs.folders),
        "left_out": dict(packs.left_out),
        **{f"{_slug(pack)} report": dg.MetadataValue.url((pack / "report.html").as_uri()) for pack in packs.folders},
        **{_slug(pack): dg.MetadataValue.path(pack) for pack in packs.folders},
    }


def _slug(pack: Path) -> str:
    return pack.parents[1].name


def _fix_day(connection: duckdb.DuckDBPyConnection, export: Export, day: date) -> None:
    """Cut the snapshots of a day, where that was not done at its end."""
    query = "SELECT org, max(seq) FROM identity.provisioning_events WHERE day <= ? GROUP BY org ORDER BY org"
    stood = connection.execute(query, [day]).fetchall()
    with kept(connection):
        CUTS.replace(connection, [{"day": day, "org": org, "seq": seq} for org, seq in stood], day=day)
        keep_tokens(connection, export, [day])


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


EVIDENCE = [_asset(WEEKLY, "weekly"), _asset(MONTHLY, "monthly"), _asset(QUARTERLY, "quarterly")]
"""The packs of periods."""
