"""People as an admin adds and removes them, within what SCIM leaves to admins."""

import sqlalchemy as sa

from scim_app.directory import profile
from scim_app.directory.events import EventType, describe
from scim_app.directory.kinds import USER, is_active
from scim_app.directory.names import is_email_address
from scim_app.directory.reach import Operation
from scim_app.errors import Conflict, NotFound, Refused
from scim_app.store.access import admins, admission, authority, organizations
from scim_app.store.db.tables import users
from scim_app.store.lifecycle import removal
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import resources
from scim_app.store.resources.resources import Stored


def get(connection: sa.Connection, org_id: str, user: str) -> Stored:
    """Return a user by its id or its user name.

    Raises:
        NotFound: when there is none.
    """
    found = resources.find(connection, org_id, USER, user) or resources.find_named(connection, org_id, USER, user)
    if found is None:
        raise NotFound(f"there is no user {user!r}")
    return found


def add(
    unit: Unit, user_name: str, *, display_name: str | None = None, given_name: str = "", family_name: str = ""
) -> Stored:
    """Add a user that exists only here, and return it; the user name is the e-mail address that signs in.

    Raises:
        ValueError: when the user name is not an e-mail address.
        Refused: when SCIM is on, or no seat is left.
        NotPermitted: when the default role is more than the actor holds.
        Conflict: when the name is taken.
    """
    authority.require_default_role(unit, Operation.ADD_USER)
    _require_scim_off(unit, "people are added in the identity provider while SCIM is on")
    return _add(unit, user_name.strip(), display_name, {"givenName": given_name, "familyName": family_name})


def add_by_operator(unit: Unit, user_name: str) -> Stored:
    """Add the user whom the machine's operator sets up, also while SCIM is on; raises as `add` does otherwise."""
    return _add(unit, user_name, None, {})


def _add(unit: Unit, user_name: str, display_name: str | None, name: dict[str, str]) -> Stored:
    _require_address(user_name)
    document = profile.new(user_name, name, display_name)
    if resources.find_taken(unit.connection, unit.org_id, USER, document):
        raise Conflict(f"there is a user {user_name!r} already")
    admission.admit(unit, seat=True)
    change = {"attributes": describe(None, document), "origin": "local"}
    return resources.insert(unit, USER, document, EventType.USER_CREATED, change, resources.fresh_id())


def edit(
    unit: Unit,
    user_id: str,
    *,
    user_name: str | None = None,
    display_name: str | None = None,
    given_name: str | None = None,
    family_name: str | None = None,
) -> Stored:
    """Change a user that is not synced, and return it; None leaves as it is, an empty text takes away.

    Raises:
        NotFound: when there is no such user.
        ValueError: when the user name is not an e-mail address.
        Refused: when it is synced while SCIM is on.
        NotPermitted: when the user holds more than the actor.
        Conflict: when the name is taken.
    """
    user = get(unit.connection, unit.org_id, user_id)
    authority.require_user(unit, Operation.EDIT_USER, user.id)
    if user.origin != "local":
        _require_scim_off(unit, "the user is synced: change it in the identity provider")
    before = user.load()
    if user_name is not None and user_name.strip() != before[USER.unique]:
        _require_address(user_name.strip())
    after = profile.edited(before, user_name, {"givenName": given_name, "familyName": family_name}, display_name)
    if before == after:
        return user
    if resources.find_taken(unit.connection, unit.org_id, USER, after, but=user.id):
        raise Conflict(f"there is another user {after[USER.unique]!r} already")
    change = {"attributes": describe(before, after)}
    return resources.update(unit, USER, user, after, EventType.USER_UPDATED, change)


def remove(unit: Unit, user_id: str) -> None:
    """Remove a user; its teams and grants go with it, and it can be restored for 30 days.

    Raises:
        NotFound: when there is no such user.
        Refused: when it is synced while SCIM is on, or the last Organization Admin.
    """
    user = get(unit.connection, unit.org_id, user_id)
    if user.origin != "local":
        _require_scim_off(unit, "the user is synced: deactivate or unassign it in the identity provider")
    with admins.keeping_an_admin(unit):
        removal.remove(unit, USER, user)


def restore(unit: Unit, user_id: str) -> Stored:
    """Give a user back its access that was removed within 30 days, or deactivated, with teams and grants.

    Raises:
        NotFound: when there is none to bring back.
        Refused: when SCIM is on, or no seat is left.
        NotPermitted: when the user would have more than the actor holds.
        Conflict: when its name is taken by now.
    """
    _require_scim_off(unit, "people are assigned again in the identity provider while SCIM is on")
    user = resources.find(unit.connection, unit.org_id, USER, user_id)
    admission.admit(unit, seat=True)
    if user is None:
        return removal.restore(unit, USER, user_id)
    before = user.load()
    if is_active(before):
        raise Conflict(f"the user {before[USER.unique]!r} is active already")
    authority.require_user(unit, Operation.RESTORE_USER, user.id)
    after = {**before, "active": True}
    change = {"attributes": describe(before, after)}
    return resources.update(unit, USER, user, after, EventType.USER_REACTIVATED, change)


def flagged(connection: sa.Connection, org_id: str, limit: int = 100) -> list[tuple[str, str]]:
    """Return id and name of active users whose userName is not an e-mail address, at most `limit`."""
    query = sa.select(users.c["id"], users.c.user_name).where(
        users.c.org_id == org_id,
        users.c.deleted_at.is_(None),
        users.c.active,
        users.c.user_name.not_like("%_@_%"),
    )
    return [(key, name) for key, name in connection.execute(query.order_by(users.c.position).limit(limit))]


def _require_address(user_name: str) -> None:
    if not is_email_address(user_name):
        raise ValueError(f"{user_name!r} is not an e-mail address; a user signs in with one")


def _require_scim_off(unit: Unit, why: str) -> None:
    if organizations.by_id(unit.connection, unit.org_id).scim_enabled:
        raise Refused(f"{why}, or switch SCIM off")
