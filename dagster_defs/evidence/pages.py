"""The pages of a report: one view of it, as a self-contained HTML page and as a PDF of the same."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import jinja2
import orjson
import typst

from dagster_defs.evidence.glyphs import drawable
from dagster_defs.evidence.reading import Counted, Report, Sheet
from dagster_defs.evidence.reports import REVIEW
from dagster_defs.evidence.words import MOST_ROWS, heading, is_number, parameters_in_words, text

_TEMPLATES = Path(__file__).with_name("templates")
_HTML = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def html(report: Report, log: Mapping[str, Any], parameters: Mapping[str, Any]) -> bytes:
    """Return the report as one page without script and without anything loaded from elsewhere."""
    return _HTML.get_template("report.html").render(view(report, log, parameters)).encode()


def pdf(report: Report, log: Mapping[str, Any], parameters: Mapping[str, Any]) -> bytes:
    """Return the report as a PDF whose bytes depend on the report alone: fonts come with the program, the date too.

    Characters that those fonts do not have are shown by their code, and a note says so.
    """
    shown, replaced = drawable(view(report, log, parameters))
    return typst.compile(
        (_TEMPLATES / "report.typ").read_bytes(),
        sys_inputs={"report": orjson.dumps({**shown, "replaced": replaced}).decode()},
        timestamp=int(report.instants[1].replace(tzinfo=UTC).timestamp()),
        ignore_system_fonts=True,
        pdf_standards="a-2u",
    )


def view(report: Report, log: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both templates show: texts, tables of texts, charts, and where it all comes from."""
    spec, standing = report.spec, report.standing
    return {
        "title": text(spec.title),
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
        "parameters": parameters_in_words(parameters),
    }


def _figure(one: Counted) -> dict[str, Any]:
    change = None if one.before is None else one.value - one.before
    more = "more" if change is not None and change > 0 else "fewer"
    words = "" if change is None else f"{text(abs(change))} {more} than before" if change else "as many as before"
    return {
        "label": one.figure.label,
        "value": text(one.value),
        "change": words,
        "sheet": one.figure.sheet,
        "bad": one.figure.bad and one.value > 0,
    }


def _attention(report: Report) -> list[dict[str, Any]]:
    """Return what somebody has to see to, with how much of it there is and the first of it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(report, "control_findings"):
        if row["excused_by"] is None:
            found.setdefault(row["test_name"], []).append(row)
    return [
        _noticed(test.replace("_", " "), "control_findings", rows, "subject_name", "finding")
        for test, rows in found.items()
    ] + _attention_of_review(report)


def _attention_of_review(report: Report) -> list[dict[str, Any]]:
    left, decisions = _rows(report, "revocations_open"), _rows(report, "access_review_decisions")
    of_review = report.spec.name == REVIEW.name
    undecided = [row for row in decisions if of_review and row["decision"] == "not_reviewed"]
    return [
        *([_noticed("revoked and still there", "revocations_open", left, "user_name", "access_name")] if left else []),
        *(
            [_noticed("not decided", "access_review_decisions", undecided, "user_name", "access_name")]
            if undecided
            else []
        ),
    ]


def _noticed(test: str, sheet: str, rows: Sequence[Mapping[str, Any]], who: str, what: str) -> dict[str, Any]:
    first = "; ".join(f"{text(row[who])}: {text(row[what])}" for row in rows[:2])
    return {"test": text(test), "sheet": sheet, "count": len(rows), "first": first}


def _rows(report: Report, name: str) -> list[dict[str, Any]]:
    sheet = next((one for one in report.sheets if one.spec.name == name), None)
    return [] if sheet is None else sheet.records


def _sheet(sheet: Sheet) -> dict[str, Any]:
    places = [sheet.columns.index(name) for name in sheet.spec.shown]
    shown = sheet.rows[:MOST_ROWS]
    return {
        "name": sheet.spec.name,
        "title": sheet.spec.title,
        "about": sheet.spec.about,
        "file": f"{sheet.spec.name}.csv",
        "count": text(len(sheet.rows)),
        "told": "1 row" if len(sheet.rows) == 1 else f"{text(len(sheet.rows))} rows",
        "more": text(max(0, len(sheet.rows) - MOST_ROWS)) if len(sheet.rows) > MOST_ROWS else "",
        "columns": [heading(name) for name in sheet.spec.shown],
        "numbers": [bool(shown) and all(row[at] is None or is_number(row[at]) for row in shown) for at in places],
        "rows": [[text(row[at]) for at in places] for row in shown],
    }
