"""SCIM tokens: `scim_<id>_<secret><checksum>`, shown once, kept as a keyed digest.

A secret of 256 random bits needs no stretching (OWASP ASVS 6.5.2), so a request pays one HMAC.
"""

import hashlib
import hmac
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from scim_app.directory.events import Actor, Event, EventType
from scim_app.errors import NotFound
from scim_app.store.event_log import Unit
from scim_app.store.organizations import Organization
from scim_app.store.stamps import now
from scim_app.store.tables import organizations, tokens

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID, _SECRET, _CHECK = 12, 43, 6
LIFETIME = timedelta(days=365)

_COLUMNS = [
    tokens.c[name] for name in ("id", "description", "idp", "created_at", "expires_at", "revoked_at", "last_used_at")
]
_PRESENTED = sa.select(
    tokens.c.org_id,
    tokens.c.digest,
    tokens.c.idp,
    tokens.c.expires_at,
    tokens.c.revoked_at,
    tokens.c.last_used_at,
    organizations.c.scim_enabled,
).where(
    tokens.c.id == sa.bindparam("token"),
    organizations.c.id == tokens.c.org_id,
    organizations.c.slug == sa.bindparam("slug"),
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. Times are ISO 8601 in UTC."""

    id: str
    description: str
    idp: str | None
    created_at: str
    expires_at: str
    revoked_at: str | None
    last_used_at: str | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a valid token stands for."""

    org_id: str
    token_id: str
    idp: str | None
    scim_enabled: bool
    last_used_at: str | None


def create(
    connection: sa.Connection,
    organization: Organization,
    *,
    description: str = "",
    idp: str | None = None,
    pepper: bytes,
    actor: Actor,
) -> tuple[Token, str]:
    """Make a token and return it with its text, which is never to be had again."""
    token_id, secret = _random(_ID), _random(_SECRET)
    text = f"scim_{token_id}_{secret}{_checksum(token_id + secret)}"
    unit = Unit.begin(connection, organization.id, actor)
    row = {
        "id": token_id,
        "org_id": organization.id,
        "description": description,
        "idp": idp,
        "digest": _digest(pepper, secret),
        "created_at": unit.at,
        "expires_at": _later(unit.at, LIFETIME),
    }
    connection.execute(sa.insert(tokens), row)
    unit.record(_event(EventType.TOKEN_CREATED, token_id, description))
    return _get(connection, organization.id, token_id), text


def listing(connection: sa.Connection, org_id: str) -> list[Token]:
    """Return an organization's tokens, the newest first."""
    query = sa.select(*_COLUMNS).where(tokens.c.org_id == org_id).order_by(tokens.c.created_at.desc(), tokens.c.id)
    return [Token(*row) for row in connection.execute(query)]


def revoke(connection: sa.Connection, organization: Organization, token_id: str, *, actor: Actor) -> None:
    """Make a token useless from the next request on; revoking twice changes nothing.

    Raises:
        NotFound: when the organization has no such token.
    """
    token = _get(connection, organization.id, token_id)
    if token.revoked_at is None:
        unit = Unit.begin(connection, organization.id, actor)
        connection.execute(sa.update(tokens).where(tokens.c.id == token_id).values(revoked_at=unit.at))
        unit.record(_event(EventType.TOKEN_REVOKED, token_id, token.description))


def authenticate(connection: sa.Connection, slug: str, text: str, pepper: bytes) -> Caller | None:
    """Return whom a token's text stands for in an organization, None when it is not valid there.

    A mistyped token fails its checksum before the store is asked.
    """
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != "scim" or not text.isascii():
        return None
    token_id, secret, check = parts[1], parts[2][:_SECRET], parts[2][_SECRET:]
    if check != _checksum(token_id + secret):
        return None
    row = connection.execute(_PRESENTED, {"token": token_id, "slug": slug}).first()
    digest = _digest(pepper, secret)
    if not hmac.compare_digest(digest, row.digest if row else bytes(32)) or row is None:
        return None
    if row.revoked_at is not None or row.expires_at <= now():
        return None
    return Caller(row.org_id, token_id, row.idp, row.scim_enabled, row.last_used_at)


def note_use(connection: sa.Connection, token_id: str) -> None:
    """Remember that a token was used now."""
    connection.execute(sa.update(tokens).where(tokens.c.id == token_id).values(last_used_at=now()))


def _get(connection: sa.Connection, org_id: str, token_id: str) -> Token:
    row = connection.execute(sa.select(*_COLUMNS).where(tokens.c.org_id == org_id, tokens.c.id == token_id)).first()
    if row is None:
        raise NotFound(f"the organization has no token {token_id!r}; `dagster-scim token list` shows those there are")
    return Token(*row)


def _event(kind: EventType, token_id: str, description: str) -> Event:
    return Event(type=kind, subject_kind="token", subject_id=token_id, subject_name=description or token_id)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    """Return the CRC-32 of a text in six base-62 digits, so that a typing error shows without a look-up."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _digest(pepper: bytes, secret: str) -> bytes:
    return hmac.new(pepper, secret.encode(), hashlib.sha256).digest()


def _later(at: str, span: timedelta) -> str:
    moment = datetime.fromisoformat(at).astimezone(UTC) + span
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
