"""Tables of the warehouse: how rows of the code location become DuckDB tables, and their words in Dagster."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.resources import files
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
from dagster_duckdb import DuckDBResource

from scim_app.store.export.columns import Column

SCHEMA = "identity"
POOL = "warehouse"
"""Pool of everything that writes the warehouse: DuckDB has one writing process."""

ORGANIZATION = Column("org", "text", "Slug of the organization")
DAY = Column("day", "date", "Day of the organization at whose end this was so; the running day as it is now")
SEQ = Column("seq", "integer", "Event at which this was so")


def sql(name: str, **tokens: str) -> str:
    """Return the text of `sql/{name}.sql`, with each `{token}` replaced; tokens are names of ours, never values."""
    text = (files("dagster_defs") / "sql" / f"{name}.sql").read_text()
    for token, value in tokens.items():
        text = text.replace(f"{{{token}}}", value)
    return text


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class _Type:
    sql: str
    arrow: pa.DataType
    read: Callable[[Any], Any] | None = None


_TYPES = {
    "text": _Type("VARCHAR", pa.string()),
    "json": _Type("VARCHAR", pa.string()),
    "boolean": _Type("BOOLEAN", pa.bool_()),
    "number": _Type("DOUBLE", pa.float64()),
    "integer": _Type("BIGINT", pa.int64()),
    "date": _Type("DATE", pa.date32(), date.fromisoformat),
    "instant": _Type("TIMESTAMP", pa.timestamp("us"), _instant),
}


MadeFrom = Mapping[str, tuple[str, ...]]
"""Columns with what each is made from, as `asset.column`."""


def _assets(made_from: MadeFrom) -> list[str]:
    return list(dict.fromkeys(text.split(".", 1)[0] for several in made_from.values() for text in several))


@dataclass(frozen=True, slots=True)
class Frame:
    """What Python hands to SQL: its name there, and what its columns are made from."""

    name: str
    made_from: MadeFrom = field(compare=False)

    @property
    def parents(self) -> list[str]:
        """Names of the assets that its columns are made from."""
        return _assets(self.made_from)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the warehouse: its name and columns. Instants are UTC without a zone."""

    name: str
    columns: tuple[Column, ...]
    view: str = ""
    """The SELECT it is, for what is not stored but seen."""
    script: str = ""
    """The statements that add what is new, where SQL alone does it."""
    reads: tuple["Table | Frame", ...] = ()
    """What the SELECT or the script reads."""
    made_from: MadeFrom = field(default_factory=dict, compare=False)
    """What columns that Python makes are made from."""
    is_asset: bool = True
    """Whether an asset has its name; what reads another sees through it."""

    @property
    def address(self) -> str:
        """Name with schema, as SQL wants it."""
        return f"{SCHEMA}.{self.name}"

    @property
    def parents(self) -> list[str]:
        """Names of the assets that its columns are made from, and those that its SQL reads."""
        found = [*_assets(self.made_from)]
        for one in self.reads:
            found += [one.name] if isinstance(one, Table) and one.is_asset else one.parents
        return list(dict.fromkeys(found))

    @property
    def names(self) -> str:
        """Names of the columns, as SQL lists them."""
        return ", ".join(column.name for column in self.columns)

    @property
    def casts(self) -> str:
        """The columns of a relation of the same names, each cast to its type here."""
        return ", ".join(f"{c.name}::{_TYPES[c.type].sql} AS {c.name}" for c in self.columns)

    def replace(self, connection: duckdb.DuckDBPyConnection, rows: Iterable[Mapping[str, Any]], **scope: object) -> int:
        """Put rows in the place of those whose columns equal `scope` (all rows without one), and return how many.

        The same rows again change nothing, so a run can be repeated. Call it in a transaction.
        """
        arrow = self._arrow(rows)
        self.make(connection)
        condition = " AND ".join(f"{name} = ?" for name in scope) or "true"
        connection.execute(f"DELETE FROM {self.address} WHERE {condition}", list(scope.values()))  # noqa: S608
        self._append(connection, arrow)
        return arrow.num_rows

    def append(self, connection: duckdb.DuckDBPyConnection, rows: Iterable[Mapping[str, Any]]) -> int:
        """Add rows and return how many."""
        arrow = self._arrow(rows)
        self.make(connection)
        self._append(connection, arrow)
        return arrow.num_rows

    def rows(
        self, connection: duckdb.DuckDBPyConnection, rest: str = "", values: Iterable[object] = ()
    ) -> list[dict[str, Any]]:
        """Return rows as dictionaries; `rest` is what follows the table in the SELECT."""
        if not _is_read_only(connection):
            self.make(connection)
        return records(connection.execute(f"SELECT {self.names} FROM {self.address} {rest}", list(values)))  # noqa: S608

    def count(self, connection: duckdb.DuckDBPyConnection, rest: str = "", values: Iterable[object] = ()) -> int:
        """Return how many rows there are; `rest` is what follows the table in the SELECT."""
        query = f"SELECT count(*) FROM {self.address} {rest}"  # noqa: S608
        return connection.execute(query, list(values)).fetchall()[0][0]

    def _arrow(self, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
        rows = list(rows)
        return pa.table({column.name: _array(column, [row[column.name] for row in rows]) for column in self.columns})

    def _append(self, connection: duckdb.DuckDBPyConnection, arrow: pa.Table) -> None:
        connection.register("incoming", arrow)
        connection.execute(f"INSERT INTO {self.address} ({self.names}) SELECT {self.names} FROM incoming")  # noqa: S608
        connection.unregister("incoming")

    def make(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the table where there is none; give an older one the columns that have been added since."""
        if self.view:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            connection.execute(f"CREATE OR REPLACE VIEW {self.address} AS SELECT {self.names} FROM ({self.view})")  # noqa: S608
            return
        known = self._columns_there(connection)
        columns = {column.name: f"{column.name} {_TYPES[column.type].sql}" for column in self.columns}
        if not known:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            connection.execute(f"CREATE TABLE IF NOT EXISTS {self.address} ({', '.join(columns.values())})")
        # Only what is missing: a run asks for tables some eighty times, and each ALTER costs as much as a query.
        for name in (name for name in columns if known and name not in known):
            connection.execute(f"ALTER TABLE {self.address} ADD COLUMN IF NOT EXISTS {columns[name]}")

    def _columns_there(self, connection: duckdb.DuckDBPyConnection) -> set[str]:
        query = "SELECT column_name FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?"
        found = connection.execute(query, [SCHEMA, self.name]).fetchall()
        return {row[0] for row in found}


def schema(columns: Iterable[Column], notes: Mapping[str, str]) -> dg.TableSchema:
    """Return columns as Dagster shows them, each with what it says and a note, where there is one."""
    return dg.TableSchema(
        [
            dg.TableColumn(one.name, _TYPES[one.type].sql.lower(), one.description + notes.get(one.name, ""))
            for one in columns
        ]
    )


def records(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return what a query found, a dictionary for each row."""
    columns = [column[0] for column in found.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def is_there(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Tell whether a warehouse, which may be open for reading only, has a table."""
    query = "SELECT count(*) FROM duckdb_tables() WHERE schema_name = ? AND table_name = ?"
    return bool(connection.execute(query, [SCHEMA, table.name]).fetchall()[0][0])


def _is_read_only(connection: duckdb.DuckDBPyConnection) -> bool:
    query = "SELECT readonly FROM duckdb_databases() WHERE database_name = current_database()"
    return bool(connection.execute(query).fetchall()[0][0])


def _array(column: Column, values: list[Any]) -> pa.Array:
    kind = _TYPES[column.type]
    if kind.read is not None:
        values = [kind.read(value) if isinstance(value, str) else value for value in values]
    return pa.array(values, kind.arrow)


@contextmanager
def kept(connection: duckdb.DuckDBPyConnection) -> Generator[None]:
    """Make the block one transaction: all of it is kept, or none when an error leaves it."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


@contextmanager
def transaction(warehouse: DuckDBResource) -> Generator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for one transaction: all of it is kept, or none when an error leaves the block."""
    with warehouse.get_connection() as connection, kept(connection):
        yield connection
