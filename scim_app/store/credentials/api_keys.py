"""Keys of the JSON API, `key_<id>_<secret><checksum>`, each with scopes. They are no SCIM tokens, nor the reverse."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.directory.permissions import SCOPES
from scim_app.errors import NotFound
from scim_app.store.credentials import credentials
from scim_app.store.credentials.credentials import LIFETIME, Use
from scim_app.store.db.settings_tables import api_keys
from scim_app.store.db.tables import organizations
from scim_app.store.log.event_log import Unit

PREFIX = "key"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `scopes` are separated by spaces; times are ISO 8601 in UTC."""

    id: str
    description: str
    scopes: str
    created_at: str
    created_by: str | None
    expires_at: str
    revoked_at: str | None
    last_used_at: str | None
    last_used_ip: str | None
    last_used_agent: str | None


_COLUMNS = [api_keys.c[name] for name in ApiKey.__slots__]
_PRESENTED = sa.select(
    *(api_keys.c[name] for name in ("digest", "expires_at", "revoked_at", "last_used_at", "scopes"))
).where(
    api_keys.c.id == sa.bindparam("key"),
    organizations.c.id == api_keys.c.org_id,
    organizations.c.slug == sa.bindparam("slug"),
)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who a valid key stands for."""

    key_id: str
    scopes: tuple[str, ...]
    last_used_at: str | None


def create(
    unit: Unit, scopes: Iterable[str], *, description: str = "", pepper: bytes, lifetime: timedelta = LIFETIME
) -> tuple[ApiKey, str]:
    """Make a key and return it with its text, which is never to be had again.

    Raises:
        ValueError: when there is no scope or an unknown one, or the lifetime is not between a moment and two years.
    """
    asked = sorted(set(scopes))
    if not asked or not set(asked) <= SCOPES.keys():
        raise ValueError(f"a key needs one or more of these scopes: {', '.join(SCOPES)}")
    key, secret, text = credentials.make(PREFIX)
    row: dict[str, Any] = {
        "id": key,
        "org_id": unit.org_id,
        "description": description.strip(),
        "scopes": " ".join(asked),
        "digest": credentials.digest(pepper, secret),
        "created_at": unit.at,
        "created_by": unit.actor.name,
        "expires_at": credentials.end_of(unit.at, lifetime),
    }
    unit.connection.execute(sa.insert(api_keys), row)
    unit.record(_event(EventType.API_KEY_CREATED, key, row["description"], {"scopes": asked}))
    return get(unit.connection, unit.org_id, key), text


def listing(connection: sa.Connection, org_id: str) -> list[ApiKey]:
    """Return an organization's keys, the newest first."""
    query = sa.select(*_COLUMNS).where(api_keys.c.org_id == org_id)
    rows = connection.execute(query.order_by(api_keys.c.created_at.desc(), api_keys.c.id))
    return [ApiKey(*row) for row in rows]


def get(connection: sa.Connection, org_id: str, key_id: str) -> ApiKey:
    """Return a key.

    Raises:
        NotFound: when the organization has no such key.
    """
    query = sa.select(*_COLUMNS).where(api_keys.c.org_id == org_id, api_keys.c.id == key_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"the organization has no API key {key_id!r}; `dagster-scim token keys` shows those there are")
    return ApiKey(*row)


def revoke(unit: Unit, key_id: str) -> None:
    """Make a key useless from the next request on; revoking twice changes nothing. Raises `NotFound`."""
    key = get(unit.connection, unit.org_id, key_id)
    if key.revoked_at is None:
        mine = (api_keys.c.org_id == unit.org_id) & (api_keys.c.id == key_id)
        unit.connection.execute(sa.update(api_keys).where(mine).values(revoked_at=unit.at))
        unit.record(_event(EventType.API_KEY_REVOKED, key_id, key.description))


def authenticate(connection: sa.Connection, slug: str, text: str, pepper: bytes) -> KeyHolder | None:
    """Return whom a key's text stands for in an organization, None when it is not valid there."""
    parsed = credentials.parse(PREFIX, text)
    if parsed is None:
        return None
    key, secret = parsed
    row = connection.execute(_PRESENTED, {"key": key, "slug": slug}).first()
    if not credentials.is_valid(row, pepper, secret) or row is None:
        return None
    return KeyHolder(key, tuple(row.scopes.split()), row.last_used_at)


def note_use(connection: sa.Connection, key_id: str, use: Use) -> None:
    """Remember that a key was used now, and from where."""
    credentials.note_use(connection, api_keys, key_id, use)


def _event(kind: EventType, key_id: str, description: str, change: Mapping[str, Any] | None = None) -> Event:
    name = description or key_id
    return Event(type=kind, subject_kind="api_key", subject_id=key_id, subject_name=name, change=change)
