"""Which identity of a provider is which user: bound at the first sign-in, and by (issuer, subject) from then on."""

from dataclasses import dataclass

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.directory.names import fold
from scim_app.errors import Conflict, NotFound
from scim_app.store import sessions
from scim_app.store.event_log import Unit
from scim_app.store.sign_in_tables import identities
from scim_app.store.tables import users


@dataclass(frozen=True, slots=True)
class Member:
    """An active user who may sign in."""

    id: str
    user_name: str


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """A provider's own id of a person, and since when it is this user."""

    issuer: str
    subject: str
    since: str


_LIVE = users.c.active & users.c.deleted_at.is_(None)
_MEMBERS = sa.select(users.c.id, users.c.user_name).where(users.c.org_id == sa.bindparam("org"), _LIVE)


def member_of(unit: Unit, issuer: str, subject: str, email: str | None) -> Member:
    """Return the active user behind an identity, bound by its verified e-mail address when it comes the first time.

    Raises:
        NotFound: when no active user is behind it.
        Conflict: when the user of this address signs in with another identity of this issuer.
    """
    bound = _bound(unit, issuer, subject)
    if bound is not None:
        row = unit.connection.execute(_MEMBERS.where(users.c.id == bound), {"org": unit.org_id}).first()
        if row is not None:
            return Member(*row)
    if email is None:
        raise NotFound("no active user, and no verified e-mail address to find one by")
    member = _by_address(unit.connection, unit.org_id, email)
    if bound is not None and not _is_gone(unit, bound):
        raise NotFound("the user of this identity is deactivated")
    _bind(unit, issuer, subject, member)
    return member


def _bound(unit: Unit, issuer: str, subject: str) -> str | None:
    mine = (identities.c.org_id == unit.org_id) & (identities.c.issuer == issuer) & (identities.c.subject == subject)
    return unit.connection.execute(sa.select(identities.c.user_id).where(mine)).scalar()


def _is_gone(unit: Unit, user_id: str) -> bool:
    mine = (users.c.org_id == unit.org_id) & (users.c.id == user_id)
    row = unit.connection.execute(sa.select(users.c.deleted_at).where(mine)).first()
    return row is None or row.deleted_at is not None


def _by_address(connection: sa.Connection, org_id: str, email: str) -> Member:
    """Return the user whose sign-in address this is: the user name where it is an address, else the primary e-mail."""
    found = connection.execute(_MEMBERS.where(users.c.name_key == fold(email)), {"org": org_id}).all()
    if not found:
        others = _MEMBERS.where(users.c.name_key.not_like("%@%"), sa.func.lower(users.c.email) == email.lower())
        found = connection.execute(others, {"org": org_id}).all()
    if len(found) != 1:
        raise NotFound("no active user has this e-mail address" if not found else "several users have this address")
    return Member(*found[0])


def _bind(unit: Unit, issuer: str, subject: str, member: Member) -> None:
    of_issuer = (identities.c.org_id == unit.org_id) & (identities.c.issuer == issuer)
    other = sa.select(identities.c.subject).where(of_issuer, identities.c.user_id == member.id)
    if unit.connection.execute(other).first():
        raise Conflict("the user of this address signs in with another identity")
    unit.connection.execute(sa.delete(identities).where(of_issuer, identities.c.subject == subject))
    row = {"org_id": unit.org_id, "issuer": issuer, "subject": subject, "user_id": member.id, "since": unit.at}
    unit.connection.execute(sa.insert(identities), row)
    unit.record(_event(EventType.IDENTITY_BOUND, member, issuer, subject))


def of_user(connection: sa.Connection, org_id: str, user_id: str) -> list[KnownIdentity]:
    """Return how a user signs in, one identity for each provider, the first one first."""
    columns = (identities.c.issuer, identities.c.subject, identities.c.since)
    mine = (identities.c.org_id == org_id) & (identities.c.user_id == user_id)
    return [KnownIdentity(*row) for row in connection.execute(sa.select(*columns).where(mine).order_by(columns[2]))]


def forget(unit: Unit, user_id: str) -> None:
    """Forget how a user signs in and end its sessions; the next sign-in with the verified address binds anew.

    Raises:
        NotFound: when there is no such user, or nothing to forget.
    """
    mine = (users.c.org_id == unit.org_id) & (users.c.id == user_id) & users.c.deleted_at.is_(None)
    name = unit.connection.execute(sa.select(users.c.user_name).where(mine)).scalar()
    known = of_user(unit.connection, unit.org_id, user_id)
    if name is None or not known:
        raise NotFound("there is no such user" if name is None else f"{name} has not signed in yet")
    gone = (identities.c.org_id == unit.org_id) & (identities.c.user_id == user_id)
    unit.connection.execute(sa.delete(identities).where(gone))
    for one in known:
        unit.record(_event(EventType.IDENTITY_FORGOTTEN, Member(user_id, name), one.issuer, one.subject))
    sessions.end_all(unit, user_id, name, "sign-in forgotten")


def _event(kind: EventType, member: Member, issuer: str, subject: str) -> Event:
    told = {"identity": {"issuer": issuer, "subject": subject}}
    return Event(type=kind, subject_kind="identity", subject_id=member.id, subject_name=member.user_name, change=told)
