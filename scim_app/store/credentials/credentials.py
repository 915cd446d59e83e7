"""Secrets that programs present: `<prefix>_<id>_<secret><checksum>`, shown once, kept as a keyed digest.

A secret of 256 random bits needs no stretching (OWASP ASVS 6.5.2), so a request pays one HMAC.
"""

import hashlib
import hmac
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_app.store.db.stamps import instant, now

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID, _SECRET, _CHECK = 12, 43, 6
_AGENT = 200

LIFETIME = timedelta(days=365)
LONGEST = timedelta(days=730)
WARNING_DAYS = (30, 7, 1)
"""How many days before its end a credential's owner is warned."""


@dataclass(frozen=True, slots=True)
class Use:
    """Where a credential was used from: the peer's address and what its program calls itself."""

    ip: str | None = None
    agent: str | None = None


def make(prefix: str) -> tuple[str, str, str]:
    """Return the id, the secret and the whole text of a new credential."""
    key, secret = _random(_ID), _random(_SECRET)
    return key, secret, f"{prefix}_{key}_{secret}{_checksum(key + secret)}"


def parse(prefix: str, text: str) -> tuple[str, str] | None:
    """Return the id and the secret in a text, None when it is not one of this kind or mistyped."""
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != prefix or not text.isascii():
        return None
    key, secret, check = parts[1], parts[2][:_SECRET], parts[2][_SECRET:]
    return (key, secret) if check == _checksum(key + secret) else None


def digest(pepper: bytes, secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hmac.new(pepper, secret.encode(), hashlib.sha256).digest()


def is_valid(row: Any, pepper: bytes, secret: str) -> bool:
    """Tell whether a secret is that of a row, and the row is alive; takes as long when there is no row."""
    same = is_secret_of(row, pepper, secret)
    return same and row is not None and row.revoked_at is None and row.expires_at > now()


def is_secret_of(row: Any, pepper: bytes, secret: str) -> bool:
    """Tell whether a secret is that of a row, alive or not; takes as long when there is no row."""
    return hmac.compare_digest(digest(pepper, secret), row.digest if row else bytes(32))


def note_use(connection: sa.Connection, table: sa.Table, key: str, use: Use) -> None:
    """Remember that a credential was used now."""
    seen = {"last_used_at": now(), "last_used_ip": use.ip, "last_used_agent": (use.agent or "")[:_AGENT] or None}
    connection.execute(sa.update(table).where(table.c["id"] == key).values(seen))


def end_of(at: str, lifetime: timedelta) -> str:
    """Return when a credential made at a moment ends.

    Raises:
        ValueError: when it would be over at once, or live longer than two years.
    """
    if not timedelta() < lifetime <= LONGEST:
        raise ValueError(f"it can be valid for 1 to {LONGEST.days} days")
    return later(at, lifetime)


def later(at: str, span: timedelta) -> str:
    """Return the moment that is a span after another, as the store writes moments."""
    return instant(datetime.fromisoformat(at) + span)


def warning(expires_at: str, at: str) -> int | None:
    """Return the warning that is due (30, 7 or 1 days before the end), None when none is or it is over."""
    left = datetime.fromisoformat(expires_at) - datetime.fromisoformat(at)
    due = [days for days in WARNING_DAYS if timedelta() < left <= timedelta(days=days)]
    return min(due, default=None)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    """Return the CRC-32 of a text in six base-62 digits, so that a typing error shows without a look-up."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
