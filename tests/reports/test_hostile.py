"""Ten thousand hostile names: no cell that a spreadsheet runs, no script that Chromium runs, a PDF all the same."""

import csv
import io
import random
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dagster_defs.evidence import words
from dagster_defs.evidence.pages import html, pdf
from dagster_defs.evidence.periods import Period, Zones
from dagster_defs.evidence.reading import Report, Sheet, Standing
from dagster_defs.evidence.reports import QUARTERLY
from dagster_defs.evidence.sheets import FINDINGS, LEAVERS
from scim_app.directory.thresholds import DEFAULTS
from scim_app.store.export.packs import as_csv

PARTS = (
    *("=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", " =1", "\ufeff=1", "\n=1"),
    *("<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "</td><svg onload=window.hit=1>"),
    *("javascript:window.hit=1", '" onmouseover="window.hit=1', "{{ 7 * 7 }}", "#eval(1)", "$x$", "]]>", "<!--"),
    *("\u202egnp.exe", "مرحبا", "\x00\x1b[31m", "a\u200bb", "漢字", "🚀", "'", '"', "\\", ",", ";", "|"),
)
LOG = {"epoch": "one", "first_event": 1, "last_event": 2, "head_hash": "f" * 64}


def names() -> list[str]:
    """Ten thousand names of one to three parts."""
    chance = random.Random(7)
    return ["".join(chance.choices(PARTS, k=chance.randrange(1, 4))) for _ in range(10_000)]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Report:
    """A report in which everybody and everything has such a name; all rows are on the page."""
    monkeypatch.setattr(words, "MOST_ROWS", 20_000)
    monkeypatch.setattr("dagster_defs.evidence.pages.MOST_ROWS", 20_000)
    columns = list(LEAVERS.shown)
    every = names()
    rows = [every[start : start + len(columns)] for start in range(0, len(every), len(columns))]
    findings = [[name, name, name, None, None] for name in names()[:50]]
    standing = Standing("acme", "<b>=1</b>", "UTC", "one", 1, 2, "f" * 64, DEFAULTS, [], Zones.of("UTC"))
    return Report(
        spec=replace(QUARTERLY, title="<script>window.hit=1</script>"),
        period=Period("2026-Q1", date(2026, 1, 1), date(2026, 4, 1)),
        instants=(datetime(2026, 1, 1), datetime(2026, 4, 1)),
        standing=standing,
        sheets=[Sheet(LEAVERS, columns, rows, ""), Sheet(FINDINGS, list(FINDINGS.shown), findings, "")],
        figures=[],
        charts=[],
    )


def test_no_cell_is_a_live_formula(report: Report) -> None:
    text = as_csv(report.sheets[0].columns, report.sheets[0].rows).decode()
    found = list(csv.reader(io.StringIO(text, newline="")))
    assert sum(map(len, found[1:])) == 10_000
    live = [
        cell for row in found for cell in row if cell.lstrip(" \ufeff\n\r\t").startswith(("=", "+", "-", "@", "＝"))
    ]
    assert live == []


@pytest.mark.browser
def test_no_script_runs_in_chromium(report: Report, browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    file = tmp_path / "report.html"
    file.write_bytes(html(report, LOG, {}))
    page.goto(file.as_uri())
    assert page.locator("#leavers tbody td").count() == 10_000
    assert page.evaluate("window.hit") is None
    assert page.locator("script, img, td svg, [onmouseover], [onerror]").count() == 0
    assert said == []


def test_the_pdf_takes_the_names_as_text(report: Report) -> None:
    some = replace(report, sheets=[replace(sheet, rows=sheet.rows[:40]) for sheet in report.sheets])
    assert pdf(some, LOG, {}).startswith(b"%PDF-")
    assert pdf(some, LOG, {}) == pdf(some, LOG, {})
