"""Who has an e-mail address: an index of the addresses in the documents of users, for look-ups by them.

An address that is the userName as well has no row; the index of names finds it. The index finds at least everyone who
has an address, and whoever looks up checks the documents, so it can cost time and never a wrong answer.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from scim2_models.path import AttrPath, CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator, ValuePath
from sqlalchemy.dialects import postgresql, sqlite

from scim_app.directory.kinds import USER, Document
from scim_app.directory.names import fold, lower
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.tables import user_emails, users
from scim_app.store.resources.lookup import Stored

LONGEST = 200
"""So many characters of an address are kept; PostgreSQL takes no longer ones into an index."""
_NAMING = frozenset({"emails", USER.unique})
"""What a row follows from."""

_SCHEMA = str(USER.declared.__schema__).lower()

Condition = sa.ColumnElement[bool]


def _adding(dialect: str) -> sa.ClauseElement:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(user_emails)
    return insert.values({column.name: sa.bindparam(column.name) for column in user_emails.c}).on_conflict_do_nothing()


def _removing(_dialect: str) -> sa.ClauseElement:
    return sa.delete(user_emails).where(*(column == sa.bindparam(column.name) for column in user_emails.c))


_ADD, _REMOVE = Prepared(_adding), Prepared(_removing)


def kept(document: Document) -> set[str]:
    """Return the addresses of a user that need a row, as they compare."""
    emails = document.get("emails")
    if not emails:
        return set()
    name = fold(str(document.get(USER.unique) or ""))
    values = (one.get("value") for one in emails if isinstance(one, Mapping))
    found = {lower(value) for value in values if isinstance(value, str)}
    return {one[:LONGEST] for one in found if one and one != name}


def add(connection: sa.Connection, org_id: str, document: Document) -> None:
    """Add the addresses of a new user."""
    for email in kept(document):
        _ADD.run(connection, org_id=org_id, email=email, user_id=document["id"])


def change(connection: sa.Connection, org_id: str, before: Document, after: Document) -> None:
    """Change the addresses of a user to those of the document that it gets."""
    old, new = kept(before), kept(after)
    for email in old - new:
        _REMOVE.run(connection, org_id=org_id, email=email, user_id=after["id"])
    for email in new - old:
        _ADD.run(connection, org_id=org_id, email=email, user_id=after["id"])


def named_in(attributes: Mapping[str, Any]) -> bool:
    """Tell whether a change of these attributes may change which addresses have a row."""
    return not _NAMING.isdisjoint(attributes)


def asked(node: FilterNode) -> str | None:
    """Return an address that everyone has whom a filter of users finds, as it compares; None when it asks for none."""
    match node:
        case Comparison(attr_path=path, op=CompareOperator.eq, value=str() as text):
            return lower(text) or None if _names_emails(path, None, "value") else None
        case ValuePath(attr_path=path, val_filter=inner):
            return _asked_of_element(inner) if _names_emails(path, None) else None
        case LogicalExpr(op=LogicalOperator.and_, terms=terms):
            return next((found for term in terms if (found := asked(term))), None)
        case _:
            return None


def _asked_of_element(node: FilterNode) -> str | None:
    match node:
        case Comparison(attr_path=path, op=CompareOperator.eq, value=str() as text):
            return lower(text) or None if str(path).lower() == "value" else None
        case LogicalExpr(op=LogicalOperator.and_, terms=terms):
            return next((found for term in terms if (found := _asked_of_element(term))), None)
        case _:
            return None


def _names_emails(path: AttrPath, *subs: str | None) -> bool:
    schema = (path.uri or _SCHEMA).lower()
    sub = path.sub_attr and path.sub_attr.lower()
    return path.attr.lower() == "emails" and sub in subs and schema == _SCHEMA


def as_compared(address: str) -> str:
    """Return an address as the index compares it."""
    return lower(address)


def having(dialect: str) -> Condition:
    """Return the condition that a user may have an address, which an index answers.

    Its parameters are `org`, and those of `values`.
    """
    own, named = user_emails.c, users.alias()
    org_id, start = sa.bindparam("org"), sa.bindparam("start", type_=sa.Text)
    rows = sa.select(own.user_id).where(own.org_id == org_id, own.email == start)
    key = sa.bindparam("email", type_=sa.Text)
    mine = (named.c.org_id == org_id) & (named.c.name_key == key) & named.c.deleted_at.is_(None)
    may = rows.union_all(sa.select(named.c["id"]).where(mine))
    if dialect == "postgresql":  # looked up first, whatever the planner takes the table's size for
        return users.c["id"] == sa.func.any(sa.func.array(may.scalar_subquery()))
    return users.c["id"].in_(may)


def values(email: str) -> dict[str, str]:
    """Return the parameters that look for an address, given as it compares."""
    return {"email": email, "start": email[:LONGEST]}


def find(connection: sa.Connection, org_id: str, email: str, most: int) -> list[Stored]:
    """Return live users that may have an address, given as it compares, in order of creation, at most `most`."""
    rows = _FIND.documents(connection, org=org_id, most=most, **values(email))
    return [Stored._make(row) for row in rows]


def finding(dialect: str) -> sa.Select[Any]:
    """Return the statement of `find`."""
    live = users.c.deleted_at.is_(None) & (users.c.org_id == sa.bindparam("org"))
    query = sa.select(*(users.c[name] for name in Stored._fields)).where(live, having(dialect))
    # By no index's order, or SQLite goes through all users in that order instead of sorting the few.
    return query.order_by(users.c.position + 0).limit(sa.bindparam("most"))


_FIND = Prepared(finding)
