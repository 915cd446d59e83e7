"""Opening the store's database, SQLite or PostgreSQL, so that what it acknowledges is on the disk."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url

from scim_app.errors import StoreUnavailable
from scim_app.private import make_file, secure
from scim_app.store.db import allowance, postgres
from scim_app.store.db.connections import on_connect
from scim_app.store.db.json_sql import SAME_MOMENT
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.stamps import same_moment

BUSY_SECONDS = 5
"""How long a statement waits for a lock that another connection holds."""

PROBE_SECONDS = 2
"""How long a look at whether writes are possible waits for such a lock."""

_WALKS = (
    "CREATE TABLE IF NOT EXISTS walk_ends (org_id TEXT, token_id TEXT, search TEXT, start INTEGER, place TEXT, "
    "until TEXT, waiting INTEGER, PRIMARY KEY (org_id, token_id, search, start, place)) WITHOUT ROWID"
)
"""The notes, as migration 0011 has them on PostgreSQL."""


def is_postgres(store_url: str) -> bool:
    """Tell whether the store is a PostgreSQL database.

    Raises:
        StoreUnavailable: when it is neither that nor SQLite.
    """
    backend = make_url(store_url).get_backend_name()
    if backend not in ("sqlite", "postgres", "postgresql"):
        raise StoreUnavailable(f"the store {backend!r} is not supported; use an SQLite or a PostgreSQL address")
    return backend != "sqlite"


def exists(store_url: str) -> bool:
    """Tell whether there is a store to open; of a server only a connection can tell, so it counts as there."""
    database = make_url(store_url).database
    return is_postgres(store_url) or database in (None, "", ":memory:") or Path(database).exists()


def open_reader(store_url: str) -> sa.Engine:
    """Return an engine whose connections can only read, each transaction one moment of the store."""
    if is_postgres(store_url):
        return postgres.open_engine(store_url, postgres.READING)
    return _open_sqlite(store_url, "BEGIN", read_only=True)


def open_server(store_url: str) -> sa.Engine:
    """Return an engine for the reads of requests, which take no long time; its connections go to a `ConnectionPool`."""
    if is_postgres(store_url):
        return postgres.open_engine(store_url, postgres.SERVING, sa.NullPool)
    return _open_sqlite(store_url, "BEGIN", read_only=True, pool=sa.NullPool)


def open_glancer(store_url: str) -> sa.Engine:
    """Return an engine for single statements outside transactions. For a `ConnectionPool`."""
    return (
        postgres.open_engine(store_url, postgres.GLANCING, sa.NullPool)
        if is_postgres(store_url)
        else open_server(store_url)
    )


def open_writer(store_url: str) -> sa.Engine:
    """Return an engine for writes; on SQLite its transactions take the write lock at their start."""
    if is_postgres(store_url):
        return postgres.open_engine(store_url, postgres.WRITING)
    return _open_sqlite(store_url, "BEGIN IMMEDIATE", read_only=False)


def open_short_writer(store_url: str) -> sa.Engine:
    """Return an engine for writes to a file that wait for nobody: a transaction begins at once or not at all."""
    return _open_sqlite(store_url, "BEGIN IMMEDIATE", read_only=False, busy_seconds=0)


def open_prober(store_url: str) -> sa.Engine:
    """Return an engine that tells whether writes are possible; its connections go to a `ConnectionPool`."""
    if is_postgres(store_url):
        return postgres.open_engine(store_url, postgres.PROBING, sa.NullPool)
    return _open_sqlite(store_url, "BEGIN IMMEDIATE", read_only=False, busy_seconds=PROBE_SECONDS, pool=sa.NullPool)


def open_notes(store_url: str) -> sa.Engine:
    """Return an engine for what the processes of the service tell each other, and may forget with the machine.

    On SQLite that is a file beside the store, so that a note waits for no write of the store and for no disk. Its
    connections go to a `ConnectionPool`.
    """
    if is_postgres(store_url):
        return postgres.open_engine(store_url, postgres.NOTING, sa.NullPool)
    url = make_url(store_url)
    beside = url if url.database in (None, "", ":memory:") else url.set(database=f"{url.database}-notes")
    _make_private(beside.database, mend=True)
    waiting = {"timeout": 1, "check_same_thread": False}
    engine = sa.create_engine(beside, hide_parameters=True, poolclass=sa.NullPool, connect_args=waiting)

    def prepare(dbapi: sqlite3.Connection) -> None:
        dbapi.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=OFF"):
            dbapi.execute(f"PRAGMA {pragma}")
        dbapi.execute(_WALKS)

    on_connect(engine, prepare)
    return engine


def open_owner(store_url: str) -> sa.Engine:
    """Return an engine that may change the schema, and takes the time that this takes."""
    return postgres.open_engine(store_url, postgres.OWNING) if is_postgres(store_url) else open_writer(store_url)


def _make_private(database: str | None, *, mend: bool) -> None:
    """Make the file of a database its owner's alone; SQLite gives its mode to the files beside it.

    Who only reads leaves the one that is there alone.
    """
    if not database or database == ":memory:":
        return
    path = Path(database)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if mend or not path.exists():
        make_file(path)
        for beside in ("-wal", "-shm"):
            secure(path.with_name(path.name + beside))


def _open_sqlite(
    store_url: str, begin: str, *, read_only: bool, busy_seconds: float | None = None, pool: type[sa.Pool] | None = None
) -> sa.Engine:
    url = make_url(store_url)
    _make_private(url.database, mend=not read_only)
    # Errors are logged, people's data is not.
    waiting = {"timeout": BUSY_SECONDS if busy_seconds is None else busy_seconds, "check_same_thread": False}
    engine = sa.create_engine(url, hide_parameters=True, poolclass=pool, connect_args=waiting)

    def prepare(dbapi: sqlite3.Connection) -> None:
        dbapi.isolation_level = None  # we begin by ourselves, so that writers take the lock at once
        dbapi.create_function(SAME_MOMENT, 1, same_moment, deterministic=True)
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute("PRAGMA synchronous=FULL")
        if dbapi.execute("PRAGMA synchronous").fetchone() != (2,):
            raise StoreUnavailable("SQLite refuses synchronous=FULL: an acknowledged write would not be safe")
        if read_only:
            dbapi.execute("PRAGMA query_only=ON")
        else:
            # What undoes a savepoint stays in memory; in a temporary file it would double what a write gives the disk.
            dbapi.execute("PRAGMA temp_store=MEMORY")
        dbapi.set_progress_handler(allowance.is_spent, allowance.STEPS)

    on_connect(engine, prepare)
    beginning = Prepared(lambda _: sa.text(begin))

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: sa.Connection) -> None:
        beginning.run(connection)

    return engine
