"""Reading inside stored documents in SQL: the same answers from SQLite's JSON functions and from PostgreSQL's jsonb.

Documents are columns of text. A path is a list of the keys that lead from the document's top to a value.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

Expression = sa.ColumnElement[Any]
Path = Sequence[str]
Type = type | None
"""Python's type of an attribute's values."""

_HERE = sa.literal_column("'{}'::text[]")
"""The empty path of PostgreSQL."""
_NONE = sa.literal_column("'[]'::jsonb")
_ZONE = "([zZ]|[+-][0-9]{2}:?[0-9]{2})$"
_MOMENT = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[tT ][0-9:.]+" + _ZONE.replace("$", "?$")
_AS_STORED = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
"""As `stamps.instant` writes moments."""
SAME_MOMENT = "same_moment"
"""Name of the function that SQLite is given for `stamps.same_moment`."""


class SqliteJson:
    """Documents as SQLite reads them."""

    def at(self, document: Expression, path: Path, kind: Type = str) -> Expression:
        """Return the value at a path, NULL where there is none."""
        return self._typed(sa.func.json_extract(document, _json_path(path)), kind)

    def elements(self, document: Expression, path: Path) -> sa.FromClause:
        """Return the elements of a list as rows with `key`, their place counted from 0, and `value`."""
        return sa.func.json_each(document, _json_path(path)).table_valued("key", "value").alias()

    def element(self, document: Expression, path: Path, key: Expression, sub: str | None, kind: Type) -> Expression:
        """Return the element of a list at a place, or one of its attributes."""
        place = sa.literal(_json_path(path)).concat("[").concat(sa.cast(key, sa.Text)).concat("]")
        return self._typed(sa.func.json_extract(document, place.concat(f'."{sub}"') if sub else place), kind)

    def part(self, value: Expression, sub: str | None, kind: Type = str) -> Expression:
        """Return an element that `elements` gave, or one of its attributes."""
        return self._typed(sa.func.json_extract(value, _json_path([sub])) if sub else value, kind)

    @staticmethod
    def _typed(value: Expression, kind: Type) -> Expression:
        """Values carry their types; moments are texts, which this service's own function writes alike."""
        return getattr(sa.func, SAME_MOMENT)(value) if kind is datetime else value

    def holds(self, text: Expression, value: Expression) -> Expression:
        """Tell whether a text contains another."""
        return sa.func.instr(text, value) > 0

    def ends_with(self, text: Expression, value: Expression) -> Expression:
        """Tell whether a text ends with another that is not empty."""
        return sa.func.substr(text, -sa.func.length(value)) == value


class PostgresJson:
    """Documents as PostgreSQL reads them; texts compare byte by byte, as SQLite compares them."""

    def at(self, document: Expression, path: Path, kind: Type = str) -> Expression:
        """Return the value at a path, NULL where there is none."""
        return _typed(sa.func.jsonb_extract_path_text(_jsonb(document), *path), kind)

    def elements(self, document: Expression, path: Path) -> sa.FromClause:
        """Return the elements of a list as rows with `key`, their place counted from 1, and `value`."""
        found = sa.func.jsonb_extract_path(_jsonb(document), *path, type_=postgresql.JSONB)
        listed = sa.case((sa.func.jsonb_typeof(found) == "array", found), else_=_NONE)
        rows = sa.func.jsonb_array_elements(listed, type_=postgresql.JSONB)
        return rows.table_valued(sa.column("value", postgresql.JSONB), with_ordinality="key").render_derived()

    def element(self, document: Expression, path: Path, key: Expression, sub: str | None, kind: Type) -> Expression:
        """Return the element of a list at a place, or one of its attributes."""
        place = [*path, sa.cast(key - 1, sa.Text), *([sub] if sub else [])]
        return _typed(sa.func.jsonb_extract_path_text(_jsonb(document), *place), kind)

    def part(self, value: Expression, sub: str | None, kind: Type = str) -> Expression:
        """Return an element that `elements` gave, or one of its attributes."""
        return _typed(
            sa.func.jsonb_extract_path_text(value, sub) if sub else value.op("#>>", return_type=sa.Text())(_HERE), kind
        )

    def holds(self, text: Expression, value: Expression) -> Expression:
        """Tell whether a text contains another."""
        return sa.func.strpos(text, value) > 0

    def ends_with(self, text: Expression, value: Expression) -> Expression:
        """Tell whether a text ends with another that is not empty."""
        return sa.func.right(text, sa.func.length(value)) == value


def listed(name: str, dialect: str) -> Expression:
    """Return a list of texts, bound as JSON text under a name, as a subquery of one column."""
    if dialect == "postgresql":
        given = sa.cast(sa.bindparam(name, type_=sa.Text), postgresql.JSONB)
        rows = sa.func.jsonb_array_elements_text(given).table_valued("value").render_derived()
    else:
        rows = sa.func.json_each(sa.bindparam(name)).table_valued("value")
    return rows.c.value


def as_json(texts: Iterable[str]) -> str:
    """Return a list of texts as `listed` and `is_listed` take it."""
    return orjson.dumps(list(texts)).decode()


def is_listed(column: Expression, name: str, dialect: str) -> Expression:
    """Return the condition that a text is in a list, bound as JSON text under a name.

    PostgreSQL looks each element up by an index where it is an array; for a subquery it would read all rows.
    """
    asked = sa.select(listed(name, dialect))
    if dialect == "postgresql":
        return column == sa.func.any(sa.func.array(asked.scalar_subquery()))
    return column.in_(asked)


Json = SqliteJson | PostgresJson


def json_of(dialect: str) -> Json:
    """Return how a database reads documents, by the name of its dialect."""
    return PostgresJson() if dialect == "postgresql" else SqliteJson()


def _jsonb(document: Expression) -> Expression:
    return sa.cast(document, postgresql.JSONB)


def _typed(text: Expression, kind: Type) -> Expression:
    """Return a text as the type that an attribute has: numbers and truth values compare as such."""
    if kind is bool:
        return sa.cast(text, sa.Boolean)
    if kind in (int, float):
        return sa.cast(text, sa.Numeric)
    if kind is datetime:
        zoned = text.concat(sa.case((text.regexp_match(_ZONE), ""), else_="Z"))
        moment = sa.func.timezone("UTC", sa.cast(zoned, sa.TIMESTAMP(timezone=True)))
        text = sa.case((text.regexp_match(_MOMENT), sa.func.to_char(moment, _AS_STORED)), else_=text)
    return sa.collate(text, "C")


def _json_path(path: Path) -> str:
    return "$" + "".join(f'."{part}"' for part in path)
