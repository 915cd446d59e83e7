"""The emergency account of an organization: off until an admin sets its password, kept as an argon2id hash."""

from dataclasses import dataclass

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scim_app.directory.events import Event, EventType
from scim_app.store.credentials import sessions
from scim_app.store.db.settings_tables import break_glass
from scim_app.store.db.stamps import now
from scim_app.store.log.event_log import Unit

SHORTEST = 16
"""Fewest characters of the password."""
LONGEST = 256

_HASHER = PasswordHasher()
_COSTS = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
_NOBODY = f"$argon2id$v=19${_COSTS}${'A' * 22}${'A' * 43}"
"""The hash of no password that anyone knows: as dear to compare with as a real one, and made without that effort."""


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """The emergency account, where it is on. Times are ISO 8601 in UTC."""

    enabled_at: str
    enabled_by: str
    last_used_at: str | None


def find(connection: sa.Connection, org_id: str) -> BreakGlass | None:
    """Return the emergency account, None when it is off."""
    columns = [break_glass.c[name] for name in BreakGlass.__slots__]
    row = connection.execute(sa.select(*columns).where(break_glass.c.org_id == org_id)).first()
    return BreakGlass(*row) if row else None


def enable(unit: Unit, password: str) -> None:
    """Switch the emergency account on with a password, or give it another one, which ends its sessions.

    Raises:
        ValueError: when the password is shorter than 16 characters or longer than 256.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"the password needs {SHORTEST} to {LONGEST} characters")
    _forget(unit)
    row = {"org_id": unit.org_id, "digest": _HASHER.hash(password)}
    unit.connection.execute(sa.insert(break_glass), row | {"enabled_at": unit.at, "enabled_by": unit.actor.name})
    unit.record(_event(unit, EventType.BREAK_GLASS_ENABLED))


def disable(unit: Unit) -> None:
    """Switch the emergency account off and end its sessions; where it is off nothing changes."""
    if _forget(unit):
        unit.record(_event(unit, EventType.BREAK_GLASS_DISABLED))


def find_digest(connection: sa.Connection, org_id: str) -> str | None:
    """Return the hash of the emergency password, None where the account is off."""
    return connection.execute(sa.select(break_glass.c.digest).where(break_glass.c.org_id == org_id)).scalar()


def matches(digest: str | None, password: str) -> bool:
    """Tell whether a password is that of a hash; without one it takes as long to say no.

    It takes 64 MiB and some 50 ms of a core: callers hold no connection meanwhile, and let few do it at once.
    """
    try:
        return _HASHER.verify(digest or _NOBODY, password[:LONGEST]) and digest is not None
    except (VerificationError, InvalidHashError):
        return False


def note_use(connection: sa.Connection, org_id: str) -> None:
    """Remember that somebody signed in by the emergency account now."""
    connection.execute(sa.update(break_glass).where(break_glass.c.org_id == org_id).values(last_used_at=now()))


def _forget(unit: Unit) -> bool:
    sessions.end_emergency(unit, "Emergency account")
    return unit.connection.execute(sa.delete(break_glass).where(break_glass.c.org_id == unit.org_id)).rowcount > 0


def _event(unit: Unit, kind: EventType) -> Event:
    return Event(type=kind, subject_kind="organization", subject_id=unit.org_id)
