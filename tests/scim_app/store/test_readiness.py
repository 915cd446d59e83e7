"""Whether the store can serve: each way in which it can't is named, and a look writes nothing."""

import resource
from collections.abc import Generator
from pathlib import Path

import make
import pytest
import sqlalchemy as sa

from scim_app.errors import StoreUnavailable
from scim_app.store.access import organizations
from scim_app.store.db.engines import open_owner
from scim_app.store.log import readiness
from scim_app.store.log.readiness import Readiness
from scim_app.store.log.session import Store


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question is looked at."""
    monkeypatch.setattr(readiness, "LOOK_SECONDS", 0)


@pytest.fixture
def url(folder: Path) -> str:
    """A store with an organization."""
    return make.organization(make.settings(folder)).settings.store_url


@pytest.fixture
def store(url: str) -> Generator[Store]:
    """The store, open."""
    opened = Store(url)
    yield opened
    opened.close()


@pytest.fixture
def asked(store: Store, url: str) -> Generator[Readiness]:
    """What is asked."""
    opened = Readiness(store, url)
    yield opened
    opened.close()


@pytest.fixture
def owner(url: str) -> Generator[sa.Engine]:
    """Somebody else who has the store open, and may change anything."""
    engine = open_owner(url)
    yield engine
    engine.dispose()


def write(store: Store) -> None:
    """Write something."""
    store.write(lambda db: organizations.create(db, "another", actor=make.ACTOR))


def test_a_store_that_serves_has_no_problem_and_a_look_writes_nothing(
    asked: Readiness, store: Store, folder: Path
) -> None:
    def sizes() -> dict[str, tuple[int, int]]:
        return {
            one.name: (one.stat().st_size, one.stat().st_mtime_ns)
            for one in folder.glob("store.sqlite3*")
            if not one.name.endswith("-shm")
        }

    assert asked.problems() == {}
    before = sizes()
    for _ in range(20):
        assert asked.problems() == {}
    assert sizes() == before


@pytest.mark.parametrize(("revision", "problem"), [("0001", "earlier release"), ("9999", ""), (None, "no schema")])
def test_an_older_schema_is_named_and_a_newer_one_serves(
    asked: Readiness, owner: sa.Engine, revision: str | None, problem: str
) -> None:
    with owner.begin() as connection:
        if revision is None:
            connection.execute(sa.text("DELETE FROM alembic_version"))
        else:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :new"), {"new": revision})
    assert set(asked.problems()) == ({"schema"} if problem else set())
    assert problem in asked.problems().get("schema", "")


def test_a_store_that_is_locked_is_named_until_it_is_free(asked: Readiness, store: Store, owner: sa.Engine) -> None:
    if store.is_file:
        with owner.connect() as holding, holding.begin():
            assert "locked" in asked.problems()["writes"]
        assert asked.problems() == {}


def test_after_a_failure_a_look_writes_and_changes_nothing(asked: Readiness, store: Store) -> None:
    before = store.read(organizations.listing)
    store.writer.failure = "OperationalError"
    assert asked.problems() == {}
    assert store.writer.failure == ""
    assert store.read(organizations.listing) == before


def test_a_disk_without_room_is_named(asked: Readiness, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if store.is_file:
        monkeypatch.setattr(readiness, "FREE_BYTES", 2**62)
        assert "full" in asked.problems()["writes"]


def test_a_write_that_failed_is_remembered_until_a_write_succeeds(asked: Readiness, store: Store) -> None:
    if store.is_file:
        assert asked.problems() == {}  # a reader is there already
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
            with pytest.raises(StoreUnavailable):
                write(store)
            assert "no write succeeds" in asked.problems()["writes"]
            assert "no write succeeds" in asked.problems()["writes"]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert asked.problems() == {}
        write(store)


def test_who_asks_while_a_look_is_under_way_is_told_what_was_seen_last(asked: Readiness) -> None:
    assert asked.problems() == {}
    asked._problems = {"writes": "seen last"}  # pyright: ignore[reportPrivateUsage]
    with asked._looking:  # pyright: ignore[reportPrivateUsage]
        assert asked.problems() == {"writes": "seen last"}
    assert asked.problems() == {}
