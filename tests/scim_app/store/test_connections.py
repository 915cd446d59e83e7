"""Connections belong to pools: threads come and go, and neither their number nor their end costs a connection."""

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import make
import one_table
import open_connections
import pytest
import sqlalchemy as sa
from one_table import insert, values
from sqlalchemy.exc import OperationalError

from scim_app.errors import StoreUnavailable
from scim_app.store.db import connections
from scim_app.store.db.connections import ConnectionPool
from scim_app.store.db.engines import open_server
from scim_app.store.db.prepared import Prepared
from scim_app.store.log.session import GLANCES, NOTES, READS, Store

MOST = READS + GLANCES + NOTES + 2
"""Most connections of a store: those of the pools, the writer's and that of short writes."""
_VALUES = Prepared(lambda _: sa.text("SELECT value FROM t ORDER BY value"))


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


@pytest.fixture
def pool(url: str, monkeypatch: pytest.MonkeyPatch) -> Generator[ConnectionPool]:
    """A pool of two connections, for which nobody waits long."""
    monkeypatch.setattr(connections, "WAIT_SECONDS", 0.05)
    opened = ConnectionPool(open_server(url), 2)
    yield opened
    opened.close()


def glanced(store: Store) -> list[int]:
    """What is there, by a prepared statement."""
    return store.glance(lambda db: [row[0] for row in _VALUES.all(db)])


def noted(store: Store) -> list[int]:
    """What notes are answered by: a number, and nothing where they can't be read."""
    return store.noting(lambda db: [db.exec_driver_sql("SELECT 1").scalar_one()], [])


def in_new_threads(asks: list[Callable[[], object]]) -> list[object]:
    """The answers of calls that all begin at once, each in a thread of its own that ends with it."""
    answers: list[object] = []
    begin = Barrier(len(asks))

    def run(ask: Callable[[], object]) -> None:
        begin.wait(60)
        try:
            answers.append(ask())
        except Exception as problem:
            answers.append(problem)

    threads = [threading.Thread(target=run, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_any_number_of_threads_share_few_connections(store: Store, url: str) -> None:
    store.write(insert(1))
    asks = [lambda: values(store), lambda: glanced(store), lambda: noted(store)] * 20
    for _ in range(10):
        assert in_new_threads(asks) == [[1]] * len(asks)
        assert open_connections.count(url) <= MOST
    store.write(insert(2))
    assert in_new_threads([lambda: values(store), lambda: glanced(store)]) == [[1, 2]] * 2


def test_a_quiet_store_opens_no_more_than_it_uses_at_once(store: Store, url: str) -> None:
    values(store)
    before = open_connections.count(url)
    for _ in range(20):
        assert in_new_threads([lambda: values(store)]) == [[]]
    assert open_connections.count(url) == before


def test_a_closed_store_leaves_no_connection_open(url: str) -> None:
    before = open_connections.count(url)
    store = Store(url)
    store.write(insert(1))
    begun, may_end = Event(), Event()

    def slow(db: sa.Connection) -> int:
        begun.set()
        assert may_end.wait(60)
        return db.execute(sa.text("SELECT count(*) FROM t")).scalar_one()

    with ThreadPoolExecutor() as threads:
        reading = threads.submit(store.read, slow)
        assert begun.wait(60)
        in_new_threads([lambda: values(store), lambda: glanced(store), lambda: noted(store)])
        store.close()
        may_end.set()
        assert reading.result(60) == 1
    make.until(lambda: open_connections.count(url) == before, what="the end of all connections")


def test_what_requests_read_of_a_file_waits_for_no_page(store: Store) -> None:
    busy, may_end = Barrier(READS + 1), Event()

    def hold(db: sa.Connection) -> list[int]:
        busy.wait(60)
        assert may_end.wait(60)
        return [db.execute(sa.text("SELECT 1")).scalar_one()]

    if store.is_file:
        with ThreadPoolExecutor(READS) as threads:
            held = [threads.submit(store.read, hold) for _ in range(READS)]
            busy.wait(60)
            assert asyncio.run(store.reading(lambda db: db.execute(sa.text("SELECT 2")).scalar_one(), "acme")) == 2
            assert store.glance_briefly(lambda db: db.execute(sa.text("SELECT 3")).scalar_one()) == 3
            may_end.set()
            assert [one.result(60) for one in held] == [[1]] * READS


def test_who_waits_gets_the_connection_that_comes_free_and_is_told_when_none_does(pool: ConnectionPool) -> None:
    first, second = pool.take(), pool.take()
    with pytest.raises(StoreUnavailable, match="in use"):
        pool.take()
    pool.give_back(first)
    assert pool.take() is first
    pool.give_back(first)
    pool.give_back(second)


def test_a_connection_comes_back_outside_a_transaction(pool: ConnectionPool) -> None:
    connection = pool.take()
    connection.execute(sa.text("SELECT 1"))
    assert connection.in_transaction()
    pool.give_back(connection)
    assert not pool.take().in_transaction()
    pool.give_back(connection)


def test_a_connection_that_can_not_be_made_takes_no_place(
    pool: ConnectionPool, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("connect", None, Exception("no such server"))

    with monkeypatch.context() as broken:
        broken.setattr(sa.Engine, "connect", refuse)
        for _ in range(5):
            with pytest.raises(OperationalError):
                pool.take()
    taken = [pool.take(), pool.take()]
    for connection in taken:
        pool.give_back(connection)


def test_a_broken_connection_is_closed_and_the_idle_ones_with_it(pool: ConnectionPool, url: str) -> None:
    first, second = pool.take(), pool.take()
    pool.give_back(second)
    first.invalidate()
    pool.give_back(first)
    assert (first.closed, second.closed) == (True, True)
    fresh = pool.take()
    assert fresh.execute(sa.text("SELECT 1")).scalar_one() == 1
    pool.give_back(fresh)
