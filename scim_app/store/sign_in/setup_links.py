"""Links of the machine's operator that open the settings once, without an identity provider."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.directory.kinds import USER, is_active
from scim_app.directory.names import address_key, is_email_address
from scim_app.directory.roles import ORGANIZATION, Role
from scim_app.errors import Conflict, Refused
from scim_app.store.access import admins, grants
from scim_app.store.db.sign_in_tables import setup_links
from scim_app.store.db.stamps import instant, now
from scim_app.store.db.tables import users
from scim_app.store.lifecycle import people
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import resources

LIFETIME = timedelta(hours=1)

_C = setup_links.c


@dataclass(frozen=True, slots=True)
class SetupLink:
    """A link that was not used yet. `user_id` and `user_name` are None where it names nobody."""

    user_id: str | None
    user_name: str | None


def make(connection: sa.Connection, org_id: str) -> str:
    """Return the code of a new link that names nobody; it works once and for an hour, and those before it no more."""
    return _insert(connection, org_id, user_id=None, address=None)


def make_for_admin(unit: Unit, address: str) -> tuple[str, str, str]:
    """Return id and name of a user and the code of a link that signs it in; those made before work no more.

    The user is found by its name, an e-mail address as a rule. It is added where there is none, also while SCIM is on,
    which links it by that name later; and it becomes an Organization Admin.

    Raises:
        ValueError: when there is no user of that name, and it is no e-mail address.
        Conflict: when the user of a name that looks alike has another address.
        Refused: when the user is deactivated, or no seat is left.
    """
    address = address.strip()
    stored = resources.find_named(unit.connection, unit.org_id, USER, address) or people.add_by_operator(unit, address)
    name = str(stored.load()[USER.unique])
    if address_key(name) != address_key(address):
        raise Conflict(f"there is a user {name!r}, whose name looks like {address!r} and is another one")
    if not is_active(stored.load()):
        raise Refused(f"the user {name!r} is deactivated: activate it in the identity provider first")
    if stored.id not in admins.organization_admins(unit.connection, unit.org_id):
        reason = "set up by the operator"
        grants.grant(unit, "user", stored.id, Role.ORGANIZATION_ADMIN, ORGANIZATION, reason=reason)
    named = address if is_email_address(address) else None
    code = _insert(unit.connection, unit.org_id, user_id=stored.id, address=named)
    unit.record(
        Event(
            type=EventType.SETUP_LINK_CREATED,
            subject_kind="identity",
            subject_id=stored.id,
            subject_name=name,
            detail="signs the user in once, within an hour",
        )
    )
    return stored.id, name, code


def find(connection: sa.Connection, org_id: str, code: str) -> SetupLink | None:
    """Return the link of a code, None when it is used, replaced or too old, or its user has lost access."""
    of_user = (users.c.org_id == _C.org_id) & (users.c.id == _C.user_id)
    usable = _C.user_id.is_(None) | (users.c.active & users.c.deleted_at.is_(None))
    query = sa.select(_C.user_id, users.c.user_name).select_from(setup_links.outerjoin(users, of_user))
    row = connection.execute(query.where(_is_fresh(org_id, code), usable)).first()
    return SetupLink(*row) if row else None


def use(unit: Unit, code: str) -> SetupLink | None:
    """Return the link of a code and use it up; None as for `find`."""
    link = find(unit.connection, unit.org_id, code)
    if link is not None:
        used = sa.update(setup_links).where(_is_fresh(unit.org_id, code)).values(used_at=unit.at)
        unit.connection.execute(used)
    return link


def _is_fresh(org_id: str, code: str) -> sa.ColumnElement[bool]:
    mine = (_C.org_id == org_id) & (_C.digest == _digest(code))
    return mine & _C.used_at.is_(None) & (_C.expires_at > now())


def _insert(connection: sa.Connection, org_id: str, *, user_id: str | None, address: str | None) -> str:
    # One that was used tells by which address the operator named its user, until that user signs in.
    over = _C.used_at.is_(None) | _C.user_id.is_(None) | (_C.user_id == user_id)
    connection.execute(sa.delete(setup_links).where(_C.org_id == org_id, over))
    code = secrets.token_urlsafe(32)
    row = {"org_id": org_id, "digest": _digest(code), "expires_at": instant(datetime.now(UTC) + LIFETIME)}
    connection.execute(sa.insert(setup_links), row | {"user_id": user_id, "address": address})
    return code


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
