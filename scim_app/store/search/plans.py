"""Plans: the statements of searches that differ only in their values, built once and kept for those that come again."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from scim2_models.path import AttributeBinding

from scim_app.directory.kinds import Kind
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.tables import TABLES
from scim_app.store.resources import emails
from scim_app.store.resources.lookup import Stored
from scim_app.store.search.attributes import Attributes, Condition, Expression
from scim_app.store.search.conditions import condition_of
from scim_app.store.search.terms import Group, Negation, Term

KEPT = 256
"""Plans that are kept; the one that was asked for least lately goes first."""
KEPT_TERMS = 24
"""A plan with more terms is used once: its text can have a hundred thousand characters."""


@dataclass(frozen=True, slots=True)
class Part:
    """The resources of one kind that a search asks for."""

    kind: Kind
    term: Term | None = None
    """What they meet; all of the kind where there is none."""
    sort: AttributeBinding | None = None
    """What they are sorted by before creation; resources without it are last, first when descending."""
    by_email: bool = False
    """Whether all of them have one address, given by `emails.values`: so few that an index finds them."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is alike in searches that differ only in their values."""

    parts: tuple[Part, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Beyond:
    """The side of a place that a page is on, and whether the resource there has a value that it was sorted by."""

    valued: bool
    backwards: bool = False


def plan_of(shape: Shape) -> "Plan":
    """Return the plan of a shape, a kept one if there is one."""
    size = sum(_size(part.term) for part in shape.parts if part.term)
    return _kept(shape) if size <= KEPT_TERMS else Plan(shape)


class Plan:
    """The statements of a shape; the parameter `org` is the organization, `base` its SCIM base address.

    Resources come in one stable order: sorted as asked, then as created. Rows are the kind's name, what `Stored` has,
    and the value that they were sorted by.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._sorted = any(part.sort for part in shape.parts)
        self._few = all(part.by_email for part in shape.parts)
        self.counts = tuple(Prepared(self._counting(part)) for part in shape.parts)
        """How many resources each part has."""
        self.page = Prepared(lambda dialect: self._page(dialect).offset(sa.bindparam("skipped")))
        """`most` resources after the first `skipped`."""
        self._first = Prepared(self._page)
        self._pages: dict[Beyond, Prepared] = {}
        self._counts_beyond: dict[Beyond, Prepared] = {}

    def page_beyond(self, beyond: Beyond | None) -> Prepared:
        """Return the statement of `most` resources next to a place (`value`, `position`), or of the first ones."""
        if beyond is None:
            return self._first
        if beyond not in self._pages:
            self._pages[beyond] = Prepared(lambda dialect: self._page(dialect, beyond))
        return self._pages[beyond]

    def count_beyond(self, beyond: Beyond) -> Prepared:
        """Return the statement that counts the resources on one side of a place (`value`, `position`)."""
        if beyond not in self._counts_beyond:

            def counting(dialect: str) -> sa.ClauseElement:
                rows = self._rows(dialect)
                return sa.select(sa.func.count()).select_from(rows).where(self._beyond(rows, beyond))

            self._counts_beyond[beyond] = Prepared(counting)
        return self._counts_beyond[beyond]

    def _counting(self, part: Part) -> Callable[[str], sa.ClauseElement]:
        def counting(dialect: str) -> sa.ClauseElement:
            select = _select(part, Attributes(part.kind, dialect), sa.null())
            return select.with_only_columns(sa.func.count(), maintain_column_froms=True)

        return counting

    def _page(self, dialect: str, beyond: Beyond | None = None) -> sa.Select[Any]:
        rows = self._rows(dialect)
        query = sa.select(rows).order_by(*self._order(rows, backwards=beyond is not None and beyond.backwards))
        return (query if beyond is None else query.where(self._beyond(rows, beyond))).limit(sa.bindparam("most"))

    def _rows(self, dialect: str) -> sa.FromClause:
        parts = [(part, Attributes(part.kind, dialect)) for part in self._shape.parts]
        values = [attributes.sorted(part.sort) if part.sort else None for part, attributes in parts]
        types = [value.type for value in values if value is not None]
        missing = sa.cast(sa.null(), next((one for one in types if isinstance(one, sa.Integer | sa.Float)), sa.Text()))
        selects = [
            _select(part, attributes, missing if value is None else value)
            for (part, attributes), value in zip(parts, values, strict=True)
        ]
        return (selects[0] if len(selects) == 1 else sa.union_all(*selects)).subquery("listed")

    def _position(self, rows: sa.FromClause) -> Expression:
        """Return the position, as what no index is in the order of where the few have been found by another."""
        return rows.c.position + 0 if self._few else rows.c.position

    def _order(self, rows: sa.FromClause, *, backwards: bool) -> list[Expression]:
        position, value = self._position(rows), rows.c.sorted_by
        order: list[Expression] = [position.desc() if backwards else position]
        if not self._sorted:
            return order
        down = self._shape.descending != backwards
        missing = value.is_(None)
        return [missing.desc() if down else missing, value.desc() if down else value, *order]

    def _beyond(self, rows: sa.FromClause, beyond: Beyond) -> Condition:
        """Return the condition that a row comes after a place, or before it when that looks backwards."""
        position, value = self._position(rows), rows.c.sorted_by
        number = sa.bindparam("position", type_=sa.BigInteger)
        on = position < number if beyond.backwards else position > number
        if not self._sorted:
            return on
        down = self._shape.descending != beyond.backwards
        if not beyond.valued:
            alike = value.is_(None) & on
            return alike | value.is_not(None) if down else alike
        there = sa.bindparam("value", type_=value.type)
        further = value < there if down else value > there
        alike = (value == there) & on
        return further | alike if down else further | alike | value.is_(None)


_kept = lru_cache(maxsize=KEPT)(Plan)


def _size(term: Term) -> int:
    match term:
        case Group(terms=terms):
            return sum(map(_size, terms))
        case Negation(inner):
            return _size(inner)
        case _:
            return 1


def _select(part: Part, attributes: Attributes, value: Expression) -> sa.Select[Any]:
    table = TABLES[part.kind.name]
    query = sa.select(
        sa.literal(part.kind.name).label("kind"), *(table.c[name] for name in Stored._fields), value.label("sorted_by")
    ).where(table.c.org_id == sa.bindparam("org"), table.c.deleted_at.is_(None))
    if part.by_email:
        query = query.where(emails.having(attributes.dialect))
    return query if part.term is None else query.where(condition_of(part.term, attributes))
