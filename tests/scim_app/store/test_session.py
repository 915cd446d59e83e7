"""The one writer: a failing write undoes itself alone, and nothing is answered before it is durable."""

from collections.abc import Generator
from pathlib import Path

import make
import pytest
import sqlalchemy as sa

from scim_app.errors import StoreUnavailable
from scim_app.store import session
from scim_app.store.session import Store, open_reader, open_writer

INSERT = "INSERT INTO t VALUES (:value)"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with one table."""
    url = make.settings(tmp_path).store_url
    engine = open_writer(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (value INTEGER UNIQUE)"))
    engine.dispose()
    return url


@pytest.fixture
def store(url: str) -> Generator[Store]:
    """The store, open."""
    opened = Store(url)
    yield opened
    opened.close()


def insert(value: int) -> session.Work:
    """A write."""
    return lambda db: db.execute(sa.text(INSERT), {"value": value}).rowcount


def values(store: Store) -> list[int]:
    """What is there."""
    return store.read(lambda db: list(db.execute(sa.text("SELECT value FROM t ORDER BY value")).scalars()))


def test_of_writes_that_wait_together_a_failing_one_undoes_itself_alone(store: Store) -> None:
    futures = [store.submit(insert(value)) for value in (1, 2, 2, 3)]
    problems = [future.exception(10) for future in futures]
    assert [type(problem) for problem in problems] == [type(None), type(None), sa.exc.IntegrityError, type(None)]
    assert values(store) == [1, 2, 3]


def test_an_error_in_the_middle_of_a_write_leaves_nothing_of_it(store: Store) -> None:
    def half(db: sa.Connection) -> None:
        insert(1)(db)
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        store.write(half)
    assert values(store) == []


def test_a_reader_can_not_write(url: str) -> None:
    engine = open_reader(url)
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.execute(sa.text(INSERT), {"value": 1})
    engine.dispose()


def test_every_connection_waits_for_the_disk(url: str) -> None:
    engine = open_writer(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_a_store_that_somebody_holds_is_unavailable_and_works_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "BUSY_SECONDS", 0.05)
    store, other = Store(url), open_writer(url)
    with other.connect() as holding, holding.begin(), pytest.raises(StoreUnavailable, match="nothing was changed"):
        store.write(insert(1))
    assert store.write(insert(1)) == 1
    assert values(store) == [1]
    store.close()
    other.dispose()
