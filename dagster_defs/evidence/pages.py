"""The pages of a report: one view of it, as a self-contained HTML page and as a PDF of the same."""

from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

import jinja2
import orjson
import typst

from dagster_defs.evidence.reading import Counted, Report, Sheet
from dagster_defs.evidence.words import MOST_ROWS, heading, is_number, text

_TEMPLATES = Path(__file__).with_name("templates")
_HTML = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(report: Report, log: Mapping[str, Any]) -> bytes:
    """Return the report as one page without script and without anything loaded from elsewhere."""
    return _HTML.get_template("report.html").render(view(report, log)).encode()


def pdf(report: Report, log: Mapping[str, Any]) -> bytes:
    """Return the report as a PDF whose bytes depend on the report alone: fonts come with the program, the date too."""
    return typst.compile(
        (_TEMPLATES / "report.typ").read_bytes(),
        sys_inputs={"report": orjson.dumps(view(report, log)).decode()},
        timestamp=int(report.instants[1].replace(tzinfo=UTC).timestamp()),
        ignore_system_fonts=True,
    )


def view(report: Report, log: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both templates show: texts, tables of texts, charts, and where it all comes from."""
    spec, standing = report.spec, report.standing
    return {
        "title": spec.title,
        "about": spec.about,
        "organization": text(standing.name),
        "slug": standing.slug,
        "period": report.period.name,
        "first_day": text(report.period.begins),
        "last_day": text(report.period.last_day),
        "time_zone": standing.time_zone,
        "figures": [_figure(one) for one in report.figures],
        "attention": _attention(report),
        "charts": [{"title": one.title, "svg": one.svg} for one in report.charts],
        "sheets": [_sheet(one) for one in report.sheets],
        "log": dict(log),
    }


def _figure(one: Counted) -> dict[str, Any]:
    change = None if one.before is None else one.value - one.before
    words = "" if change is None else "as before" if not change else f"{'+' if change > 0 else '−'}{abs(change)}"
    return {
        "label": one.figure.label,
        "value": text(one.value),
        "change": words,
        "sheet": one.figure.sheet,
        "bad": one.figure.bad and one.value > 0,
    }


def _attention(report: Report) -> list[dict[str, Any]]:
    """Return each control test that found something which no exception excuses, with how much and the first of it."""
    sheet = next((one for one in report.sheets if one.spec.name == "control_findings"), None)
    rows = [] if sheet is None else [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["excused_by"] is None:
            found.setdefault(row["test_name"], []).append(row)
    return [
        {
            "test": test.replace("_", " "),
            "count": len(rows),
            "first": "; ".join(f"{text(row['subject_name'])}: {text(row['finding'])}" for row in rows[:2]),
        }
        for test, rows in found.items()
    ]


def _sheet(sheet: Sheet) -> dict[str, Any]:
    places = [sheet.columns.index(name) for name in sheet.spec.shown]
    shown = sheet.rows[:MOST_ROWS]
    return {
        "name": sheet.spec.name,
        "title": sheet.spec.title,
        "about": sheet.spec.about,
        "file": f"{sheet.spec.name}.csv",
        "count": text(len(sheet.rows)),
        "more": text(max(0, len(sheet.rows) - MOST_ROWS)) if len(sheet.rows) > MOST_ROWS else "",
        "columns": [heading(name) for name in sheet.spec.shown],
        "numbers": [bool(shown) and all(row[at] is None or is_number(row[at]) for row in shown) for at in places],
        "rows": [[text(row[at]) for at in places] for row in shown],
    }
