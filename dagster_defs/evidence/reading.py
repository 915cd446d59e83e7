"""Reading a report from the warehouse: rows, figures and charts of one organization and period."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_defs.assets.events import ORGANIZATIONS
from dagster_defs.calendar import zones_of
from dagster_defs.evidence.charts import Chart
from dagster_defs.evidence.drawing import draw
from dagster_defs.evidence.exports import Exported, export
from dagster_defs.evidence.periods import Period, Zones
from dagster_defs.evidence.reports import Figure, ReportSpec
from dagster_defs.evidence.sheets import SheetSpec
from dagster_defs.failures import stopped
from dagster_defs.resources import DBT_PROJECT
from scim_app.store.export.columns import THRESHOLD_COLUMNS
from scim_app.store.export.packs import digest


@dataclass(frozen=True, slots=True)
class Standing:
    """An organization, and where its log stands at the end of a period."""

    slug: str
    name: str
    """Its name at the end of the period."""
    time_zone: str
    """The zone in which its days ended then."""
    log_epoch: str
    first_event: int
    last_event: int
    head_hash: str
    thresholds: Mapping[str, int]
    """What results are judged by, as it was set at that event."""
    of_the_present: Sequence[str]
    """Settings that the log does not tell for then: the first value in it stands here, without one the present."""
    zones: Zones
    """The zones that the organization has had: by them its days begin and end."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a report with its rows, and the digest of the SQL that gave them."""

    spec: SheetSpec
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    query_sha256: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The rows by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


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
    exports: Mapping[str, Exported] = field(default_factory=dict[str, Exported])
    """Files in the shapes of other tools, by name."""


_STANDINGS = """
    SELECT known.org, last.log_epoch,
        coalesce(min(event.seq) FILTER (event.day >= $first), max(event.seq)), last.seq, last.hash
    FROM identity.organizations AS known
    INNER JOIN identity.provisioning_events AS event ON event.org = known.org AND event.day <= $last
    INNER JOIN (
        SELECT org, log_epoch, seq, hash FROM identity.provisioning_events WHERE day <= $last
        QUALIFY row_number() OVER (PARTITION BY org ORDER BY seq DESC) = 1
    ) AS last ON last.org = known.org
    GROUP BY ALL ORDER BY known.org
"""
_SETTINGS = """
    SELECT name, coalesce(arg_max(value, from_seq) FILTER (from_seq <= $seq), arg_min(value, from_seq)),
        min(from_seq) <= $seq
    FROM identity.setting_versions WHERE org = $org GROUP BY name
"""
_SHOWN = ("name", "time_zone", *(column.name for column in THRESHOLD_COLUMNS))


