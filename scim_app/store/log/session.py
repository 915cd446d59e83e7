"""The open store: reads of one moment, and writes that are answered once they are durable."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError

from scim_app.errors import StoreUnavailable, Unstorable
from scim_app.store.db import allowance, postgres
from scim_app.store.db.allowance import LongWork
from scim_app.store.db.connections import ConnectionPool
from scim_app.store.db.engines import (
    is_postgres,
    open_glancer,
    open_notes,
    open_server,
    open_short_writer,
    open_writer,
)
from scim_app.store.log.aside import Aside
from scim_app.store.log.short_writes import ShortWrites
from scim_app.store.log.writer import Job, Writer

T = TypeVar("T")

READERS = 8
"""Threads that read from a server on behalf of the event loop."""
FILE_READERS = 4
"""Threads that read from a file what would hold the event loop up, or work on what was read."""
READS = 10
"""Connections for reads, which the readers and the threads of pages share."""
GLANCES = READERS + 1
"""Connections for glances, and for whatever the event loop reads itself, which so never waits for pages."""
NOTES = 5
"""Connections for notes, each of which takes a millisecond."""


class Store:
    """The open store: reads on connections of bounded pools, writes through one writer.

    The same on SQLite and PostgreSQL. A write of an organization gives its id as key. A server sees at most
    `READS + GLANCES + NOTES` connections and the writer's.
    """

    def __init__(self, store_url: str) -> None:
        self._reads = ConnectionPool(open_server(store_url), READS)
        self._glances = ConnectionPool(open_glancer(store_url), GLANCES)
        self._notes = ConnectionPool(open_notes(store_url), NOTES)
        self._writers = open_writer(store_url)
        self.is_file = not is_postgres(store_url)
        """Whether short reads are so short that nobody need wait for them elsewhere: SQLite's."""
        self._aside = Aside(FILE_READERS if self.is_file else READERS)
        self.writer = Writer(self._writers)
        self._short_writers = open_short_writer(store_url) if self.is_file else None
        self._disk = ThreadPoolExecutor(1, "store-commit")
        self._short: dict[asyncio.AbstractEventLoop, ShortWrites] = {}

    def close(self) -> None:
        """Finish the writes that wait and close the connections."""
        self._disk.shutdown()
        self.writer.close()
        if self._short_writers is not None:
            self._short_writers.dispose()
        self._aside.close()
        self._writers.dispose()
        for pool in (self._reads, self._glances, self._notes):
            pool.close()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what `work` reads, in one transaction.

        Raises:
            StoreUnavailable: when the database can't be read now.
            LongWork: when that takes longer than is allowed.
            Unstorable: when `work` asks for a text that no row can hold.
        """
        return self._read(self._reads, lambda db: _in_transaction(db, work))

    def glance(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what `work` reads by prepared statements, each of which sees the moment that it runs at.

        Raises:
            StoreUnavailable: when the database can't be read now.
            LongWork: when that takes longer than is allowed.
            Unstorable: when `work` asks for a text that no row can hold.
        """
        return self._read(self._glances, work)

    def noting(self, work: Callable[[sa.Connection], T], otherwise: T) -> T:
        """Return what `work` does with the notes that processes leave each other; `otherwise` where it can't."""
        try:
            return self._use(self._notes, work)
        except (DBAPIError, StoreUnavailable):
            return otherwise

    def _read(self, pool: ConnectionPool, work: Callable[[sa.Connection], T]) -> T:
        try:
            return self._use(pool, work)
        except DataError as error:
            raise Unstorable.because(error) from error
        except DBAPIError as error:
            if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
                raise _unread(error) from error
            raise

    def _use(self, pool: ConnectionPool, work: Callable[[sa.Connection], T]) -> T:
        connection = pool.take()
        try:
            return work(connection)
        finally:
            pool.give_back(connection)

    def glance_briefly(self, work: Callable[[sa.Connection], T]) -> T | None:
        """Return what `work` reads, as `glance` does, on the event loop; None where it would hold that up."""
        try:
            with allowance.of_loop():
                return self.glance(work)
        except LongWork:
            return None

    async def reading(self, work: Callable[[sa.Connection], T], key: str) -> T:
        """Return what `work` reads, as `read` does, in a thread, for so long and so much as is allowed.

        Args:
            work: the read.
            key: the organization, which takes half of the threads at most.

        Raises:
            LongWork: when it takes longer, or costs more.
        """
        pool = self._glances if self.is_file else self._reads  # those of a file never wait for the threads of pages
        return await self._aside.run(partial(self._read, pool, lambda db: _in_transaction(db, work)), key)

    async def aside(self, work: Callable[[], T], key: str) -> T:
        """Return what `work` returns, in a thread, as `reading` does for what needs no store."""
        return await self._aside.run(work, key)

    async def glancing(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what `work` reads, as `glance` does, in a thread."""
        return await self._aside.run(partial(self.glance, work))

    def submit(self, work: Callable[[sa.Connection], T], key: str = "") -> "Future[T]":
        """Queue a write; the future gives its result once it is durable, or the error that undid it."""
        job = Job(work, key)
        self.writer.submit(job)
        return job.future

    async def writing(self, work: Callable[[sa.Connection], T], key: str, *, short: bool = False) -> T:
        """Return what a write returns, once it is durable.

        Args:
            work: the write.
            key: what it locks, as for `submit`.
            short: whether it takes so little that the event loop may do it, where the store is a file.
        """
        if not short or self._short_writers is None:
            return await asyncio.wrap_future(self.submit(work, key))
        loop = asyncio.get_running_loop()
        mine = self._short.get(loop)
        if mine is None:
            mine = self._short[loop] = ShortWrites(self._short_writers, self.writer, self._disk)
        return await mine.add(work, key)

    def write(self, work: Callable[[sa.Connection], T], key: str = "") -> T:
        """Run a write and wait until it is durable."""
        return self.submit(work, key).result()


def _in_transaction(connection: sa.Connection, work: Callable[[sa.Connection], T]) -> T:
    with connection.begin():
        return work(connection)


def _unread(error: DBAPIError) -> Exception:
    """Return why nothing was read: the work was stopped, or the database can't be read now."""
    if allowance.is_spent() or postgres.is_timeout(error):
        return LongWork()
    return StoreUnavailable("the store can't be read now; try again")
