"""Which user a person is who signs in for the first time, and whether that is certain enough.

An identity provider, or whoever stole its token, writes addresses and ids by SCIM. What it wrote is enough to sign in
as somebody without a privileged role. As somebody with one, an address that it wrote is never enough.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from scim_app.directory.names import address_key, fold
from scim_app.errors import NotFound
from scim_app.store.access import access
from scim_app.store.db.sign_in_tables import setup_links
from scim_app.store.db.tables import users
from scim_app.store.resources import emails
from scim_app.store.sign_in import provenance


@dataclass(frozen=True, slots=True)
class Member:
    """An active user who may sign in."""

    id: str
    user_name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs in, as the provider tells it."""

    issuer: str
    subject: str
    email: str | None
    """The address that the provider vouches for."""
    external_id: str
    """The provider's own id of the person that SCIM has as `externalId`; empty where it tells none."""

    @classmethod
    def of(cls, issuer: str, subject: str, email: str | None, own_id: str | None) -> "Person":
        """Return a person whose id is the subject where no other (`own_id`) is set."""
        return cls(issuer, subject, email, subject if own_id is None else own_id)


@dataclass(frozen=True, slots=True)
class Match:
    """The user that a person seems to be."""

    member: Member
    certain: bool
    """Whether the person may sign in as this user without asking anybody."""
    how: str
    """By what the person was recognized."""


_LIVE = users.c.active & users.c.deleted_at.is_(None)
MEMBERS = sa.select(users.c.id, users.c.user_name).where(users.c.org_id == sa.bindparam("org"), _LIVE)


def recognize(connection: sa.Connection, org_id: str, person: Person) -> Match:
    """Return the active user that a person is who is bound to none yet.

    Raises:
        NotFound: when it is nobody, or several users have its address.
    """
    if named := _named_by_the_operator(connection, org_id, person):
        return Match(named, certain=True, how="named by the operator's setup link")
    by_id = _by_external_id(connection, org_id, person)
    by_address = _by_address(connection, org_id, person.email) if person.email else []
    if by_id and (len(by_address) != 1 or _had_address(connection, org_id, by_id, person)):
        return _matched_by_id(connection, org_id, by_id, by_address, person)
    if not person.email:
        raise NotFound("no active user, and no verified e-mail address to find one by")
    if len(by_address) != 1:
        raise NotFound("several users have this address" if by_address else "no active user has this e-mail address")
    return Match(by_address[0], _is_certain(connection, org_id, by_address[0], person), "recognized by the address")


def is_privileged(connection: sa.Connection, org_id: str, user_id: str) -> bool:
    """Tell whether a user holds Admin or above anywhere: by itself, through a team, or by default."""
    return access.of_user(connection, org_id, user_id).role.privileged


def _matched_by_id(
    connection: sa.Connection, org_id: str, member: Member, by_address: list[Member], person: Person
) -> Match:
    how = "recognized by the provider's own id"
    if not _had_address(connection, org_id, member, person):
        return Match(member, certain=False, how=how)
    if not is_privileged(connection, org_id, member.id) or provenance.of_user(connection, org_id, member.id).own_id:
        return Match(member, certain=True, how=how)
    also_by_address = member in by_address and _is_certain(connection, org_id, member, person)
    return Match(member, also_by_address, how)


def _is_certain(connection: sa.Connection, org_id: str, member: Member, person: Person) -> bool:
    """Tell whether the address by which somebody was recognized is enough for what the user may do."""
    if not is_privileged(connection, org_id, member.id):
        return True
    by_name = address_key(member.user_name) == address_key(person.email or "")
    used = ("userName",) if by_name else ("userName", "emails")
    return provenance.of_user(connection, org_id, member.id).by_hand(*used)


def _had_address(connection: sa.Connection, org_id: str, member: Member, person: Person) -> bool:
    """Tell whether nothing speaks against an id: another system may count its people by the same numbers."""
    if person.email is None:
        return True
    had = provenance.of_user(connection, org_id, member.id).addresses
    return address_key(person.email) in {address_key(one) for one in had}


def _named_by_the_operator(connection: sa.Connection, org_id: str, person: Person) -> Member | None:
    if person.email is None:
        return None
    used = (setup_links.c.org_id == org_id) & setup_links.c.used_at.is_not(None)
    query = sa.select(setup_links.c.user_id, setup_links.c.address).where(used, setup_links.c.address.is_not(None))
    same = [key for key, address in connection.execute(query) if address_key(address) == address_key(person.email)]
    return _one(connection, org_id, users.c.id == same[0]) if len(same) == 1 else None


def _by_external_id(connection: sa.Connection, org_id: str, person: Person) -> Member | None:
    return _one(connection, org_id, users.c.external_id == person.external_id) if person.external_id else None


def _by_address(connection: sa.Connection, org_id: str, email: str) -> list[Member]:
    """Return the users whose sign-in address this is: the user name where it is an address, else the primary e-mail.

    The store finds more than are equal: there, names that look alike are one name.
    """
    wanted, values = address_key(email), {"org": org_id}
    named = connection.execute(MEMBERS.where(users.c.name_key == fold(email)), values).all()
    found = [Member(*row) for row in named if address_key(row.user_name) == wanted]
    if found:
        return found
    may = emails.having(org_id, emails.as_compared(email), connection.dialect.name)
    others = MEMBERS.add_columns(users.c.email).where(users.c.name_key.not_like("%@%"), may)
    return [
        Member(row.id, row.user_name)
        for row in connection.execute(others, values)
        if address_key(row.email or "") == wanted
    ]


def _one(connection: sa.Connection, org_id: str, where: sa.ColumnElement[bool]) -> Member | None:
    row = connection.execute(MEMBERS.where(where), {"org": org_id}).first()
    return Member(*row) if row else None
