"""SCIM tokens: what identity providers authenticate with, `scim_<id>_<secret><checksum>`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.directory.token_faults import TokenFault
from scim_app.errors import NotFound, Refused
from scim_app.store.credentials import credentials
from scim_app.store.credentials.credentials import LIFETIME, Use
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.stamps import now
from scim_app.store.db.tables import organizations, tokens
from scim_app.store.log.event_log import Unit

PREFIX = "scim"
_LOOKS_LIKE = re.compile(rf"{PREFIX}_\w*", re.IGNORECASE)
OVERLAP = timedelta(hours=24)
"""How long a replaced token stays valid beside the new one."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. Times are ISO 8601 in UTC."""

    id: str
    description: str
    idp: str | None
    created_at: str
    created_by: str | None
    expires_at: str
    revoked_at: str | None
    last_used_at: str | None
    """To the minute."""
    last_used_ip: str | None
    last_used_agent: str | None
    replaced_by: str | None
    """Id of the token that was made to replace it."""

    @property
    def state(self) -> str:
        """`valid`, `replaced` (valid until the overlap ends), `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= now():
            return "expired"
        return "replaced" if self.replaced_by else "valid"

    @property
    def warning(self) -> int | None:
        """The warning that is due: at most this many days are left (30, 7 or 1); None when none is."""
        return credentials.warning(self.expires_at, now()) if self.state == "valid" else None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a valid token stands for."""

    org_id: str
    token_id: str
    idp: str | None
    scim_enabled: bool
    last_used_at: str | None
    expires_at: str


_COLUMNS = [tokens.c[name] for name in Token.__slots__]


class _Presented(NamedTuple):
    org_id: str
    digest: bytes
    idp: str | None
    expires_at: str
    revoked_at: str | None
    last_used_at: str | None


_PRESENTED = Prepared(
    lambda _: sa.select(*(tokens.c[name] for name in _Presented._fields), organizations.c.scim_enabled).where(
        tokens.c.id == sa.bindparam("token"),
        organizations.c.id == tokens.c.org_id,
        organizations.c.slug == sa.bindparam("slug"),
    )
)


def create(
    unit: Unit, *, description: str = "", idp: str | None = None, pepper: bytes, lifetime: timedelta = LIFETIME
) -> tuple[Token, str]:
    """Make a token and return it with its text, which is never to be had again.

    Raises:
        ValueError: when the lifetime is not between a moment and two years.
    """
    key, secret, text = credentials.make(PREFIX)
    row: dict[str, Any] = {
        "id": key,
        "org_id": unit.org_id,
        "description": description.strip(),
        "idp": idp,
        "digest": credentials.digest(pepper, secret),
        "created_at": unit.at,
        "created_by": unit.actor.name,
        "expires_at": credentials.end_of(unit.at, lifetime),
    }
    unit.connection.execute(sa.insert(tokens), row)
    unit.record(_event(EventType.TOKEN_CREATED, key, row["description"]))
    return get(unit.connection, unit.org_id, key), text


def listing(connection: sa.Connection, org_id: str) -> list[Token]:
    """Return an organization's tokens, the newest first."""
    query = sa.select(*_COLUMNS).where(tokens.c.org_id == org_id).order_by(tokens.c.created_at.desc(), tokens.c.id)
    return [Token(*row) for row in connection.execute(query)]


def get(connection: sa.Connection, org_id: str, token_id: str) -> Token:
    """Return a token.

    Raises:
        NotFound: when the organization has no such token.
    """
    row = connection.execute(sa.select(*_COLUMNS).where(tokens.c.org_id == org_id, tokens.c.id == token_id)).first()
    if row is None:
        raise NotFound(f"the organization has no token {token_id!r}; `dagster-scim token list` shows those there are")
    return Token(*row)


def describe(unit: Unit, token_id: str, description: str) -> Token:
    """Say anew what a token is for and return it; raises `NotFound`."""
    token, description = get(unit.connection, unit.org_id, token_id), description.strip()
    if token.description != description:
        _update(unit, token_id, description=description)
        told = {"attributes": {"description": {"before": token.description, "after": description}}}
        unit.record(_event(EventType.TOKEN_DESCRIBED, token_id, description, told))
    return get(unit.connection, unit.org_id, token_id)