def standings(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> list[Standing]:
    """Return the organizations that there were at the end of a stretch of days, with the events of it."""
    found = connection.execute(_STANDINGS, {"first": first, "last": last}).fetchall()
    return [standing(connection, *row) for row in found]


def left_out(connection: duckdb.DuckDBPyConnection, standings: Collection[Standing]) -> dict[str, str]:
    """Return the organizations that nothing complete can be told of, each with why.

    The data of such an organization end at an event, and not before one that is past the report's end: what is missing
    may belong to the report.
    """
    last_events = {standing.slug: standing.last_event for standing in standings}
    ends = stopped(connection)
    return {org: ends[org].sentence for org, last in last_events.items() if org in ends and last >= ends[org].seq}


def standing(
    connection: duckdb.DuckDBPyConnection,
    org: str,
    log_epoch: str,
    first_event: int,
    last_event: int,
    head_hash: str,
) -> Standing:
    """Return where an organization stands at an event, with its settings as they were then."""
    (present,) = ORGANIZATIONS.rows(connection, "WHERE org = ?", [org])
    rows = connection.execute(_SETTINGS, {"org": org, "seq": last_event}).fetchall()
    values = present | {name: value for name, value, _ in rows if value is not None}
    known = {name for name, value, is_of_then in rows if is_of_then and value is not None}
    return Standing(
        slug=org,
        name=values["name"],
        time_zone=values["time_zone"],
        log_epoch=log_epoch,
        first_event=first_event,
        last_event=last_event,
        head_hash=head_hash,
        thresholds={column.name: int(values[column.name]) for column in THRESHOLD_COLUMNS},
        of_the_present=[name for name in _SHOWN if name not in known],
        zones=zones_of(connection, org, present["time_zone"]),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads an organization's rows from the marts of a schema."""

    connection: duckdb.DuckDBPyConnection
    standing: Standing
    schema: str
    values: Mapping[str, object]
    """What the conditions of sheets speak of by `$name`."""

    def sheet(self, spec: SheetSpec, period: Period) -> Sheet:
        query = f"SELECT * FROM {self._from(spec)} ORDER BY {spec.order}"  # noqa: S608
        found = self.connection.execute(query, self._used(query, spec, period))
        columns = [column[0] for column in found.description or ()]
        told = f"{_model(spec)}\n{query.replace(f'{self.schema}.', 'reports.')}"
        return Sheet(spec, columns, found.fetchall(), digest(told.encode()))

    def count(self, figure: Figure, spec: SheetSpec, period: Period) -> int:
        query = f"SELECT count({figure.counted}) FROM {self._from(spec)} AND {figure.where}"  # noqa: S608
        return self.connection.execute(query, self._used(query, spec, period)).fetchall()[0][0]

    def _from(self, sheet: SheetSpec) -> str:
        """Return the table with the condition of the rows that belong to the report."""
        within = f" AND {sheet.within} >= $since AND {sheet.within} < $until" if sheet.within else ""
        source = self.schema if sheet.schema == "reports" else sheet.schema
        return f"{source}.{sheet.table or sheet.name} WHERE {sheet.scope} = $org{within} AND {sheet.where}"

    def _used(self, query: str, sheet: SheetSpec, period: Period) -> dict[str, object]:
        bounds = (period.begins, period.ends) if sheet.within == "day" else period.instants(self.standing.zones)
        values = {**self.values, "org": self.standing.slug, "since": bounds[0], "until": bounds[1]}
        return {name: value for name, value in values.items() if f"${name}" in query}


def read(
    connection: duckdb.DuckDBPyConnection,
    spec: ReportSpec,
    period: Period,
    standing: Standing,
    *,
    schema: str,
    values: Mapping[str, object] | None = None,
) -> Report:
    """Return a report of an organization from marts that were built as of the period's last day.

    `values` is what the conditions of its sheets speak of by `$name`.
    """
    reader = _Reader(connection, standing, schema, values or {})
    instants, days = period.instants(standing.zones), (period.begins, period.ends)
    known = {sheet.name: sheet for sheet in spec.sheets}
    sheets = [reader.sheet(sheet, period) for sheet in spec.sheets]
    tables = {one.spec.name: one for one in sheets}

    def rows(name: str) -> list[dict[str, Any]]:
        return tables[name].records

    return Report(
        spec=spec,
        period=period,
        instants=instants,
        standing=standing,
        sheets=sheets,
        figures=[_counted(reader, figure, known[figure.sheet], period) for figure in spec.figures],
        charts=[
            draw(connection, name, schema=schema, org=standing.slug, days=days, instants=instants, values=values or {})
            for name in spec.charts
        ],
        exports={
            name: export(connection, name, org=standing.slug, day=period.last_day, rows=rows) for name in spec.exports
        },
    )


def _counted(reader: _Reader, figure: Figure, sheet: SheetSpec, period: Period) -> Counted:
    before = reader.count(figure, sheet, period.before()) if sheet.within else None
    return Counted(figure, reader.count(figure, sheet, period), before)


def _model(sheet: SheetSpec) -> str:
    """Return the SQL of the model behind a sheet, as it is in the project."""
    found: list[Path] = sorted(DBT_PROJECT.project_dir.glob(f"models/marts/{sheet.table or sheet.name}.sql"))
    return found[0].read_text() if found else ""
