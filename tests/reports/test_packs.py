"""Packs are the same bytes for the same period, hold no live formula, and are found out when anything was changed."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import make
import pytest
import sqlalchemy as sa

from scim_app.store.db.engines import open_writer
from scim_app.store.export import Export
from scim_app.store.export.packs import MANIFEST, RUN, as_csv, verify

AGAIN = """
import sys
from pathlib import Path
from dagster_defs.assets.evidence import write_packs
from dagster_defs.evidence.periods import Period
from dagster_defs.evidence.reports import REPORTS
from dagster_defs.resources import resources
from scim_app.settings import Settings
held = resources(Settings())
write_packs(REPORTS["quarterly_access_review"], Period.named("2026-Q3"), dbt=held["dbt"], scim=held["scim"],
            warehouse=held["warehouse"], root=Path(sys.argv[1]), run_id="another")
"""


def files(pack: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in pack.iterdir() if path.name != RUN}


def problems(pack: Path, store_url: str) -> list[str]:
    export = Export(store_url)
    try:
        return verify(pack, export)
    finally:
        export.close()


def test_a_pack_is_html_pdf_csv_and_a_manifest_that_tells_of_all(pack: Path) -> None:
    evidence = json.loads((pack / MANIFEST).read_bytes())["evidence"]
    assert {one["file"] for one in evidence["files"]} == files(pack).keys() - {MANIFEST}
    assert evidence["last_day"] == "2026-09-30"
    assert evidence["log"]["first_event"] < evidence["log"]["last_event"]
    assert (pack / "report.pdf").read_bytes().startswith(b"%PDF-")
    for one in evidence["files"]:
        if one["file"].endswith(".csv"):
            with (pack / one["file"]).open(newline="") as text:
                assert len(list(csv.DictReader(text))) == one["rows"], one["file"]


def test_another_zone_locale_and_hash_seed_give_the_same_bytes(pack: Path, year: Any, tmp_path: Path) -> None:
    env = make.environment(year.settings.home, TZ="Pacific/Apia", LC_ALL="tr_TR.UTF-8", PYTHONHASHSEED="4711")
    command = [sys.executable, "-c", AGAIN, str(tmp_path)]
    subprocess.run(command, env=env, cwd=make.ROOT, check=True, timeout=300, capture_output=True)
    assert files(tmp_path / pack.relative_to(year.settings.reports_path)) == files(pack)


def test_a_pack_that_holds_has_no_problems(pack: Path, year: Any) -> None:
    assert problems(pack, year.settings.store_url) == []


def test_a_changed_file_is_found(pack: Path, year: Any, tmp_path: Path) -> None:
    copy = shutil.copytree(pack, tmp_path / "pack")
    with (copy / "leavers.csv").open("a") as file:
        file.write("eve\r\n")
    (copy / "exceptions.csv").unlink()
    (copy / "note.txt").touch()
    assert problems(copy, year.settings.store_url) == [
        "exceptions.csv is missing",
        "note.txt does not belong to the pack",
        "leavers.csv was changed after the pack was written",
    ]


def test_a_changed_manifest_is_found(pack: Path, year: Any, tmp_path: Path) -> None:
    copy = shutil.copytree(pack, tmp_path / "pack")
    manifest = json.loads((copy / MANIFEST).read_bytes())
    manifest["evidence"]["title"] = "Another"
    (copy / MANIFEST).write_text(json.dumps(manifest))
    assert problems(copy, year.settings.store_url) == ["manifest.json was changed after the pack was written"]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE events SET subject_name = 'eve' WHERE seq = 100", "event 100 was changed"),
        ("DELETE FROM events WHERE seq > 2000", "the log ends at event 2000"),
    ],
)
def test_a_log_that_was_changed_or_cut_is_found(
    pack: Path, year: Any, tmp_path: Path, statement: str, message: str
) -> None:
    store = shutil.copy(year.settings.home / "store.sqlite3", tmp_path / "store.sqlite3")
    engine = open_writer(f"sqlite:///{store}")
    with engine.begin() as connection:
        for name in (
            connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        ):
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
        connection.execute(sa.text(statement))
    engine.dispose()
    assert any(message in problem for problem in problems(pack, f"sqlite:///{store}"))


def test_the_command_verifies_a_pack(pack: Path, year: Any, tmp_path: Path) -> None:
    good = make.command("reports", "verify", str(pack), home=year.settings.home)
    assert (good.returncode, "holds" in good.stdout) == (0, True), good.stderr
    copy = shutil.copytree(pack, tmp_path / "pack")
    (copy / "leavers.csv").write_bytes(b"")
    bad = make.command("reports", "verify", str(copy), home=year.settings.home)
    assert (bad.returncode, "leavers.csv was changed" in bad.stderr) == (1, True)
    assert "2026-Q3" in make.command("reports", "list", home=year.settings.home).stdout


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "  =1"])
def test_a_cell_that_a_spreadsheet_would_run_is_neutralised(text: str) -> None:
    (_, [cell]) = csv.reader(io.StringIO(as_csv(["name"], [[text]]).decode(), newline=""))
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ['Ünïcode, "quoted"\nand more', "plain", "مرحبا"])
def test_any_other_text_survives_the_csv_unchanged(text: str) -> None:
    (_, [cell, number]) = csv.reader(io.StringIO(as_csv(["name", "n"], [[text, -1]]).decode(), newline=""))
    assert (cell, number) == (text, "-1")


def test_control_characters_do_not_reach_a_file() -> None:
    assert b"\x1b" not in as_csv(["name"], [["a\x1b[31mred\x00"]])