def rotate(
    unit: Unit, token_id: str, *, pepper: bytes, overlap: timedelta = OVERLAP, lifetime: timedelta = LIFETIME
) -> tuple[Token, str]:
    """Make a token in the place of another and return it with its text; both are valid until the overlap ends.

    Raises:
        NotFound: when there is no such token.
        Refused: when it is not valid, or has been replaced already.
        ValueError: when the overlap is negative or longer than 30 days.
    """
    if not timedelta() <= overlap <= timedelta(days=30):
        raise ValueError("the overlap is between 0 and 720 hours")
    old = get(unit.connection, unit.org_id, token_id)
    if old.state != "valid":
        raise Refused(f"the token is {old.state}: make a new one, or rotate the one that is valid")
    new, text = create(unit, description=old.description, idp=old.idp, pepper=pepper, lifetime=lifetime)
    until = min(old.expires_at, credentials.later(unit.at, overlap))
    _update(unit, token_id, replaced_by=new.id, expires_at=until)
    told = {"replaced_by": new.id, "attributes": {"expires_at": {"before": old.expires_at, "after": until}}}
    unit.record(_event(EventType.TOKEN_ROTATED, token_id, old.description, told))
    return new, text


def revoke(unit: Unit, token_id: str) -> None:
    """Make a token useless from the next request on; revoking twice changes nothing. Raises `NotFound`."""
    token = get(unit.connection, unit.org_id, token_id)
    if token.revoked_at is None:
        _update(unit, token_id, revoked_at=unit.at)
        unit.record(_event(EventType.TOKEN_REVOKED, token_id, token.description))


def authenticate(connection: sa.Connection, slug: str, text: str, pepper: bytes) -> Caller | None:
    """Return whom a token's text stands for in an organization, None when it is not valid there.

    A mistyped token fails its checksum before the store is asked.
    """
    parsed = credentials.parse(PREFIX, text)
    if parsed is None:
        return None
    key, secret = parsed
    found = _PRESENTED.first(connection, token=key, slug=slug)
    row = _Presented(*found[:-1]) if found else None
    if not credentials.is_valid(row, pepper, secret) or row is None or found is None:
        return None
    return Caller(row.org_id, key, row.idp, bool(found[-1]), row.last_used_at, row.expires_at)


def fault(connection: sa.Connection, slug: str, text: str, pepper: bytes) -> tuple[TokenFault, str | None]:
    """Return why a text that is no valid token of an organization is none, for its admins alone.

    Returns:
        The fault, and the id of the token where it is one of the organization and its secret is right.
    """
    parsed = credentials.parse(PREFIX, text)
    if parsed is None:
        return (TokenFault.MISTYPED if _LOOKS_LIKE.fullmatch(text) else TokenFault.MALFORMED), None
    key, secret = parsed
    query = sa.select(tokens.c.digest, tokens.c.revoked_at, organizations.c.slug)
    here = organizations.c.id == tokens.c.org_id
    row = connection.execute(query.where(tokens.c.id == key, here)).first()
    if row is None or not credentials.is_secret_of(row, pepper, secret):
        return TokenFault.UNKNOWN, None
    if row.slug != slug:
        return TokenFault.ELSEWHERE, None
    return (TokenFault.EXPIRED if row.revoked_at is None else TokenFault.REVOKED), key


def note_use(connection: sa.Connection, token_id: str, use: Use = Use()) -> None:  # noqa: B008 - it is frozen
    """Remember that a token was used now, and from where."""
    credentials.note_use(connection, tokens, token_id, use)


def _update(unit: Unit, token_id: str, **values: str) -> None:
    mine = (tokens.c.org_id == unit.org_id) & (tokens.c.id == token_id)
    unit.connection.execute(sa.update(tokens).where(mine).values(values))


def _event(kind: EventType, token_id: str, description: str, change: Mapping[str, Any] | None = None) -> Event:
    name = description or token_id
    return Event(type=kind, subject_kind="token", subject_id=token_id, subject_name=name, change=change)
