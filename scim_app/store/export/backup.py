"""Backup of an embedded store, and what a restore owes to those who read the event log."""

import os
import sqlite3
import tempfile
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from scim_app.directory.events import Actor, Event, EventType
from scim_app.errors import Conflict, NotFound, StoreUnavailable
from scim_app.store.access import organizations
from scim_app.store.db import causes, migrate
from scim_app.store.db.engines import open_writer
from scim_app.store.db.stamps import new_id
from scim_app.store.db.tables import organizations as table
from scim_app.store.export import Export
from scim_app.store.log.event_log import Unit


def store_path(store_url: str) -> Path:
    """Return the file of an embedded store.

    Raises:
        ValueError: when the store is a server, whose own tools make backups.
    """
    url = make_url(store_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise ValueError("this store is a database server: back it up and restore it with its own tools (pg_dump)")
    return Path(url.database)


def write(store_url: str, target: Path) -> None:
    """Write a copy of the store as it is at this moment, readable by its owner alone; a running service goes on.

    Raises:
        NotFound: when there is no store.
        Conflict: when the target exists.
        StoreUnavailable: when the store can't be read, or the copy can't be written; nothing is left of it.
    """
    source = store_path(store_url)
    if not source.exists():
        raise NotFound(f"there is no store at {source}")
    if target.exists():
        raise Conflict(f"{target} exists already: a backup never replaces a file")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)  # for its owner alone
    os.close(handle)
    partial = Path(name)
    try:
        _copy(source, partial)
        if target.exists():
            raise Conflict(f"{target} exists already: a backup never replaces a file")
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    _sync(target.parent)


def _copy(source: Path, target: Path) -> None:
    """Write a copy of a store to an empty file.

    Raises:
        StoreUnavailable: when the store can't be read, or the copy can't be written.
    """
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM organizations")
            try:
                connection.execute("VACUUM INTO ?", [str(target)])
            except sqlite3.Error as error:
                reason = causes.of_folder(target.parent) or str(error)
                raise StoreUnavailable(f"the backup could not be written to {target.parent}: {reason}") from error
    except sqlite3.Error as error:
        raise causes.unavailable(error, f"sqlite:///{source}") from error
    _sync(target)


def put_back(store_url: str, backup: Path) -> Path | None:
    """Put a backup in the store's place, and return where the store that was there is now.

    The backup is checked first, and nothing is changed when it is damaged or the store is in use. Afterwards the
    schema is the newest; `begin_epoch` has still to be called.

    Raises:
        NotFound: when there is no such backup.
        StoreUnavailable: when the backup is damaged, or a service has the store open.
    """
    target = store_path(store_url)
    if not backup.exists():
        raise NotFound(f"there is no backup at {backup}")
    _require_whole(backup)
    target.parent.mkdir(parents=True, exist_ok=True)
    incoming = target.with_name(f"{target.name}.incoming")
    incoming.unlink(missing_ok=True)
    write(f"sqlite:///{backup}", incoming)
    aside = None
    if target.exists():
        _require_unused(target)
        aside = target.with_name(f"{target.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        target.replace(aside)
    for name in ("-wal", "-shm"):
        target.with_name(target.name + name).unlink(missing_ok=True)
    incoming.replace(target)
    _sync(target.parent)
    migrate.upgrade(store_url)
    return aside


def begin_epoch(store_url: str, actor: Actor) -> list[str]:
    """Begin a new life of every organization's log, with its event, and return their slugs.

    Whoever has copied events that the restore took back sees the new epoch and reads the log again from its start.

    Raises:
        StoreUnavailable: when a log is not whole; nothing is changed then.
    """
    _require_chains(store_url)
    engine = open_writer(store_url)
    try:
        with engine.begin() as connection:
            found = organizations.listing(connection)
            for one in found:
                _begin_epoch(connection, one, actor)
    finally:
        engine.dispose()
    return [one.slug for one in found]


def _begin_epoch(connection: sa.Connection, one: organizations.Organization, actor: Actor) -> None:
    connection.execute(sa.update(table).where(table.c["id"] == one.id).values(log_epoch=new_id()))
    Unit.begin(connection, one.id, actor).record(
        Event(
            type=EventType.LOG_RESTORED,
            subject_kind="organization",
            subject_id=one.id,
            subject_name=one.slug,
            change={"restored": {"last_event": one.last_seq}},
        )
    )


def _require_whole(backup: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM organizations")
            found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"{backup} is no backup of a store: {error}") from error
    if found != "ok":
        raise StoreUnavailable(f"{backup} is damaged: {found}")


def _require_unused(path: Path) -> None:
    """Raise when any other connection has the store open: it would go on with a file that is not there any more."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise StoreUnavailable("the store is in use: stop the service and Dagster before a restore") from error
        connection.execute("ROLLBACK")


def _require_chains(store_url: str) -> None:
    export = Export(store_url)
    try:
        broken = {head.slug: found for head in export.heads() if (found := export.first_break(head.org_id))}
    finally:
        export.close()
    for slug, found in broken.items():
        raise StoreUnavailable(f"the event log of {slug} is not whole: {found}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    with suppress(OSError):
        os.fsync(handle)
    os.close(handle)
