"""Statements of the hot paths: compiled once for each database, then handed to the driver as text.

Executing a statement by SQLAlchemy costs 25 µs, of which SQLite needs 3; everything else goes the usual way.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter, methodcaller
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from scim_app.store.db import allowance

Row = tuple[Any, ...]

_FIRST, _ALL, _CHANGED = methodcaller("fetchone"), methodcaller("fetchall"), attrgetter("rowcount")

_PART = 20


def _documents(cursor: Any) -> list[Row]:
    rows: list[Row] = []
    size = 0
    while part := cursor.fetchmany(_PART):
        rows += part
        size += sum([len(row[-1]) for row in part])
        allowance.read_bytes(size)
    return rows


_DIALECTS: dict[str, Callable[[], sa.Dialect]] = {
    "sqlite": lambda: sqlite.dialect(paramstyle="named"),
    "postgresql": lambda: postgresql.psycopg.dialect(),
}


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    constants: dict[str, Any]
    """Values that the statement itself brings along."""


class Prepared:
    """A statement with named parameters. Values come and go as the driver has them: SQLite's booleans are 0 and 1.

    Args:
        build: makes the statement for a database, by the name of its dialect.
    """

    def __init__(self, build: Callable[[str], sa.ClauseElement]) -> None:
        self.build = build
        self._compiled: dict[str, _Compiled] = {}

    def first(self, connection: sa.Connection, **values: Any) -> Row | None:
        """Run the statement and return the first row, None when there is none."""
        return self._run(connection, values, _FIRST)

    def all(self, connection: sa.Connection, **values: Any) -> list[Row]:
        """Run the statement and return all rows."""
        return self._run(connection, values, _ALL)

    def documents(self, connection: sa.Connection, **values: Any) -> list[Row]:
        """Run the statement and return all rows, the last column of which is a document.

        Raises:
            LongWork: when there are more bytes of documents than the event loop should read.
        """
        return self._run(connection, values, _documents)

    def run(self, connection: sa.Connection, **values: Any) -> int:
        """Run the statement and return how many rows it changed."""
        return self._run(connection, values, _CHANGED)

    def _run(self, connection: sa.Connection, values: dict[str, Any], fetch: Callable[[Any], Any]) -> Any:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name) or self._compile(dialect.name)
        if compiled.constants:
            values = compiled.constants | values
        driver: Any = connection.connection.dbapi_connection
        try:
            cursor = driver.execute(compiled.text, values)
            try:
                return fetch(cursor)
            finally:
                cursor.close()  # an open one would hold on to the moment that it reads
        except dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy_has_it(connection, compiled.text, error) from error

    def _compile(self, name: str) -> _Compiled:
        compiled = self.build(name).compile(dialect=_DIALECTS[name]())
        constants = {key: value for key, value in (compiled.params or {}).items() if value is not None}
        made = self._compiled[name] = _Compiled(str(compiled), constants)
        return made


class Together:
    """Changes that happen one after the other; PostgreSQL is sent all of them as one statement, a single round trip.

    None may depend on what another has changed: there they see the same moment.
    """

    def __init__(self, *builds: Callable[[], sa.Insert | sa.Update]) -> None:
        self._each = tuple(Prepared(lambda _, build=build: build()) for build in builds)
        self._whole = Prepared(lambda _: _as_one([build() for build in builds]))

    def run(self, connection: sa.Connection, **values: Any) -> int:
        """Run the changes, whose parameters share one set of names, and return how many rows the last one changed."""
        if connection.dialect.name == "postgresql":
            return self._whole.run(connection, **values)
        changed = 0
        for statement in self._each:
            changed = statement.run(connection, **values)
        return changed


def _as_one(changes: list[sa.Insert | sa.Update]) -> sa.ClauseElement:
    *others, last = changes
    return last.add_cte(*(other.cte(f"change_{number}") for number, other in enumerate(others)))


_SET, _RELEASE, _BACK = (
    Prepared(lambda _, text=text: sa.text(f"{text} one_write"))
    for text in ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
)


@contextmanager
def savepoint(connection: sa.Connection) -> Generator[None]:
    """Make a block undo itself alone when an error leaves it; SQLAlchemy's own savepoints cost as much as a write."""
    _SET.run(connection)
    try:
        yield
    except BaseException:
        if not connection.invalidated:  # a connection that is gone has taken the whole transaction with it
            _BACK.run(connection)
            _RELEASE.run(connection)
        raise
    _RELEASE.run(connection)


def _as_sqlalchemy_has_it(connection: sa.Connection, text: str, error: Exception) -> BaseException:
    """Return the driver's error as the one that the store's callers know; a connection that is gone is let go."""
    dialect = connection.dialect
    gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # pyright: ignore[reportArgumentType]
    if gone:
        connection.invalidate(error)
    return DBAPIError.instance(
        text,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=gone,
        dialect=dialect,
    )
