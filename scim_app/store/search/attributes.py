"""Where the attributes of users and teams are found in SQL: a column, a place in the document, or rows of members.

Strings are given in the form they compare in: `folded` holds the document with every string in lower case,
`document` serves the attributes with `caseExact`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import isclass
from typing import Any

import sqlalchemy as sa
from scim2_models import BaseModel, Extension
from scim2_models.path import AttributeBinding

from scim_app.directory.kinds import TEAM, USER, Kind
from scim_app.store.db.json_sql import Json, json_of
from scim_app.store.db.tables import TABLES, team_members, teams, users
from scim_app.store.search.terms import is_exact, scim_path

Expression = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]


def sub_attribute(binding: AttributeBinding) -> str | None:
    """Return the SCIM name of the sub-attribute that is compared, None for the element itself."""
    return binding.urn.rpartition(".")[2] if binding.sub_field_name else None


@dataclass(frozen=True, slots=True)
class Rows:
    """The elements of a multi-valued attribute: what to select from, and how to read one of their attributes."""

    source: sa.FromClause
    read: Callable[[str | None, bool, type | None], Expression]
    """Sub-attribute (None: the element itself), exact or folded, type of its values → expression."""
    where: Condition | None = None

    def any(self, condition: Condition) -> Condition:
        """Tell whether any element meets a condition."""
        query = sa.select(sa.literal(1)).select_from(self.source).where(condition)
        return sa.exists(query if self.where is None else query.where(self.where))


_BASE = sa.bindparam("base", type_=sa.Text)


class Attributes:
    """Where the attributes of one kind are found in SQL.

    Statements take the SCIM base address, which `meta.location` and `$ref` begin with, as the parameter `base`.
    """

    def __init__(self, kind: Kind, dialect: str) -> None:
        self.kind, self.dialect = kind, dialect
        self.json: Json = json_of(dialect)
        self.table = TABLES[kind.name]
        c = self.table.c
        location = _BASE.concat(f"/{kind.endpoint}/").concat(c.id)
        self._columns: dict[str, Expression] = {
            "id": c.id,
            "externalid": c.external_id,
            "active": c.active if kind is USER else sa.null(),
            "meta": location,  # of an object it matters only that it is there
            "meta.created": c.created_at,
            "meta.lastmodified": c.updated_at,
            "meta.resourcetype": sa.literal(kind.scim_name),
            "meta.version": sa.literal('W/"').concat(sa.cast(c.version, sa.Text)).concat('"'),
            "meta.location": sa.func.lower(location),
            kind.unique.lower(): c.name_key,
        }

    def single(self, binding: AttributeBinding) -> Expression:
        """Return the expression of a single-valued attribute, in the form it compares in."""
        path = scim_path(binding)
        known = self._columns.get(".".join(path).lower())
        if known is not None:
            return known
        return self.json.at(*self._held(path, exact=is_exact(binding)), binding.target_type)

    def rows(self, binding: AttributeBinding) -> Rows:
        """Return the elements of a multi-valued attribute."""
        if self.is_linked(binding):
            return (_member_rows if self.kind is TEAM else _group_rows)(self.table, self.json)
        head = scim_path(binding)[: 2 if issubclass(binding.model, Extension) else 1]
        return self._json_rows(head)

    def is_linked(self, binding: AttributeBinding) -> bool:
        """Tell whether the elements are rows of memberships: the members of a team, or the teams of a user."""
        own = not issubclass(binding.model, Extension)
        return own and binding.field_name == ("members" if self.kind is TEAM else "groups")

    def sorted(self, binding: AttributeBinding) -> Expression:
        """Return the value that a resource is sorted by: of several, the primary one, else the first."""
        if not binding.is_multivalued:
            return _ordered(self.single(binding))
        rows = self.rows(binding)
        value = rows.read(sub_attribute(binding), False, binding.target_type)
        query = sa.select(_ordered(value)).select_from(rows.source)
        if rows.where is not None:
            query = query.where(rows.where)
        if "key" in rows.source.c:
            if isclass(binding.field_type) and issubclass(binding.field_type, BaseModel):  # a plain value is no primary
                query = query.order_by(sa.func.coalesce(rows.read("primary", False, bool), sa.false()).desc())
            query = query.order_by(rows.source.c.key)
        return query.limit(1).scalar_subquery()

    def _held(self, path: list[str], *, exact: bool) -> tuple[Expression, list[str]]:
        """Return the document that holds the form which is compared, and the path in it."""
        if exact:
            return self.table.c.document, path
        return self.table.c.folded, [part.lower() for part in path]

    def _json_rows(self, head: list[str]) -> Rows:
        source = self.json.elements(*self._held(head, exact=False))

        def read(sub: str | None, exact: bool, kind: type | None) -> Expression:
            if exact:  # found at the same place of the exact document
                return self.json.element(self.table.c.document, head, source.c.key, sub, kind)
            return self.json.part(source.c.value, sub and sub.lower(), kind)

        return Rows(source, read)


def _ordered(value: Expression) -> Expression:
    """Return a value in a form that SQL tells greater from less, and that a cursor can hold."""
    if isinstance(value.type, sa.Boolean):
        return sa.cast(value, sa.Integer)
    return sa.cast(value, sa.Float) if isinstance(value.type, sa.Numeric) else value


def _member_rows(team: sa.Table, json: Json) -> Rows:
    """The members of a team."""
    member = team_members.alias()
    person, nested = users.alias(), teams.alias()
    names = {
        "value": member.c.member_id,
        "display": sa.func.coalesce(person.c.display_name, person.c.user_name, nested.c.display_name),
        "type": sa.case((person.c.id.is_not(None), "User"), (nested.c.id.is_not(None), "Group")),
        "$ref": _BASE.concat("/")
        .concat(sa.case((nested.c.id.is_not(None), "Groups/"), else_="Users/"))
        .concat(member.c.member_id),
    }
    joined = member.outerjoin(person, _same_live(person, member)).outerjoin(nested, _same_live(nested, member))
    mine = (member.c.org_id == team.c.org_id) & (member.c.team_id == team.c.id)
    shown = [
        _folded(json, person, "displayname"),
        _folded(json, person, "username"),
        _folded(json, nested, "displayname"),
    ]
    return Rows(joined, _reading(names, sa.func.coalesce(*shown)), mine)


def _group_rows(user: sa.Table, json: Json) -> Rows:
    """The teams that a user is in."""
    member, team = team_members.alias(), teams.alias()
    names = {
        "value": team.c.id,
        "display": team.c.display_name,
        "type": sa.literal("direct"),
        "$ref": _BASE.concat("/Groups/").concat(team.c.id),
    }
    here = (team.c.org_id == member.c.org_id) & (team.c.id == member.c.team_id) & team.c.deleted_at.is_(None)
    mine = (member.c.org_id == user.c.org_id) & (member.c.member_id == user.c.id)
    return Rows(member.join(team, here), _reading(names, _folded(json, team, "displayname")), mine)


def _same_live(record: sa.FromClause, member: sa.FromClause) -> Condition:
    return (record.c.org_id == member.c.org_id) & (record.c.id == member.c.member_id) & record.c.deleted_at.is_(None)


def _folded(json: Json, record: sa.FromClause, name: str) -> Expression:
    return sa.func.nullif(json.at(record.c.folded, [name]), "")


def _reading(
    names: dict[str, Expression], display: Expression
) -> Callable[[str | None, bool, type | None], Expression]:
    """What is displayed comes in its folded form; the rest is ASCII, which the database can fold."""

    def read(sub: str | None, exact: bool, _kind: type | None) -> Expression:
        if sub == "display" and not exact:
            return display
        found = names.get(sub or "value", sa.null())
        return found if exact else sa.func.lower(found)

    return read
