"""The one writer: a failing write undoes itself alone, and nothing is answered before it is durable."""

from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import one_table
import pytest
import sqlalchemy as sa
from one_table import INSERT, insert, values

from scim_app.errors import StoreUnavailable, Unstorable
from scim_app.store.db import engines, postgres
from scim_app.store.db.engines import is_postgres, open_owner, open_reader, open_short_writer, open_writer
from scim_app.store.log.session import Store


@pytest.fixture
def url(folder: Path) -> str:
    """A store with one table."""
    return one_table.create(folder)


@pytest.fixture
def store(url: str) -> Generator[Store]:
    """The store, open."""
    opened = Store(url)
    yield opened
    opened.close()


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
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"readonly|read-only"):
        connection.execute(sa.text(INSERT), {"value": 1})
    engine.dispose()


def test_every_connection_waits_for_the_disk(url: str) -> None:
    asked = {
        "sqlite": {"PRAGMA synchronous": 2, "PRAGMA journal_mode": "wal"},
        "postgresql": {"SHOW synchronous_commit": "on", "SHOW fsync": "on", "SHOW full_page_writes": "on"},
    }
    for engine in (open_writer(url), *(() if is_postgres(url) else (open_short_writer(url),))):
        with engine.connect() as connection:
            for question, answer in asked[engine.name].items():
                assert connection.exec_driver_sql(question).scalar() == answer
        engine.dispose()


def test_a_store_that_somebody_holds_is_unavailable_and_works_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(postgres, "WRITING", replace(postgres.WRITING, lock="50ms"))
    store, other = Store(url), open_owner(url)
    with other.connect() as holding, holding.begin():
        if other.name == "postgresql":
            holding.execute(sa.text("LOCK TABLE t"))
        with pytest.raises(StoreUnavailable, match="nothing was changed"):
            store.write(insert(1))
    assert store.write(insert(1)) == 1
    assert values(store) == [1]
    store.close()
    other.dispose()


def test_a_text_that_no_row_can_hold_is_the_clients_error(store: Store, url: str) -> None:
    def ask(db: sa.Connection) -> list[int]:
        return list(
            db.execute(sa.text("SELECT value FROM t WHERE CAST(value AS TEXT) = :text"), {"text": "\0"}).scalars()
        )

    with pytest.raises(Unstorable, match="NUL") if is_postgres(url) else nullcontext():
        assert store.read(ask) == []
    assert values(store) == []
