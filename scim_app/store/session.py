"""The open store: reads of one moment, and writes that are answered once they are durable."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DataError, InterfaceError, OperationalError

from scim_app.errors import StoreUnavailable, Unstorable
from scim_app.store.engines import open_server, open_writer
from scim_app.store.writer import Job, Writer

T = TypeVar("T")


class Store:
    """The open store: reads on a connection that each thread holds, writes through one writer.

    The same on SQLite and PostgreSQL. A write of an organization gives its id as key.
    """

    def __init__(self, store_url: str) -> None:
        self._readers = open_server(store_url)
        self._writers = open_writer(store_url)
        self._local = threading.local()
        self._held: list[sa.Connection] = []
        self._writer = Writer(self._writers)

    def close(self) -> None:
        """Finish the writes that wait and close the connections."""
        self._writer.close()
        for held in self._held:
            held.close()
        self._readers.dispose()
        self._writers.dispose()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what `work` reads, in one transaction on this thread's own connection.

        Raises:
            StoreUnavailable: when the database can't be read now.
            Unstorable: when `work` asks for a text that no row can hold.
        """
        try:
            with self._connection().begin() as transaction:
                return work(transaction.connection)
        except (OperationalError, InterfaceError) as error:
            raise StoreUnavailable("the store can't be read now; try again") from error
        except DataError as error:
            raise Unstorable.because(error) from error

    def submit(self, work: Callable[[sa.Connection], T], key: str = "") -> "Future[T]":
        """Queue a write; the future gives its result once it is durable, or the error that undid it."""
        job = Job(work, key)
        self._writer.submit(job)
        return job.future

    def write(self, work: Callable[[sa.Connection], T], key: str = "") -> T:
        """Run a write and wait until it is durable."""
        return self.submit(work, key).result()

    def _connection(self) -> sa.Connection:
        held: sa.Connection | None = getattr(self._local, "connection", None)
        if held is None:
            held = self._local.connection = self._readers.connect()
            self._held.append(held)
        return held
