"""Why the store's database can't be used now, in one sentence that says what to do."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from scim_app.errors import StoreUnavailable

READ_ONLY = "its disk is read-only: mount it for writing"
FULL = "its disk is full: make room"
NOT_PERMITTED = "this user may not write there: check who owns the folder and its files"
DAMAGED = "the file is damaged or no store: stop the service and run `dagster-scim restore` with a backup"
BUSY = "another process holds its lock: wait for it, or end it"

_BY_NAME = {
    "SQLITE_FULL": FULL,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
}


def unavailable(error: DBAPIError | sqlite3.Error, store_url: str) -> StoreUnavailable:
    """Return the error that names why the store at an address can't be used, the problem of its driver as the cause."""
    problem = error.orig if isinstance(error, DBAPIError) else error
    path = make_url(store_url).database
    if isinstance(problem, sqlite3.Error) and path:
        sentence = f"the store {path} can't be used: {_of_file(problem, Path(path).parent)}"
    else:
        reason = str(problem).strip().splitlines()[0]
        sentence = f"the store can't be opened: {reason}; check DAGSTER_SCIM_DATABASE_URL"
    unavailable = StoreUnavailable(sentence)
    unavailable.__cause__ = error
    return unavailable


def _of_file(problem: sqlite3.Error, folder: Path) -> str:
    """SQLite often says only that it can't open a file, or that the disk failed; the folder tells why."""
    name = getattr(problem, "sqlite_errorname", "").removesuffix("_VTAB")
    known = next((sentence for prefix, sentence in _BY_NAME.items() if name.startswith(prefix)), None)
    return known or of_folder(folder) or f"{problem}; check the folder and its disk"


def of_folder(folder: Path) -> str | None:
    """Return why nothing can be written to a folder, None where no reason is known."""
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        return f"{folder}: {error.strerror}"
    if disk.f_flag & os.ST_RDONLY:
        return READ_ONLY
    if not disk.f_bavail or (disk.f_files and not disk.f_favail):
        return FULL
    return None if os.access(folder, os.W_OK | os.X_OK) else NOT_PERMITTED
