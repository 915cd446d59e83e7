"""First sign-ins that wait for an admin, because it is not certain enough that the person is the user."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from scim_app.directory.events import EventType
from scim_app.errors import Conflict, NotFound
from scim_app.store.db.sign_in_tables import identity_requests
from scim_app.store.db.stamps import instant
from scim_app.store.db.tables import users
from scim_app.store.log.event_log import Unit
from scim_app.store.sign_in import identities
from scim_app.store.sign_in.identities import ConfirmationNeeded
from scim_app.store.sign_in.recognition import Member, Person, recognize

LIFETIME = timedelta(days=7)
"""How long a first sign-in waits; the person signs in anew after that."""

_C = identity_requests.c


@dataclass(frozen=True, slots=True)
class IdentityRequest:
    """A person of the provider who asks to be a user. Times are ISO 8601 in UTC."""

    user_id: str
    user_name: str
    issuer: str
    subject: str
    email: str | None
    external_id: str
    asked_at: str


def ask(unit: Unit, needed: ConfirmationNeeded) -> None:
    """Remember that somebody waits for a confirmation, with its event; who waits already waits on."""
    person, member = needed.person, needed.member
    same = (_C.user_id == member.id) & (_C.asked_at > _oldest())
    if unit.connection.execute(sa.select(_C.user_id).where(_is_of(unit, person.issuer, person.subject), same)).first():
        return
    _drop(unit, person.issuer, person.subject)
    row = {"org_id": unit.org_id, "issuer": person.issuer, "subject": person.subject, "user_id": member.id}
    told = {"email": person.email, "external_id": person.external_id, "asked_at": unit.at}
    unit.connection.execute(sa.insert(identity_requests), row | told)
    detail = "waits for the confirmation of an Organization Admin"
    unit.record(identities.event(EventType.IDENTITY_REQUESTED, member, person.issuer, person.subject, detail))


def waiting(connection: sa.Connection, org_id: str, user_id: str | None = None) -> list[IdentityRequest]:
    """Return who waits for a confirmation, of one user or of all, the first one first."""
    columns = (_C.user_id, users.c.user_name, _C.issuer, _C.subject, _C.email, _C.external_id, _C.asked_at)
    of_users = (users.c.org_id == _C.org_id) & (users.c.id == _C.user_id)
    query = sa.select(*columns).select_from(identity_requests.join(users, of_users))
    query = query.where(_C.org_id == org_id, _C.asked_at > _oldest(), users.c.deleted_at.is_(None), users.c.active)
    if user_id is not None:
        query = query.where(_C.user_id == user_id)
    return [IdentityRequest(*row) for row in connection.execute(query.order_by(_C.asked_at, _C.subject))]


def confirm(unit: Unit, user_id: str, issuer: str, subject: str) -> None:
    """Bind an identity that waits to its user: an admin says that it is this person.

    Raises:
        NotFound: when it does not wait for this user.
        Conflict: when it leads to another user by now, or the user signs in with another identity.
    """
    asked = _get(unit, user_id, issuer, subject)
    person = Person(issuer, subject, asked.email, asked.external_id)
    try:
        match = recognize(unit.connection, unit.org_id, person)
    except NotFound as problem:
        raise Conflict(f"this sign-in leads to no user any more: {problem}") from problem
    if match.member.id != user_id:
        raise Conflict(f"this sign-in leads to {match.member.user_name} by now")
    identities.bind(unit, person, match.member, f"{match.how}, confirmed by {unit.actor.name}")


def decline(unit: Unit, user_id: str, issuer: str, subject: str) -> None:
    """Let an identity that waits wait no more: it is not this person.

    Raises:
        NotFound: when it does not wait for this user.
    """
    asked = _get(unit, user_id, issuer, subject)
    _drop(unit, issuer, subject)
    member = Member(user_id, asked.user_name)
    unit.record(identities.event(EventType.IDENTITY_DECLINED, member, issuer, subject))


def _get(unit: Unit, user_id: str, issuer: str, subject: str) -> IdentityRequest:
    for one in waiting(unit.connection, unit.org_id, user_id):
        if (one.issuer, one.subject) == (issuer, subject):
            return one
    raise NotFound("no such sign-in waits for this user; it may have been decided, or be older than a week")


def _is_of(unit: Unit, issuer: str, subject: str) -> sa.ColumnElement[bool]:
    return (_C.org_id == unit.org_id) & (_C.issuer == issuer) & (_C.subject == subject)


def _drop(unit: Unit, issuer: str, subject: str) -> None:
    unit.connection.execute(sa.delete(identity_requests).where(_is_of(unit, issuer, subject)))


def _oldest() -> str:
    return instant(datetime.now(UTC) - LIFETIME)
