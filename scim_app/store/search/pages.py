"""Pages of users and teams in one stable order: sorted as asked, then as created; by index or from a place on."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_app.directory.kinds import KINDS, Kind
from scim_app.store.db.prepared import Prepared
from scim_app.store.resources.lookup import Stored
from scim_app.store.search import ranks
from scim_app.store.search.plans import Beyond, Shape, plan_of
from scim_app.store.search.terms import Values

_KINDS = {kind.name: kind for kind in KINDS.values()}


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
        shape: what is searched.
        values: what the terms of the shape compare with, and the SCIM base address as `base`.
    """

    def __init__(self, connection: sa.Connection, org_id: str, shape: Shape, values: Values) -> None:
        self._connection = connection
        self._shape = shape
        self._values = values | {"org": org_id}
        self._plan = plan_of(shape)

    def count_behind(self, place: Place) -> int:
        """Return how many there are behind a place."""
        return self._number(self._plan.count_beyond(_beyond(place)), **_at(place))

    def count(self) -> int:
        """Return how many there are."""
        return sum(
            # All of a kind are known without counting, however many pages ask for it.
            ranks.total(self._connection, self._values["org"], part.kind) if part.term is None else self._number(count)
            for part, count in zip(self._shape.parts, self._plan.counts, strict=True)
        )

    def by_index(self, offset: int, limit: int) -> list[Found]:
        """Return those from `offset` on, at most `limit`."""
        if not self._shape.parts or limit == 0:
            return []
        return self._read(self._plan.page, skipped=offset, most=limit)

    def from_place(self, place: Place | None, limit: int) -> Page:
        """Return those next to a place, at most `limit`; the first ones where there is no place.

        Whoever goes from place to place meets everyone who stays exactly once, whatever comes and goes meanwhile.
        """
        if not self._shape.parts or limit == 0:
            return Page([])
        if place is None:
            rows = self._read(self._plan.page_beyond(None), most=limit + 1)
        else:
            rows = self._read(self._plan.page_beyond(_beyond(place)), most=limit + 1, **_at(place))
        more, rows = len(rows) > limit, rows[:limit]
        if place is not None and place.backwards:
            return Page(rows[::-1], earlier=more, later=True)
        return Page(rows, earlier=place is not None, later=more)

    def _number(self, statement: Prepared, **values: Any) -> int:
        row = statement.first(self._connection, **self._values, **values)
        return row[0] if row else 0

    def _read(self, statement: Prepared, **values: Any) -> list[Found]:
        return [
            Found(_KINDS[kind], Stored._make(stored), value)
            for kind, *stored, value in statement.all(self._connection, **self._values, **values)
        ]


def _beyond(place: Place) -> Beyond:
    return Beyond(place.value is not None, place.backwards)


def _at(place: Place) -> Values:
    return {"value": place.value, "position": place.position}
