"""The dbt manifest: made once, whole whenever it is read, and made anew when it is not."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import make
import pytest
from dagster_dbt import DbtCliResource, DbtProject

from dagster_defs.assets import marts


def project(folder: Path) -> DbtProject:
    """A checkout of the dbt project, not parsed yet."""
    command = ["git", "ls-files", "-z", "dbt_like_reports"]
    listed = subprocess.run(command, cwd=make.ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((make.ROOT / name).read_bytes())
    return DbtProject(folder / "dbt_like_reports")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DbtProject:
    """A checkout that is not parsed yet, and a dbt that parses it."""
    checkout = project(tmp_path)
    dbt = DbtCliResource(project_dir=checkout, dbt_executable=str(make.BIN / "dbt"))
    monkeypatch.setattr(marts, "dbt", lambda: dbt)
    return checkout


def test_a_manifest_is_never_written_in_place_and_a_broken_one_is_made_anew(made: DbtProject) -> None:
    path = made.manifest_path
    with ThreadPoolExecutor(2) as pool:
        assert len({len(one["nodes"]) for one in pool.map(marts.manifest, [made] * 2)}) == 1
    whole = json.loads(path.read_bytes())
    assert [file.name for file in path.parent.iterdir() if file.is_dir()] == []

    first = path.stat()
    assert marts.manifest(made)["nodes"].keys() == whole["nodes"].keys()
    assert (path.stat().st_ino, path.stat().st_mtime) == (first.st_ino, first.st_mtime)  # nothing to do

    with path.open("ab") as file:
        file.write(b"}}")  # as two writers left it
        reader = path.open("rb")
    assert marts.manifest(made)["nodes"].keys() == whole["nodes"].keys()
    assert json.loads(path.read_bytes())["nodes"].keys() == whole["nodes"].keys()
    with reader:
        assert reader.read().endswith(b"}}}")  # who reads keeps what was there: it was replaced, not written over


def test_the_assets_are_those_of_the_manifest() -> None:
    assert {key.path[-1] for key in marts.evidence_register.keys} >= {marts.REGISTER}
