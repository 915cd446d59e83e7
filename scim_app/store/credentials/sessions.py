"""Sessions of the settings pages: opaque in the browser, a digest here, and over the moment access ends."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.sign_in_tables import sessions
from scim_app.store.db.stamps import instant, new_id, now
from scim_app.store.db.tables import users
from scim_app.store.log.event_log import Unit

IDLE = timedelta(minutes=30)
RECENT = timedelta(minutes=5)
RECENT_WORDS = f"this is done within {RECENT.seconds // 60} minutes of signing in; sign in again"
ABSOLUTE = timedelta(hours=12)
_KEPT = timedelta(days=1)


class SessionKind(StrEnum):
    """How a session came about."""

    OIDC = "oidc"
    """Signed in at the identity provider; stands for a user."""
    SETUP = "setup"
    """By a setup link of the machine's operator; stands for the user whom the link names, or for none."""
    BREAK_GLASS = "break_glass"
    """By the emergency password; stands for no user."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is valid now. `user_id` and `user_name` are None where it stands for no user.

    `authenticated_at` is when the person proved who it is, which may be long before the session.
    """

    id: str
    kind: str
    user_id: str | None
    started_at: str
    seen_at: str
    user_name: str | None
    display_name: str | None
    authenticated_at: str | None

    @property
    def recent(self) -> bool:
        """Whether the person proved a moment ago who it is, as making credentials asks for.

        A setup link that names nobody opens pages on the operator's own machine alone, where the command line asks for
        no sign-in.
        """
        of_this_machine = self.kind == SessionKind.SETUP and self.user_id is None
        return of_this_machine or (self.authenticated_at or "") > _before(RECENT)


_FIND = (
    sa.select(
        *(sessions.c[name] for name in ("id", "kind", "user_id", "started_at", "seen_at")),
        users.c.user_name,
        users.c.display_name,
        sessions.c.authenticated_at,
    )
    .select_from(sessions.outerjoin(users, (users.c.org_id == sessions.c.org_id) & (users.c.id == sessions.c.user_id)))
    .where(
        sessions.c.org_id == sa.bindparam("org"),
        sessions.c.digest == sa.bindparam("digest"),
        sessions.c.ended_at.is_(None),
        sessions.c.seen_at > sa.bindparam("idle_since"),
        sessions.c.started_at > sa.bindparam("oldest"),
        # A session of a user is worth as much as the user: gone with access, in the same moment.
        sessions.c.user_id.is_(None) | (users.c.active & users.c.deleted_at.is_(None)),
    )
)


def _ending(column: str) -> Prepared:
    """Return the statement that ends the sessions with a value in a column and gives their ids."""
    mine = (sessions.c.org_id == sa.bindparam("org")) & (sessions.c[column] == sa.bindparam("value"))
    ended = sa.update(sessions).where(mine, sessions.c.ended_at.is_(None)).values(ended_at=sa.bindparam("at"))
    return Prepared(lambda _: ended.returning(sessions.c.id))


_END = {column: _ending(column) for column in ("user_id", "kind")}


def start(unit: Unit, kind: SessionKind, *, user_id: str | None, name: str, authenticated_at: str | None = None) -> str:
    """Start a session and return its secret, which only the browser keeps.

    Args:
        unit: the write; its actor is who signs in.
        kind: how the person signed in.
        user_id: the user it stands for, None for the machine's operator.
        name: what the log calls the person.
        authenticated_at: when the person proved who it is, where another party tells; now where it does not.
    """
    secret, session_id = secrets.token_urlsafe(32), new_id()
    row = {"org_id": unit.org_id, "id": session_id, "digest": _digest(secret), "kind": kind.value}
    times = {"user_id": user_id, "started_at": unit.at, "seen_at": unit.at}
    times["authenticated_at"] = min(authenticated_at or unit.at, unit.at)
    unit.connection.execute(sa.insert(sessions), row | times)
    old = (sessions.c.org_id == unit.org_id) & (sessions.c.started_at < _before(ABSOLUTE + _KEPT))
    unit.connection.execute(sa.delete(sessions).where(old))
    unit.record(_event(EventType.SESSION_STARTED, session_id, name, kind.value))
    return secret


def find(connection: sa.Connection, org_id: str, secret: str) -> Session | None:
    """Return the session of a secret; None when there is none, or it ended, or its user lost access."""
    limits = {"idle_since": _before(IDLE), "oldest": _before(ABSOLUTE)}
    row = connection.execute(_FIND, {"org": org_id, "digest": _digest(secret)} | limits).first()
    return Session(*row) if row else None


def note_use(connection: sa.Connection, org_id: str, session_id: str) -> None:
    """Remember that a session was used now."""
    mine = (sessions.c.org_id == org_id) & (sessions.c.id == session_id)
    connection.execute(sa.update(sessions).where(mine).values(seen_at=now()))


def end(unit: Unit, session_id: str, name: str, why: str = "signed out") -> None:
    """End one session, because its person signed out."""
    mine = (sessions.c.org_id == unit.org_id) & (sessions.c.id == session_id) & sessions.c.ended_at.is_(None)
    if unit.connection.execute(sa.update(sessions).where(mine).values(ended_at=unit.at)).rowcount:
        unit.record(_event(EventType.SESSION_ENDED, session_id, name, why))


def end_all(unit: Unit, user_id: str, name: str | None, why: str = "access ended") -> None:
    """End every session of a user for good, because the user lost access; regained access revives none."""
    _end(unit, "user_id", user_id, name, why)


def end_emergency(unit: Unit, name: str) -> None:
    """End every session that the emergency password began: it was switched off, or is another one now."""
    _end(unit, "kind", SessionKind.BREAK_GLASS.value, name, "password withdrawn")


def _end(unit: Unit, column: str, value: str, name: str | None, detail: str) -> None:
    for (session_id,) in _END[column].all(unit.connection, org=unit.org_id, value=value, at=unit.at):
        unit.record(_event(EventType.SESSION_ENDED, session_id, name, detail))


def _event(kind: EventType, session_id: str, name: str | None, detail: str) -> Event:
    return Event(type=kind, subject_kind="session", subject_id=session_id, subject_name=name, detail=detail)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _before(span: timedelta) -> str:
    return instant(datetime.now(UTC) - span)
