"""Which identity of a provider is which user: bound at the first sign-in, and by (issuer, subject) from then on."""

from dataclasses import dataclass

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.errors import Conflict, NotFound, Refused
from scim_app.store.credentials import sessions
from scim_app.store.db.sign_in_tables import identities, identity_requests, setup_links
from scim_app.store.db.tables import users
from scim_app.store.log.event_log import Unit
from scim_app.store.sign_in.recognition import Member, Person, find_member, recognize


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """A provider's own id of a person, and since when it is this user."""

    issuer: str
    subject: str
    since: str


class ConfirmationNeeded(Refused):
    """A person seems to be a user with a privileged role, and an admin has to say so first."""

    def __init__(self, person: Person, member: Member) -> None:
        super().__init__("the first sign-in of a user with a privileged role waits for a confirmation")
        self.person, self.member = person, member


def member_of(unit: Unit, person: Person) -> Member:
    """Return the active user that a person is, bound to it when the person comes the first time.

    Raises:
        NotFound: when no active user is behind it.
        Conflict: when the user that it seems to be signs in with another identity of this issuer.
        ConfirmationNeeded: when the user that it seems to be holds a privileged role, and only SCIM says so.
    """
    bound = _bound(unit, person)
    if bound is not None and (member := _member(unit, bound)):
        return member
    match = recognize(unit.connection, unit.org_id, person)
    if bound is not None and not _is_gone(unit, bound):
        raise NotFound("the user of this identity is deactivated")
    if not match.certain:
        _require_unbound(unit, person.issuer, match.member)
        raise ConfirmationNeeded(person, match.member)
    bind(unit, person, match.member, match.how)
    return match.member


def bind_where_set_up(unit: Unit, user_id: str, person: Person) -> None:
    """Bind an identity to the user whom a setup link signed in in the same browser.

    Nothing happens where either has a binding, or the identity is recognized as somebody else.
    """
    member = _member(unit, user_id)
    if member is None or _bound(unit, person) is not None or _has_identity(unit, person.issuer, user_id):
        return
    try:
        if recognize(unit.connection, unit.org_id, person).member.id != user_id:
            return
    except NotFound:  # as nobody: the link says who it is
        pass
    bind(unit, person, member, "signed in by the operator's setup link")


def bind(unit: Unit, person: Person, member: Member, how: str) -> None:
    """Make an identity a user's, with its event.

    Raises:
        Conflict: when the user signs in with another identity of this issuer.
    """
    _require_unbound(unit, person.issuer, member)
    mine = _of_issuer(unit, person.issuer) & (identities.c.subject == person.subject)
    unit.connection.execute(sa.delete(identities).where(mine))
    row = {"org_id": unit.org_id, "issuer": person.issuer, "subject": person.subject, "user_id": member.id}
    unit.connection.execute(sa.insert(identities), row | {"since": unit.at})
    _forget_asking(unit, member.id)
    unit.record(event(EventType.IDENTITY_BOUND, member, person.issuer, person.subject, how))


def of_user(connection: sa.Connection, org_id: str, user_id: str) -> list[KnownIdentity]:
    """Return how a user signs in, one identity for each provider, the first one first."""
    columns = (identities.c.issuer, identities.c.subject, identities.c.since)
    mine = (identities.c.org_id == org_id) & (identities.c.user_id == user_id)
    return [KnownIdentity(*row) for row in connection.execute(sa.select(*columns).where(mine).order_by(columns[2]))]


def forget(unit: Unit, user_id: str) -> None:
    """Forget how a user signs in and end its sessions; the next sign-in binds anew, as the first one did.

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
        unit.record(event(EventType.IDENTITY_FORGOTTEN, Member(user_id, name), one.issuer, one.subject))
    sessions.end_all(unit, user_id, name, "sign-in forgotten")


def event(kind: EventType, member: Member, issuer: str, subject: str, detail: str | None = None) -> Event:
    """Return the event that something happened to how a user signs in."""
    return Event(
        type=kind,
        subject_kind="identity",
        subject_id=member.id,
        subject_name=member.user_name,
        change={"identity": {"issuer": issuer, "subject": subject}},
        detail=detail,
    )


def _of_issuer(unit: Unit, issuer: str) -> sa.ColumnElement[bool]:
    return (identities.c.org_id == unit.org_id) & (identities.c.issuer == issuer)


def _member(unit: Unit, user_id: str) -> Member | None:
    return find_member(unit.connection, unit.org_id, users.c.id == user_id)


def _bound(unit: Unit, person: Person) -> str | None:
    mine = _of_issuer(unit, person.issuer) & (identities.c.subject == person.subject)
    return unit.connection.execute(sa.select(identities.c.user_id).where(mine)).scalar()


def _is_gone(unit: Unit, user_id: str) -> bool:
    mine = (users.c.org_id == unit.org_id) & (users.c.id == user_id)
    row = unit.connection.execute(sa.select(users.c.deleted_at).where(mine)).first()
    return row is None or row.deleted_at is not None


def _has_identity(unit: Unit, issuer: str, user_id: str) -> bool:
    query = sa.select(identities.c.subject).where(_of_issuer(unit, issuer), identities.c.user_id == user_id)
    return unit.connection.execute(query).first() is not None


def _require_unbound(unit: Unit, issuer: str, member: Member) -> None:
    if _has_identity(unit, issuer, member.id):
        raise Conflict("the user of this address signs in with another identity")


def _forget_asking(unit: Unit, user_id: str) -> None:
    """Forget who else asked to be this user, and the setup links that named it: it is known now who the user is."""
    asking, links = identity_requests.c, setup_links.c
    mine = (asking.org_id == unit.org_id) & (asking.user_id == user_id)
    unit.connection.execute(sa.delete(identity_requests).where(mine))
    named = (links.org_id == unit.org_id) & (links.user_id == user_id) & links.used_at.is_not(None)
    unit.connection.execute(sa.delete(setup_links).where(named))
