"""Open connections that threads share: whoever takes one gives it back, so that no thread keeps one when it ends."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from scim_app.errors import StoreUnavailable

WAIT_SECONDS = 10.0
"""How long a thread waits for a connection that others use."""


class ConnectionPool:
    """At most `size` open connections of an engine.

    The pools of SQLAlchemy make a new `Connection` at each checkout, which costs ten times as much as a look-up by a
    prepared statement; here it stays open. The engine must not pool connections itself (`NullPool`).
    """

    def __init__(self, engine: sa.Engine, size: int) -> None:
        self._engine = engine
        self._idle: list[sa.Connection] = []
        """Last in, first out, so that a quiet service uses one connection, whose pages are cached."""
        self._permits: SimpleQueue[None] = SimpleQueue()
        for _ in range(size):
            self._permits.put(None)
        self._closed = False

    def take(self) -> sa.Connection:
        """Return an open connection, outside a transaction, that nobody else uses until `give_back`.

        Raises:
            StoreUnavailable: when all connections stay in use for `WAIT_SECONDS`.
            DBAPIError: when the database can't be connected to.
        """
        try:
            self._permits.get(timeout=WAIT_SECONDS)
        except Empty:
            raise StoreUnavailable("all connections to the store are in use; try again") from None
        try:
            return self._idle.pop()
        except IndexError:  # all that are open are in use
            try:
                return self._engine.connect()
            except BaseException:
                self._permits.put(None)
                raise

    def give_back(self, connection: sa.Connection) -> None:
        """Let others use a connection; what a transaction left open is undone, and what is broken is closed.

        One broken connection means that the server was away, so the idle ones are broken too.
        """
        try:
            if connection.in_transaction():
                connection.rollback()
            if connection.invalidated:
                connection.close()
                self._close_idle()
            else:
                self._idle.append(connection)
                if self._closed:
                    self._close_idle()
        except SQLAlchemyError:
            connection.invalidate()
            connection.close()
        finally:
            self._permits.put(None)

    def close(self) -> None:
        """Close the connections; those in use are closed when they are given back."""
        self._closed = True
        self._close_idle()
        self._engine.dispose()

    def _close_idle(self) -> None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was sooner
                return
            connection.close()


def on_connect(engine: sa.Engine, prepare: Callable[[Any], None]) -> None:
    """Have a function prepare each new connection of the driver; one that can't be prepared is closed."""

    @event.listens_for(engine, "connect")
    def connected(dbapi: Any, _record: object) -> None:
        try:
            prepare(dbapi)
        except BaseException:
            dbapi.close()
            raise
