"""Reading a report from the warehouse: rows, figures and charts of one organization and period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_defs.evidence.charts import Chart
from dagster_defs.evidence.drawing import draw
from dagster_defs.evidence.periods import Period
from dagster_defs.evidence.reports import Figure, ReportSpec
from dagster_defs.evidence.sheets import SheetSpec
from dagster_defs.resources import DBT_PROJECT
from scim_app.store.export_packs import digest


@dataclass(frozen=True, slots=True)
class Standing:
    """An organization, and where its log stands at the end of a period."""

    slug: str
    name: str
    time_zone: str
    log_epoch: str
    first_event: int
    last_event: int
    head_hash: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a report with its rows, and the digest of the SQL that gave them."""

    spec: SheetSpec
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    query_sha256: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A figure with its number, and that of the time before where rows belong to a period."""

    figure: Figure
    value: int
    before: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """All that a pack tells."""

    spec: ReportSpec
    period: Period
    instants: tuple[datetime, datetime]
    standing: Standing
    sheets: Sequence[Sheet]
    figures: Sequence[Counted]
    charts: Sequence[Chart]


def standings(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> list[Standing]:
    """Return the organizations that there were at the end of a stretch of days, with the events of it."""
    query = """
        SELECT known.org, known.name, known.time_zone, last.log_epoch,
               coalesce(min(event.seq) FILTER (event.day >= $first), max(event.seq)), last.seq, last.hash
        FROM identity.organizations AS known
        INNER JOIN identity.provisioning_events AS event ON event.org = known.org AND event.day <= $last
        INNER JOIN (
            SELECT org, log_epoch, seq, hash FROM identity.provisioning_events WHERE day <= $last
            QUALIFY row_number() OVER (PARTITION BY org ORDER BY seq DESC) = 1
        ) AS last ON last.org = known.org
        GROUP BY ALL ORDER BY known.org
    """
    return [Standing(*row) for row in connection.execute(query, {"first": first, "last": last}).fetchall()]


def read(
    connection: duckdb.DuckDBPyConnection, spec: ReportSpec, period: Period, standing: Standing, *, schema: str
) -> Report:
    """Return a report of an organization from marts that were built as of the period's last day."""
    instants = period.instants(standing.time_zone)
    before = period.before()
    figures = [
        Counted(
            figure,
            _count(connection, spec, figure, period, standing, schema),
            _count(connection, spec, figure, before, standing, schema) if _sheet(spec, figure).within else None,
        )
        for figure in spec.figures
    ]
    days = (period.begins, period.ends)
    return Report(
        spec=spec,
        period=period,
        instants=instants,
        standing=standing,
        sheets=[_read_sheet(connection, sheet, period, standing, schema) for sheet in spec.sheets],
        figures=figures,
        charts=[
            draw(connection, name, schema=schema, org=standing.slug, days=days, instants=instants)
            for name in spec.charts
        ],
    )


def _read_sheet(
    connection: duckdb.DuckDBPyConnection, sheet: SheetSpec, period: Period, standing: Standing, schema: str
) -> Sheet:
    query = f"SELECT * FROM {_from(sheet, schema)} ORDER BY {sheet.order}"  # noqa: S608
    found = connection.execute(query, _values(sheet, period, standing))
    columns = [column[0] for column in found.description or ()]
    told = f"{_model(sheet)}\n{query.replace(f'{schema}.', 'reports.')}"
    return Sheet(sheet, columns, found.fetchall(), digest(told.encode()))


def _count(
    connection: duckdb.DuckDBPyConnection,
    spec: ReportSpec,
    figure: Figure,
    period: Period,
    standing: Standing,
    schema: str,
) -> int:
    sheet = _sheet(spec, figure)
    query = f"SELECT count(*) FROM {_from(sheet, schema)} AND {figure.where}"  # noqa: S608
    return connection.execute(query, _values(sheet, period, standing)).fetchall()[0][0]


def _sheet(spec: ReportSpec, figure: Figure) -> SheetSpec:
    return next(sheet for sheet in spec.sheets if sheet.name == figure.sheet)


def _from(sheet: SheetSpec, schema: str) -> str:
    """Return the table with the condition of the rows that belong to the report."""
    within = f" AND {sheet.within} >= $since AND {sheet.within} < $until" if sheet.within else ""
    source = schema if sheet.schema == "reports" else sheet.schema
    return f"{source}.{sheet.name} WHERE {sheet.scope} = $org{within} AND {sheet.where}"


def _values(sheet: SheetSpec, period: Period, standing: Standing) -> dict[str, object]:
    values: dict[str, object] = {"org": standing.slug}
    if sheet.within:
        bounds = (period.begins, period.ends) if sheet.within == "day" else period.instants(standing.time_zone)
        values |= {"since": bounds[0], "until": bounds[1]}
    return values


def _model(sheet: SheetSpec) -> str:
    """Return the SQL of the model behind a sheet, as it is in the project."""
    found: list[Path] = sorted(DBT_PROJECT.project_dir.glob(f"models/marts/{sheet.name}.sql"))
    return found[0].read_text() if found else ""
