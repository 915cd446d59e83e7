"""A store with one more table of unique numbers, for tests of how writes are run."""

from pathlib import Path

import make
import sqlalchemy as sa

from scim_app.store.db.engines import open_owner
from scim_app.store.log.session import Store
from scim_app.store.log.writer import Work

INSERT = "INSERT INTO t VALUES (:value)"


def create(folder: Path) -> str:
    """Make the table and return the store's address."""
    url = make.settings(folder).store_url
    engine = open_owner(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (value INTEGER UNIQUE)"))
        if engine.name == "postgresql":
            connection.execute(sa.text("GRANT ALL ON t TO PUBLIC"))
    engine.dispose()
    return url


def insert(value: int) -> Work:
    """Return a write."""
    return lambda db: db.execute(sa.text(INSERT), {"value": value}).rowcount


def values(store: Store) -> list[int]:
    """Return what is there."""
    return store.read(lambda db: list(db.execute(sa.text("SELECT value FROM t ORDER BY value")).scalars()))
