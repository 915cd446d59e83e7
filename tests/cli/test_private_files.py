"""Nobody but the owner reads what the service keeps, whatever the umask is and whatever was there before."""

import os
import stat
import subprocess
from pathlib import Path

import make
import pytest
from dagster_duckdb import DuckDBResource

from dagster_defs.resources import warehouse
from scim_app import private
from scim_app.errors import Refused
from scim_app.store.db import migrate


def run(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command of somebody whose files are everybody's to read and write."""
    program = [str(make.BIN / "dagster-scim"), *arguments]
    env = make.environment(home, DAGSTER_SCIM_PEPPER="p" * 40)
    return subprocess.run(program, env=env, umask=0, capture_output=True, text=True, timeout=300, check=False)


def open_to_others(home: Path) -> dict[str, str]:
    """What group or others may do anything with: the home and all below, with modes."""
    found = {path: path.stat().st_mode for path in (home, *home.rglob("*"))}
    return {str(path.relative_to(home)): stat.filemode(mode) for path, mode in found.items() if mode & 0o077}


def test_what_commands_make_is_their_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for arguments in (["migrate"], ["org", "create", "acme"], ["backup", str(home / "backups" / "one.sqlite3")]):
        done = run(home, *arguments)
        assert done.returncode == 0, done.stderr
    assert (home / "backups" / "one.sqlite3").exists()
    assert open_to_others(home) == {}


def test_a_store_that_others_could_read_is_mended_at_the_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make.organization(make.settings(home))
    names = ("store.sqlite3", "store.sqlite3-wal", "store.sqlite3-shm", "pepper", "warehouse.duckdb", "reports")
    (home / "reports").mkdir(exist_ok=True)
    for name in names:
        path = home / name
        path.touch() if not path.exists() else None
        path.chmod(0o755 if path.is_dir() else 0o644)
    home.chmod(0o755)
    with make.service(home):
        assert open_to_others(home).keys() <= {"service.log"}
    assert (home / "store.sqlite3").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another user, and play one")
def test_a_home_of_somebody_else_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    os.chown(home, 12345, -1)
    monkeypatch.setattr(private.os, "geteuid", lambda: 4321)
    with pytest.raises(Refused, match="belongs to another user"):
        private.make_home(home)
    assert home.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_everybody_writes_to_is_no_home(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(Refused, match="choose another one"):
        private.make_home(tmp_path)
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777


def test_a_store_elsewhere_and_the_warehouse_are_the_owners_alone_too(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        migrate.upgrade(f"sqlite:///{tmp_path / 'elsewhere' / 'store.sqlite3'}")
        resource = warehouse(make.settings(tmp_path / "home"))
        assert isinstance(resource, DuckDBResource)
        with resource.get_connection() as connection:
            connection.execute("CREATE TABLE one (two INTEGER)")
    finally:
        os.umask(before)
    assert open_to_others(tmp_path / "elsewhere") == {}
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "warehouse.duckdb").stat().st_mode & 0o777 == 0o600
