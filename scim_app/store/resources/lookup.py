"""Finding users and teams: by id, by unique name, by `externalId`, each by one statement that an index answers."""

from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from scim2_models import NotFoundException, UniquenessException

from scim_app.directory.kinds import KINDS, Document, Kind
from scim_app.directory.names import fold
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.tables import TABLES, is_live


class Stored(NamedTuple):
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
    return sa.select(*(table.c[name] for name in Stored._fields)).where(
        table.c.org_id == sa.bindparam("org"), table.c.deleted_at.is_(None)
    )


def by_column(kind: Kind, column: str) -> sa.Select[Any]:
    """Return the query for the live resource with the value `value` in one of the columns that an index serves."""
    c = TABLES[kind.name].c
    if column != "id":
        return _select(kind).where(c[column] == sa.bindparam("value"))
    stored = sa.select(*(c[name] for name in Stored._fields)).where(is_live(TABLES[kind.name]))
    return stored.where(c.org_id == sa.bindparam("org"), c.id == sa.bindparam("value"))


def _prepared(query: sa.Select[Any]) -> Prepared:
    return Prepared(lambda _: query)


_BY_NAME, _BY_EXTERNAL_ID, _FORMERLY = range(3)


def _claiming(kind: Kind, *, former: bool) -> Prepared:
    """Return the statement that finds who holds a name or an `externalId`, and who was the last to hold the name."""
    c = TABLES[kind.name].c
    name, external_id = c.name_key == sa.bindparam("name"), c.external_id == sa.bindparam("external", type_=sa.Text)
    mine = (c.org_id == sa.bindparam("org")) & name & c.deleted_at.is_not(None)
    gone = sa.select(*(c[field] for field in Stored._fields), sa.literal(_FORMERLY)).where(mine)
    held = [
        _select(kind).add_columns(sa.literal(_BY_NAME)).where(name),
        _select(kind).add_columns(sa.literal(_BY_EXTERNAL_ID)).where(external_id),
    ]
    last = sa.select(gone.order_by(c.deleted_at.desc()).limit(1).subquery())
    return Prepared(lambda _: sa.union_all(*held, *([last] if former else [])))


_TAKEN = {kind.name: _claiming(kind, former=False) for kind in KINDS.values()}
_CLAIMED = {kind.name: _claiming(kind, former=True) for kind in KINDS.values()}
KEYS = ("id", "name_key", "external_id")
_BY = {(kind.name, key): _prepared(by_column(kind, key)) for kind in KINDS.values() for key in KEYS}


def find(connection: sa.Connection, org_id: str, kind: Kind, resource_id: str) -> Stored | None:
    """Return a live resource by its id, None when there is none."""
    return find_by(connection, org_id, kind, "id", resource_id)


def find_by(connection: sa.Connection, org_id: str, kind: Kind, column: str, value: str) -> Stored | None:
    """Return the live resource with a value in `id`, `name_key` (folded) or `external_id`, None when there is none."""
    row = _BY[kind.name, column].first(connection, org=org_id, value=value)
    return Stored(*row) if row else None


def get(connection: sa.Connection, org_id: str, kind: Kind, resource_id: str) -> Stored:
    """Return a live resource by its id.

    Raises:
        NotFoundException: when the organization has no such resource of this kind.
    """
    stored = find(connection, org_id, kind, resource_id)
    if stored is None:
        raise not_found(kind, resource_id)
    return stored


def not_found(kind: Kind, resource_id: str) -> NotFoundException:
    """Return the refusal of an id that no live resource of a kind has."""
    return NotFoundException(detail=f"{kind.scim_name} {resource_id} not found")


def find_taken(
    connection: sa.Connection, org_id: str, kind: Kind, document: Document, *, but: str | None = None
) -> Stored | None:
    """Return the live resource that holds this document's unique name or `externalId`, the name first."""
    found = _found(_TAKEN[kind.name], connection, org_id, kind, document)
    held = (found.get(_BY_NAME), found.get(_BY_EXTERNAL_ID))
    return next((one for one in held if one and one.id != but), None)


def find_claimed(
    connection: sa.Connection, org_id: str, kind: Kind, document: Document
) -> tuple[Stored | None, str | None]:
    """Return who holds a new document's name or `externalId`, and the id of the last removed holder of its name."""
    found = _found(_CLAIMED[kind.name], connection, org_id, kind, document)
    former = found.get(_FORMERLY)
    return found.get(_BY_NAME) or found.get(_BY_EXTERNAL_ID), former and former.id


def _found(
    statement: Prepared, connection: sa.Connection, org_id: str, kind: Kind, document: Document
) -> dict[int, Stored]:
    name, external_id = fold(str(document.get(kind.unique) or "")), document.get("externalId") or None
    rows = statement.all(connection, org=org_id, name=name, external=external_id)
    return {how: Stored(*row) for *row, how in rows}


def find_named(connection: sa.Connection, org_id: str, kind: Kind, name: str) -> Stored | None:
    """Return the live resource that has a unique name, None when there is none."""
    return find_by(connection, org_id, kind, "name_key", fold(name))


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
