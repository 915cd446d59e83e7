"""Reports are the same bytes for the same state, and nothing in them is executed."""

import csv
import io
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from dagster_defs import reporting
from dagster_defs.reporting import Report, Sheet

ADA = {
    "user_name": "ada@example.com",
    "display_name": "<script>alert(1)</script>",
    "title": None,
    "department": "=HYPERLINK(0)",
    "team_name": "Data",
    "member_since": datetime(2026, 11, 1, 9, 30),
    "provisioned_at": datetime(2026, 11, 1, 9, 0),
}
NOBODY = Sheet(("user_name", "team_name"), [])
EMPTY = Report("acme", date(2026, 11, 24), 7, "f" * 64, NOBODY, NOBODY, NOBODY)
FULL = replace(EMPTY, access_review_population=Sheet(tuple(ADA), [ADA]))


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = reporting.write(FULL, tmp_path)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert reporting.write(FULL, tmp_path) == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert folder.relative_to(tmp_path).as_posix() == "acme/2026-11-24-seq-000007"
    assert sorted(first) == ["access_review_population.csv", "leavers.csv", "report.html", "sync_failures.csv"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_what_people_are_called_is_text_in_the_page() -> None:
    page = reporting.html(FULL)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_state_without_anybody_is_a_page_too() -> None:
    assert "No active account." in reporting.html(EMPTY)
    assert reporting.as_csv(EMPTY.leavers) == b"user_name,team_name\r\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_neutralised(text: str) -> None:
    (_, [cell]) = csv.reader(io.StringIO(reporting.as_csv(Sheet(("name",), [{"name": text}])).decode(), newline=""))
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ['Ünïcode, "quoted"\nand more', "plain"])
def test_any_other_text_survives_the_csv_unchanged(text: str) -> None:
    (_, [cell, number]) = csv.reader(
        io.StringIO(reporting.as_csv(Sheet(("name", "n"), [{"name": text, "n": -1}])).decode(), newline="")
    )
    assert (cell, number) == (text, "-1")
