"""Rows of users and teams: writes with their events; how they are found is in `lookup`."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import orjson
import sqlalchemy as sa

from scim_app.directory.events import Event, EventType, describe
from scim_app.directory.kinds import KINDS, USER, Document, Kind, search_key
from scim_app.directory.names import fold, lower
from scim_app.errors import StoreUnavailable
from scim_app.store.credentials import sessions
from scim_app.store.db.prepared import Together
from scim_app.store.db.stamps import new_id
from scim_app.store.db.tables import TABLES
from scim_app.store.log.event_log import Unit, told
from scim_app.store.resources import emails
from scim_app.store.resources.lookup import (
    Stored,
    find,
    find_by,
    find_claimed,
    find_named,
    find_taken,
    get,
    refuse_taken,
)

__all__ = [
    "Stored",
    "delete",
    "find",
    "find_by",
    "find_claimed",
    "find_named",
    "find_taken",
    "fresh_id",
    "get",
    "insert",
    "insert_all",
    "projection",
    "refuse_taken",
    "revive",
    "touch",
    "update",
]


def _insert(table: sa.Table) -> sa.Insert:
    return sa.insert(table).values({c.name: sa.bindparam(c.name) for c in table.c if c.name != "deleted_at"})


def _update(kind: Kind, *, linking: bool, renaming: bool) -> Together:
    """Return the statement that replaces a resource which still has the version that the change was made of.

    Args:
        kind: kind of the resource.
        linking: whether it gets another origin.
        renaming: whether it is found otherwise than before. SQLite writes every index whose column is set, changed or
            not, and these are all over the disk.
    """
    c = TABLES[kind.name].c
    owned = {"origin", "idp"} if linking else set[str]()
    names = {"version", "updated_at", *_PROJECTED, *(one.column for one in kind.attributes), *owned}
    names = names if renaming else names - _FOUND_BY
    mine = (c.org_id == sa.bindparam("org")) & (c.id == sa.bindparam("this")) & (c.version == sa.bindparam("was"))
    new = {name: sa.bindparam(f"new_{name}") for name in names}
    return told(lambda: sa.update(TABLES[kind.name]).where(mine).values(new))


_PROJECTED = ("name_key", "document", "folded", "search_key")
_FOUND_BY = {"name_key", "search_key", "external_id"}
"""Columns of indexes; `_is_renamed` tells from which attributes they are made."""
_INSERT = {kind.name: told(partial(_insert, TABLES[kind.name])) for kind in KINDS.values()}
_UPDATE = {
    (kind.name, *how): _update(kind, linking=how[0], renaming=how[1])
    for kind in KINDS.values()
    for how in product((True, False), repeat=2)
}


def insert(
    unit: Unit,
    kind: Kind,
    document: Mapping[str, Any],
    event: EventType,
    change: Mapping[str, Any],
    resource_id: str,
) -> Stored:
    """Store a new resource with its event and return it."""
    document = {"schemas": document["schemas"], "id": resource_id, **document}
    row = _new_row(unit, kind, document, unit.next_seq, change["origin"])
    unit.change(_INSERT[kind.name], _event(kind, event, resource_id, document, change), **row)
    if kind is USER:
        emails.add(unit.connection, unit.org_id, document)
    return Stored(*(row[name] for name in Stored._fields))


def insert_all(unit: Unit, kind: Kind, documents: Sequence[Document], event: EventType, origin: str) -> list[str]:
    """Store many new resources with their events in one go and return their ids; their names must be free.

    Raises:
        IntegrityError: when a name or `externalId` is taken; nothing of the transaction is kept then.
    """
    whole = [{"schemas": one["schemas"], "id": new_id(), **one} for one in documents]
    told = [_event(kind, event, one["id"], one, {"attributes": describe(None, one), "origin": origin}) for one in whole]
    first = unit.record_all(told) - len(told) + 1
    rows = [_new_row(unit, kind, one, seq, origin) for seq, one in enumerate(whole, first)]
    unit.connection.execute(sa.insert(TABLES[kind.name]), rows)
    for one in whole if kind is USER else ():
        emails.add(unit.connection, unit.org_id, one)
    return [one["id"] for one in whole]


def _new_row(unit: Unit, kind: Kind, document: Document, position: int, origin: str) -> dict[str, Any]:
    return {
        "org_id": unit.org_id,
        "id": document["id"],
        "position": position,
        "version": 1,
        "origin": origin,
        "idp": unit.actor.idp,
        "created_at": unit.at,
        **_projected(unit, kind, document),
    }


def update(
    unit: Unit, kind: Kind, stored: Stored, document: Document, event: EventType, change: Mapping[str, Any]
) -> Stored:
    """Replace a resource's document with its event and return it as it is now.

    Raises:
        StoreUnavailable: when it no longer has the version that the change was made of.
    """
    before = stored.load()
    row = _projected(unit, kind, document) | {"version": stored.version + 1}
    if "origin" in change:
        row |= {"origin": change["origin"], "idp": unit.actor.idp}
    values = {f"new_{name}": value for name, value in row.items()}
    statement = _UPDATE[kind.name, "origin" in change, _is_renamed(kind, before, document)]
    told_of = _event(kind, event, stored.id, document, change)
    if unit.change(statement, told_of, org=unit.org_id, this=stored.id, was=stored.version, **values) != 1:
        raise StoreUnavailable(f"{kind.scim_name} {stored.id} was changed by another request meanwhile; try again")
    if kind is USER and emails.named_in(change.get("attributes", ())):
        emails.change(unit.connection, unit.org_id, before, document)
    if event is EventType.USER_DEACTIVATED:
        sessions.end_all(unit, stored.id, document.get(kind.unique))
    return stored._replace(
        version=row["version"],
        origin=row.get("origin", stored.origin),
        updated_at=unit.at,
        document=row["document"],
    )


def delete(unit: Unit, kind: Kind, stored: Stored, event: EventType, change: Mapping[str, Any]) -> None:
    """Take a resource out of SCIM with its event; its row stays for history."""
    unit.record(_event(kind, event, stored.id, stored.load(), change))
    gone = {"deleted_at": unit.at, "updated_at": unit.at}
    unit.connection.execute(_this(kind, sa.update(TABLES[kind.name]), unit, stored.id), gone)
    if kind is USER:
        sessions.end_all(unit, stored.id, stored.load().get(kind.unique))


def revive(
    unit: Unit, kind: Kind, resource_id: str, document: Document, event: EventType, change: Mapping[str, Any]
) -> Stored:
    """Bring a removed resource back as it was, with its event, and return it."""
    unit.record(_event(kind, event, resource_id, document, change))
    table = TABLES[kind.name]
    row = {"deleted_at": None, "updated_at": unit.at, "origin": change["origin"], "version": table.c.version + 1}
    unit.connection.execute(_this(kind, sa.update(table), unit, resource_id).values(row))
    return get(unit.connection, unit.org_id, kind, resource_id)


def touch(unit: Unit, kind: Kind, ids: list[str]) -> None:
    """Give resources a new version because something spliced into them changed."""
    table = TABLES[kind.name]
    mine = (table.c.org_id == unit.org_id) & table.c.id.in_(ids)
    unit.connection.execute(sa.update(table).where(mine).values(version=table.c.version + 1, updated_at=unit.at))


def fresh_id() -> str:
    """Return an id for a new resource."""
    return new_id()


def _this(kind: Kind, statement: sa.Update, unit: Unit, resource_id: str) -> sa.Update:
    table = TABLES[kind.name]
    return statement.where(table.c.org_id == unit.org_id, table.c.id == resource_id)


def _is_renamed(kind: Kind, before: Document, after: Document) -> bool:
    return any(before.get(name) != after.get(name) for name in (kind.unique, "externalId", "displayName", "emails"))


def projection(kind: Kind, text: str) -> dict[str, Any]:
    """Return the columns that follow from a stored document: `name_key`, `folded`, `search_key`, attributes."""
    return _columns(kind, orjson.loads(text), text)


def _projected(unit: Unit, kind: Kind, document: Document) -> dict[str, Any]:
    text = orjson.dumps(document).decode()
    return {"updated_at": unit.at, "document": text, **_columns(kind, document, text)}


def _columns(kind: Kind, document: Document, text: str) -> dict[str, Any]:
    return {
        "name_key": fold(str(document.get(kind.unique) or "")),
        "folded": lower(text),
        "search_key": search_key(kind, document),
        **kind.columns(document),
    }


def _event(kind: Kind, event: EventType, resource_id: str, document: Document, change: Mapping[str, Any]) -> Event:
    return Event(
        type=event,
        subject_kind=kind.name,
        subject_id=resource_id,
        subject_name=document.get(kind.unique),
        change=change,
        document=document,
    )
