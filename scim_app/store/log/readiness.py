"""Whether the store can serve now: reads, schema and writes. Balancers ask each second, so it costs little."""

import shutil
import threading
import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from scim_app.errors import StoreUnavailable
from scim_app.store.db import migrate
from scim_app.store.db.connections import ConnectionPool
from scim_app.store.db.engines import is_postgres, open_prober
from scim_app.store.db.tables import organizations
from scim_app.store.log.session import Store

LOOK_SECONDS = 1.0
"""How long an answer is good for; looks are as rare, whoever asks."""
FREE_BYTES = 1024 * 1024
"""With less free space than this on its disk, an embedded store will fail at one of its next writes."""

_READ_ONLY = sa.text("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'")
_FIRST = organizations.c.id == sa.select(sa.func.min(organizations.c.id)).scalar_subquery()


class Readiness:
    """Looks at a store as the requests of the service use it.

    A look opens a transaction that may write and writes nothing. Only after a write has failed for the database's
    sake it also writes, a row as it is, until that succeeds.
    """

    def __init__(self, store: Store, store_url: str) -> None:
        self._store = store
        self._folder = None if is_postgres(store_url) else Path(make_url(store_url).database or "").absolute().parent
        self._connections = ConnectionPool(open_prober(store_url), 1)
        self._looking = threading.Lock()
        self._looked_at = float("-inf")
        self._problems: dict[str, str] = {}

    def close(self) -> None:
        """Close the connection."""
        self._connections.close()

    def problems(self) -> dict[str, str]:
        """Return what is not ready (`reads`, `schema`, `writes`) and why; nothing when all is."""
        # Whoever asks while somebody looks is told what was seen last: a look may wait for a lock.
        if self._looking.acquire(blocking=False):
            try:
                if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                    self._problems = self._look()
                    self._looked_at = time.monotonic()
            finally:
                self._looking.release()
        return self._problems

    def _look(self) -> dict[str, str]:
        try:
            problem = self._store.glance(migrate.schema_problem)
        except StoreUnavailable as error:
            return {"reads": str(error)}
        found = {"schema": problem, "writes": self._unwritable()}
        return {name: reason for name, reason in found.items() if reason}

    def _unwritable(self) -> str:
        if self._folder and shutil.disk_usage(self._folder).free < FREE_BYTES:
            return "the disk of the store is full"
        failure = self._store.writer.failure
        try:
            connection = self._connections.take()
            try:
                with connection.begin():
                    if self._folder is None and connection.execute(_READ_ONLY).scalar_one():
                        return "the database is read-only"
                    if failure:
                        _write_a_row_as_it_is(connection)
            finally:
                self._connections.give_back(connection)
        except (DBAPIError, StoreUnavailable) as error:
            # A server's words may name hosts and users, a file's are "database is locked" and the like.
            return f"no write succeeds: {error.orig}" if self._folder and isinstance(error, DBAPIError) else _NO_WRITE
        if failure:
            self._store.writer.failure = ""
        return ""


_NO_WRITE = "no write succeeds: the database refuses it or can't be reached"


def _write_a_row_as_it_is(connection: sa.Connection) -> None:
    """Change a row and change it back: a change to the value that it has already reaches no disk on SQLite."""
    for step in (1, -1):
        connection.execute(sa.update(organizations).where(_FIRST).values(last_seq=organizations.c.last_seq + step))
