"""Pages of users and teams in one stable order: sorted as asked, then as created; by index or from a place on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_app.directory.kinds import KINDS, Kind
from scim_app.store.db.tables import TABLES
from scim_app.store.resources.resources import Stored
from scim_app.store.search import ranks

_KINDS = {kind.name: kind for kind in KINDS.values()}
_COLUMNS = Stored._fields
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Part:
    """The resources of one kind that a list is made of."""

    kind: Kind
    where: Condition | None = None
    value: sa.ColumnElement[Any] | None = None
    """What they are sorted by before creation; resources without it are last, first when descending."""
    few: bool = False
    """Whether the condition finds so few by an index that they are sorted, rather than met in order."""


@dataclass(frozen=True, slots=True)
class Found:
    """A resource in its place."""

    kind: Kind
    stored: Stored
    value: Any
    """What it was sorted by, None in the order of creation."""


@dataclass(frozen=True, slots=True)
class Place:
    """Next to a resource, which may be gone by now: behind it, or before it when `backwards`."""

    value: Any
    position: int
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and whether there are resources before it and behind it."""

    rows: list[Found]
    earlier: bool = False
    later: bool = False


class Listing:
    """The live resources of an organization that a search asks for, in one stable order.

    Args:
        connection: an open transaction.
        org_id: the organization.
        parts: what is listed, each kind with its condition.
        descending: whether the sorted values go down; resources that sort alike are always in order of creation.
    """

    def __init__(self, connection: sa.Connection, org_id: str, parts: Sequence[Part], *, descending: bool) -> None:
        self._connection = connection
        self._org_id = org_id
        self._parts = parts
        self._descending = descending
        types = [part.value.type for part in parts if part.value is not None]
        missing = sa.cast(sa.null(), next((one for one in types if isinstance(one, sa.Integer | sa.Float)), sa.Text()))
        self._selects = [_select(org_id, part, missing) for part in parts]
        self._sorted = any(part.value is not None for part in parts)
        self._few = all(part.few for part in parts)

    def count_behind(self, place: Place) -> int:
        """Return how many there are behind a place."""
        rows = self._rows()
        counted = sa.select(sa.func.count()).select_from(rows).where(self._beyond(rows, place))
        return self._connection.execute(counted).scalar_one()

    def count(self) -> int:
        """Return how many there are."""
        return sum(map(self._count, self._parts, self._selects))

    def _count(self, part: Part, select: sa.Select[Any]) -> int:
        if part.where is None:  # all of a kind: known without counting, however many pages ask for it
            return ranks.total(self._connection, self._org_id, part.kind)
        counting = select.with_only_columns(sa.func.count(), maintain_column_froms=True)
        return self._connection.execute(counting).scalar_one()

    def by_index(self, offset: int, limit: int) -> list[Found]:
        """Return those from `offset` on, at most `limit`."""
        if not self._selects or limit == 0:
            return []
        rows = self._rows()
        return self._read(sa.select(rows).order_by(*self._order(rows, backwards=False)).limit(limit).offset(offset))

    def from_place(self, place: Place | None, limit: int) -> Page:
        """Return those next to a place, at most `limit`; the first ones where there is no place.

        Whoever goes from place to place meets everyone who stays exactly once, whatever comes and goes meanwhile.
        """
        if not self._selects or limit == 0:
            return Page([])
        rows, backwards = self._rows(), place is not None and place.backwards
        query = sa.select(rows).order_by(*self._order(rows, backwards=backwards)).limit(limit + 1)
        if place is not None:
            query = query.where(self._beyond(rows, place))
        found = self._read(query)
        more, found = len(found) > limit, found[:limit]
        if backwards:
            return Page(found[::-1], earlier=more, later=True)
        return Page(found, earlier=place is not None, later=more)

    def _rows(self) -> sa.FromClause:
        if len(self._selects) == 1:
            return self._selects[0].subquery("listed")
        return sa.union_all(*self._selects).subquery("listed")

    def _read(self, query: sa.Select[Any]) -> list[Found]:
        return [
            Found(_KINDS[row.kind], Stored(*(getattr(row, name) for name in _COLUMNS)), row.sorted_by)
            for row in self._connection.execute(query)
        ]

    def _position(self, rows: sa.FromClause) -> sa.ColumnElement[Any]:
        """Return the position, as what no index is in the order of where the few have been found by another."""
        return rows.c.position + 0 if self._few else rows.c.position

    def _order(self, rows: sa.FromClause, *, backwards: bool) -> list[sa.ColumnElement[Any]]:
        position, value = self._position(rows), rows.c.sorted_by
        order: list[sa.ColumnElement[Any]] = [position.desc() if backwards else position]
        if not self._sorted:
            return order
        down = self._descending != backwards
        missing = value.is_(None)
        return [missing.desc() if down else missing, value.desc() if down else value, *order]

    def _beyond(self, rows: sa.FromClause, place: Place) -> Condition:
        """Return the condition that a row comes after a place, or before it when that looks backwards."""
        position, value = self._position(rows), rows.c.sorted_by
        on = position < place.position if place.backwards else position > place.position
        if not self._sorted:
            return on
        down = self._descending != place.backwards
        if place.value is None:
            alike = value.is_(None) & on
            return alike | value.is_not(None) if down else alike
        further = value < place.value if down else value > place.value
        alike = (value == place.value) & on
        return further | alike if down else further | alike | value.is_(None)


def _select(org_id: str, part: Part, missing: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return the resources of a part; where it has no value to sort by, that is `missing`."""
    table = TABLES[part.kind.name]
    value = missing if part.value is None else part.value
    query = sa.select(
        sa.literal(part.kind.name).label("kind"), *(table.c[name] for name in _COLUMNS), value.label("sorted_by")
    ).where(table.c.org_id == org_id, table.c.deleted_at.is_(None))
    return query if part.where is None else query.where(part.where)
