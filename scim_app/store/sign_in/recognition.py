"""Which user a person is who signs in for the first time, and whether that is certain enough.

An identity provider, or whoever stole its token, writes addresses and ids by SCIM. What it wrote is enough to sign in
as somebody without a privileged role. As somebody with one, an address that it wrote is never enough.
"""

from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from scim_app.directory.names import address_key, fold
from scim_app.errors import NotFound
from scim_app.store.access import access
from scim_app.store.db.sign_in_tables import setup_links
from scim_app.store.db.tables import users
from scim_app.store.resources import emails
from scim_app.store.sign_in import provenance
from scim_app.store.sign_in.provenance import Provenance


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


@dataclass(frozen=True, slots=True)
class Match:
    """The user that a person seems to be."""

    member: Member
    certain: bool
    """Whether the person may sign in as this user without asking anybody."""
    how: str
    """By what the person was recognized."""


_LIVE = users.c.active & users.c.deleted_at.is_(None)
_MEMBERS = sa.select(users.c.id, users.c.user_name).where(users.c.org_id == sa.bindparam("org"), _LIVE)


def find_member(connection: sa.Connection, org_id: str, where: sa.ColumnElement[bool]) -> Member | None:
    """Return the active user that meets a condition, None without one."""
    row = connection.execute(_MEMBERS.where(where), {"org": org_id}).first()
    return Member(*row) if row else None


class _Candidate:
    """A user that a person may be, with what speaks for it; each is read once, and only where it decides."""

    def __init__(self, connection: sa.Connection, org_id: str, member: Member) -> None:
        self.member = member
        self._connection, self._org_id = connection, org_id

    @cached_property
    def privileged(self) -> bool:
        """Whether the user holds Admin or above anywhere: by itself, through a team, or by default."""
        return access.of_user(self._connection, self._org_id, self.member.id).role.privileged

    @cached_property
    def provenance(self) -> Provenance:
        """Who wrote what the user is recognized by."""
        return provenance.of_user(self._connection, self._org_id, self.member.id)

    def had_address(self, person: Person) -> bool:
        """Tell whether nothing speaks against an id: another system may count its people by the same numbers."""
        if person.email is None:
            return True
        return address_key(person.email) in {address_key(address) for address in self.provenance.addresses}

    def is_certain_by_address(self, person: Person) -> bool:
        """Tell whether the address by which the user was recognized is enough for what it may do."""
        if not self.privileged:
            return True
        by_name = address_key(self.member.user_name) == address_key(person.email or "")
        return self.provenance.by_hand(*(("userName",) if by_name else ("userName", "emails")))

    def is_certain_by_id(self, person: Person, by_address: list[Member]) -> bool:
        """Tell whether the provider's own id is enough, given also whom the address leads to."""
        if not self.had_address(person):
            return False
        if not self.privileged or self.provenance.own_id:
            return True
        return self.member in by_address and self.is_certain_by_address(person)


def recognize(connection: sa.Connection, org_id: str, person: Person) -> Match:
    """Return the active user that a person is who is bound to none yet.

    Raises:
        NotFound: when it is nobody, or several users have its address.
    """
    if by_link := _named_by_the_operator(connection, org_id, person):
        return Match(by_link, certain=True, how="named by the operator's setup link")
    by_id = _by_external_id(connection, org_id, person)
    by_address = _by_address(connection, org_id, person.email) if person.email else []
    if by_id:
        candidate = _Candidate(connection, org_id, by_id)
        if len(by_address) != 1 or candidate.had_address(person):
            certain = candidate.is_certain_by_id(person, by_address)
            return Match(by_id, certain, "recognized by the provider's own id")
    if not person.email:
        raise NotFound("no active user, and no verified e-mail address to find one by")
    if len(by_address) != 1:
        raise NotFound("several users have this address" if by_address else "no active user has this e-mail address")
    candidate = _Candidate(connection, org_id, by_address[0])
    return Match(candidate.member, candidate.is_certain_by_address(person), "recognized by the address")


def _named_by_the_operator(connection: sa.Connection, org_id: str, person: Person) -> Member | None:
    if person.email is None:
        return None
    used = (setup_links.c.org_id == org_id) & setup_links.c.used_at.is_not(None)
    query = sa.select(setup_links.c.user_id, setup_links.c.address).where(used, setup_links.c.address.is_not(None))
    same = [key for key, address in connection.execute(query) if address_key(address) == address_key(person.email)]
    return find_member(connection, org_id, users.c.id == same[0]) if len(same) == 1 else None


def _by_external_id(connection: sa.Connection, org_id: str, person: Person) -> Member | None:
    if not person.external_id:
        return None
    return find_member(connection, org_id, users.c.external_id == person.external_id)


def _by_address(connection: sa.Connection, org_id: str, email: str) -> list[Member]:
    """Return the users whose sign-in address this is: the user name where it is an address, else the primary e-mail.

    The store finds more than are equal: there, names that look alike are one name.
    """
    key, values = address_key(email), {"org": org_id}
    look_alikes = connection.execute(_MEMBERS.where(users.c.name_key == fold(email)), values)
    by_name = [Member(*row) for row in look_alikes if address_key(row.user_name) == key]
    if by_name:
        return by_name
    may = emails.having(connection.dialect.name)
    others = _MEMBERS.add_columns(users.c.email).where(users.c.name_key.not_like("%@%"), may)
    values |= emails.values(emails.as_compared(email))
    return [
        Member(row.id, row.user_name)
        for row in connection.execute(others, values)
        if address_key(row.email or "") == key
    ]
