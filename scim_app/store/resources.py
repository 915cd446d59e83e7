"""Rows of users and teams: reading, pages, and writes with their events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from scim2_models import NotFoundException, UniquenessException

from scim_app.directory.events import Event, EventType, describe
from scim_app.directory.kinds import USER, Document, Kind, search_key
from scim_app.directory.names import fold, lower
from scim_app.errors import StoreUnavailable
from scim_app.store import sessions
from scim_app.store.event_log import Unit
from scim_app.store.stamps import new_id
from scim_app.store.tables import TABLES


@dataclass(frozen=True, slots=True)
class Stored:
    """A live row: the document as JSON text, and what the server owns."""

    id: str
    position: int
    version: int
    origin: str
    created_at: str
    updated_at: str
    document: str

    def load(self) -> dict[str, Any]:
        """Return the document."""
        return orjson.loads(self.document)

    @property
    def etag(self) -> str:
        """Weak entity tag, also `meta.version` (RFC 7644 §3.14)."""
        return f'W/"{self.version}"'


def _select(kind: Kind) -> sa.Select[Any]:
    table = TABLES[kind.name]
    return sa.select(*(table.c[name] for name in Stored.__slots__)).where(
        table.c.org_id == sa.bindparam("org"), table.c.deleted_at.is_(None)
    )


_BY_ID = {name: _select(table.info["kind"]).where(table.c.id == sa.bindparam("id")) for name, table in TABLES.items()}


def find(connection: sa.Connection, org_id: str, kind: Kind, resource_id: str) -> Stored | None:
    """Return a live resource by its id, None when there is none."""
    row = connection.execute(_BY_ID[kind.name], {"org": org_id, "id": resource_id}).first()
    return Stored(*row) if row else None


def get(connection: sa.Connection, org_id: str, kind: Kind, resource_id: str) -> Stored:
    """Return a live resource by its id.

    Raises:
        NotFoundException: when the organization has no such resource of this kind.
    """
    stored = find(connection, org_id, kind, resource_id)
    if stored is None:
        raise NotFoundException(detail=f"{kind.scim_name} {resource_id} not found")
    return stored


def find_taken(
    connection: sa.Connection, org_id: str, kind: Kind, document: Document, *, but: str | None = None
) -> Stored | None:
    """Return the live resource that holds this document's unique name or `externalId`, the name first."""
    table = TABLES[kind.name]
    query = _select(kind) if but is None else _select(kind).where(table.c.id != but)
    name = query.where(table.c.name_key == fold(str(document.get(kind.unique) or "")))
    row = connection.execute(name, {"org": org_id}).first()
    if row is None and document.get("externalId"):
        row = connection.execute(query.where(table.c.external_id == document["externalId"]), {"org": org_id}).first()
    return Stored(*row) if row else None


def find_named(connection: sa.Connection, org_id: str, kind: Kind, name: str) -> Stored | None:
    """Return the live resource that has a unique name, None when there is none."""
    query = _select(kind).where(TABLES[kind.name].c.name_key == fold(name))
    row = connection.execute(query, {"org": org_id}).first()
    return Stored(*row) if row else None


def refuse_taken(connection: sa.Connection, org_id: str, kind: Kind, document: Document, but: str | None) -> None:
    """Refuse a document whose unique name or `externalId` another live resource holds.

    Raises:
        UniquenessException: naming that resource and what to do.
    """
    taken = find_taken(connection, org_id, kind, document, but=but)
    if taken is None:
        return
    same_name = fold(str(taken.load().get(kind.unique) or "")) == fold(str(document.get(kind.unique) or ""))
    attribute = kind.unique if same_name else "externalId"
    raise UniquenessException(
        detail=f"{attribute} {document.get(attribute)!r} is taken by {kind.scim_name} {taken.id}: "
        f'find it with filter={attribute} eq "…" and update it (PUT or PATCH) instead of creating another'
    )


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
    seq = unit.record(_event(kind, event, resource_id, document, change))
    row = _new_row(unit, kind, document, seq, change["origin"])
    unit.connection.execute(sa.insert(TABLES[kind.name]), row)
    return get(unit.connection, unit.org_id, kind, resource_id)


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
        **_projection(unit, kind, document),
    }


def update(
    unit: Unit, kind: Kind, stored: Stored, document: Document, event: EventType, change: Mapping[str, Any]
) -> Stored:
    """Replace a resource's document with its event and return it as it is now.

    Raises:
        StoreUnavailable: when it no longer has the version that the change was made of.
    """
    unit.record(_event(kind, event, stored.id, document, change))
    row = _projection(unit, kind, document) | {"version": stored.version + 1}
    if "origin" in change:
        row |= {"origin": change["origin"], "idp": unit.actor.idp}
    statement = _this(kind, sa.update(TABLES[kind.name]), unit, stored.id)
    swapped = unit.connection.execute(statement.where(TABLES[kind.name].c.version == stored.version), row)
    if swapped.rowcount != 1:
        raise StoreUnavailable(f"{kind.scim_name} {stored.id} was changed by another request meanwhile; try again")
    if event is EventType.USER_DEACTIVATED:
        sessions.end_all(unit, stored.id, document.get(kind.unique))
    return get(unit.connection, unit.org_id, kind, stored.id)


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


def _projection(unit: Unit, kind: Kind, document: Document) -> dict[str, Any]:
    """Return the columns that follow from the document."""
    text = orjson.dumps(document).decode()
    return {
        "updated_at": unit.at,
        "name_key": fold(str(document.get(kind.unique) or "")),
        "document": text,
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
