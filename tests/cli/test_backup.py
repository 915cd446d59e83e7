"""Backup and restore: nothing of the backup is lost, what came after is gone, and readers can tell."""

import os
import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import make
import pytest

from scim_app.errors import Conflict, StoreUnavailable
from scim_app.store.db import causes, migrate
from scim_app.store.export import backup


def people(organization: make.Organization) -> list[str]:
    with organization.export() as export:
        (head,) = export.heads()
        assert export.first_break(head.org_id) is None
        assert export.unexplained(head.org_id) == []
        return [row["user_name"] for row in export.snapshot(head.org_id, head.last_seq).users]


def provision(organization: make.Organization, home: Path, *names: str) -> None:
    with make.service(home) as running, organization.client(running.address) as client:
        for name in names:
            assert client.post("/Users", json=make.user(name)).status_code == 201


def test_a_restore_gives_the_state_of_the_backup_in_a_new_epoch_of_the_log(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "kept" / "store.backup"
    organization = make.organization(make.settings(home))
    provision(organization, home, "ada@example.com")
    before = organization.events()
    assert make.command("backup", str(copy), home=home).returncode == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    provision(organization, home, "late@example.com")

    restored = make.command("restore", str(copy), home=home)
    assert restored.returncode == 0, restored.stderr
    assert "acme" in restored.stderr
    assert people(organization) == ["ada@example.com"]
    after = organization.events()
    assert after[: len(before)] == before
    assert [event["type"] for event in after[len(before) :]] == ["log.restored"]
    assert after[-1]["log_epoch"] != before[-1]["log_epoch"]
    assert len(list(home.glob("store.sqlite3.before-*"))) == 1


def test_a_backup_is_whole_while_the_service_writes(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "store.backup"
    organization = make.organization(make.settings(home))
    with make.service(home) as running, organization.client(running.address) as client:
        assert client.post("/Users", json=make.user("ada@example.com")).status_code == 201
        assert make.command("backup", str(copy), home=home).returncode == 0
        refused = make.command("restore", str(copy), home=home)
        assert refused.returncode == 1
        assert "stop the service" in refused.stderr
        assert client.get("/Users").json()["totalResults"] == 1
    other = tmp_path / "other"
    assert make.command("restore", str(copy), home=other).returncode == 0
    assert people(make.Organization(make.settings(other), organization.id, "acme", "")) == ["ada@example.com"]


@pytest.mark.parametrize("content", [b"", b"no store at all", b"SQLite format 3\x00" + bytes(4096)])
def test_what_is_no_backup_is_refused_and_the_store_stays(tmp_path: Path, content: bytes) -> None:
    home, copy = tmp_path / "home", tmp_path / "broken"
    organization = make.organization(make.settings(home))
    copy.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="broken"):
        backup.put_back(organization.settings.store_url, copy)
    assert people(organization) == []


def test_a_backup_never_replaces_a_file(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "kept"
    organization = make.organization(make.settings(home))
    copy.write_text("mine")
    with pytest.raises(Conflict, match="exists already"):
        backup.write(organization.settings.store_url, copy)
    assert copy.read_text() == "mine"


@contextmanager
def _no_file_longer_than(length: int) -> Generator[None]:
    """Have the system refuse to write more to a file, as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_backup_that_does_not_fit_leaves_nothing_and_does_not_block_the_next(tmp_path: Path) -> None:
    organization = make.organization(make.settings(tmp_path / "home"))
    copy = tmp_path / "kept" / "store.backup"
    with _no_file_longer_than(65_536), pytest.raises(StoreUnavailable, match="backup could not be written"):
        backup.write(organization.settings.store_url, copy)
    assert list(copy.parent.iterdir()) == []
    backup.write(organization.settings.store_url, copy)
    assert list(copy.parent.iterdir()) == [copy]


@pytest.mark.parametrize("arguments", ["migrate", "user list acme", "org create other", "serve", "backup copy"])
@pytest.mark.parametrize("length", [5_000, 20_000])
def test_a_truncated_store_is_named_as_damaged(tmp_path: Path, arguments: str, length: int) -> None:
    make.organization(make.settings(tmp_path))
    store = tmp_path / "store.sqlite3"
    os.truncate(store, length)
    for name in ("store.sqlite3-wal", "store.sqlite3-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    arguments = arguments.replace("copy", str(tmp_path / "copy"))
    refused = make.command(*arguments.split(), home=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"the store {store} can't be used: the file is damaged or no store: "
        "stop the service and run `dagster-scim restore` with a backup"
    ]
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("disk", "sentence"),
    [
        ({"f_flag": os.ST_RDONLY, "f_bavail": 9}, causes.READ_ONLY),
        ({"f_flag": 0, "f_bavail": 0}, causes.FULL),
        ({"f_flag": 0, "f_bavail": 9, "f_files": 9, "f_favail": 0}, causes.FULL),
    ],
    ids=["read-only", "full", "no more files"],
)
def test_a_store_that_can_not_be_opened_is_blamed_on_its_disk_and_not_on_its_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: dict[str, int], sentence: str
) -> None:
    (tmp_path / "store.sqlite3").mkdir()  # SQLite says that it can't open it, as it does on such a disk
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**{"f_files": 0, "f_favail": 0, **disk}))
    with pytest.raises(StoreUnavailable, match=sentence):
        migrate.require_current(f"sqlite:///{tmp_path / 'store.sqlite3'}")
