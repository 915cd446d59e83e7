"""Connections: how the store is opened, and the one writer that shares a commit among waiting requests."""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from scim_app.errors import StoreUnavailable

T = TypeVar("T")
Work = Callable[[sa.Connection], Any]

BUSY_SECONDS = 5
GROUP_LIMIT = 64
"""Most writes that share one commit."""


def _open(store_url: str, begin: str, *, read_only: bool) -> sa.Engine:
    url = make_url(store_url)
    if url.get_backend_name() != "sqlite":
        raise StoreUnavailable(f"the store {url.get_backend_name()!r} is not supported; use an SQLite address")
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # Errors are logged, people's data is not.
    engine = sa.create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def prepare(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.isolation_level = None  # we begin by ourselves, so that writers take the lock at once
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute("PRAGMA synchronous=FULL")
        if dbapi.execute("PRAGMA synchronous").fetchone() != (2,):
            raise StoreUnavailable("SQLite refuses synchronous=FULL: an acknowledged write would not be safe")
        if read_only:
            dbapi.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def exists(store_url: str) -> bool:
    """Tell whether there is a store to open; of a server only a connection can tell, so it counts as there."""
    url = make_url(store_url)
    return url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:") or Path(url.database).exists()


def open_reader(store_url: str) -> sa.Engine:
    """Return an engine whose connections can only read."""
    return _open(store_url, "BEGIN", read_only=True)


def open_writer(store_url: str) -> sa.Engine:
    """Return an engine whose transactions take the write lock at their start."""
    return _open(store_url, "BEGIN IMMEDIATE", read_only=False)


class Store:
    """The open store: reads on a held connection, writes through one thread that commits them in groups.

    A write's result is given out only after COMMIT. Writes that wait at the same time share one
    transaction, each in a savepoint of its own: a failing one undoes itself alone.
    """

    def __init__(self, store_url: str) -> None:
        self._readers = open_reader(store_url)
        self._writers = open_writer(store_url)
        self._local = threading.local()
        self._queue: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the writes that wait and close the connections."""
        self._queue.put(None)
        self._thread.join()
        self._readers.dispose()
        self._writers.dispose()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what `work` reads, in one transaction on this thread's own connection."""
        connection: sa.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._readers.connect()
        try:
            with connection.begin():
                return work(connection)
        except OperationalError as error:
            raise StoreUnavailable("the store can't be read now; try again") from error

    def submit(self, work: Callable[[sa.Connection], T]) -> "Future[T]":
        """Queue a write; the future gives its result once it is durable, or the error that undid it."""
        future: Future[T] = Future()
        self._queue.put((work, future))
        return future

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run a write and wait until it is durable."""
        return self.submit(work).result()

    def _run(self) -> None:
        with self._writers.connect() as connection:
            while (first := self._queue.get()) is not None:
                if not self._commit_group(connection, [first, *self._waiting()]):
                    return

    def _waiting(self) -> list[tuple[Work, Future[Any]] | None]:
        found: list[tuple[Work, Future[Any]] | None] = []
        while len(found) < GROUP_LIMIT - 1:
            try:
                found.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return found

    def _commit_group(self, connection: sa.Connection, group: list[tuple[Work, Future[Any]] | None]) -> bool:
        """Run a group of writes in one transaction, then answer them all. False when asked to stop."""
        jobs = [job for job in group if job is not None]
        answers: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with connection.begin():
                for work, future in jobs:
                    answers.append((future, *_in_savepoint(connection, work)))
        except DBAPIError as error:
            unavailable = StoreUnavailable("the store can't be written now; nothing was changed, try again")
            unavailable.__cause__ = error
            answers = [(future, None, unavailable) for _, future in jobs]
        for future, result, problem in answers:
            if problem is None:
                future.set_result(result)
            else:
                future.set_exception(problem)
        return None not in group


def _in_savepoint(connection: sa.Connection, work: Work) -> tuple[Any, BaseException | None]:
    try:
        with connection.begin_nested():
            return work(connection), None
    except OperationalError:
        raise  # locked, full or gone: the whole group is undone
    except Exception as problem:
        return None, problem
