"""The compliance report of one organization as files: HTML to read, CSV to work with."""

import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jinja2

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a report; it has its columns also when nobody is in it."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says, and the state of the log that it says it of."""

    organization: str
    as_of_day: date
    as_of_event: int
    head_hash: str
    """Hash of that event: with the log it proves the report."""
    leavers: Sheet
    access_review_population: Sheet
    sync_failures: Sheet


def folder(organization: str, as_of_day: date | str, as_of_event: int) -> str:
    """Return the folder of a state, below the one of all reports: the same state always has the same one."""
    return f"{organization}/{as_of_day}-seq-{as_of_event:06d}"


def write(report: Report, root: Path) -> Path:
    """Write a report's files and return its folder; the same state gives the same bytes.

    The folder appears whole or not at all: `report.html`, and a CSV file for each of its tables.
    """
    final = root / folder(report.organization, report.as_of_day, report.as_of_event)
    building = final.with_suffix(".partial")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    (building / "report.html").write_text(html(report))
    for name in ("leavers", "access_review_population", "sync_failures"):
        (building / f"{name}.csv").write_bytes(as_csv(getattr(report, name)))
    shutil.rmtree(final, ignore_errors=True)
    return building.rename(final)


def html(report: Report) -> str:
    """Return the report as one self-contained page."""
    population = report.access_review_population.rows
    people = {row["user_name"] for row in population}
    teams = {row["team_name"] for row in population if row["team_name"]}
    return _TEMPLATES.get_template("compliance_report.html").render(report=report, people=people, teams=teams)


def as_csv(sheet: Sheet) -> bytes:
    """Return a sheet as CSV (RFC 4180, UTF-8) with a header.

    A cell that a spreadsheet would run as a formula begins with `'`.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(sheet.columns)
    writer.writerows([_cell(row[name]) for name in sheet.columns] for row in sheet.rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text
