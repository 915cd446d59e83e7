"""Teams as an admin changes them: made, renamed, linked, unlinked, removed and restored by hand."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from scim_app.directory.events import EventType, describe
from scim_app.directory.kinds import TEAM, USER, Document
from scim_app.directory.linking import LinkPreview, preview
from scim_app.directory.membership import MemberDelta
from scim_app.directory.names import fold
from scim_app.directory.reach import Operation
from scim_app.errors import Conflict, NotFound, Refused
from scim_app.store.access import admins, authority, organizations
from scim_app.store.db.tables import team_members, users
from scim_app.store.lifecycle import removal
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import members, owners, resources
from scim_app.store.resources.resources import Stored

LOCAL, OFFERED, LINKED = "local", "offered", "scim"
"""Origins of a team: made here; offered to the identity provider, which links it by its next push; linked."""

_SCHEMAS = ["urn:ietf:params:scim:schemas:core:2.0:Group"]


def get(connection: sa.Connection, org_id: str, team: str) -> Stored:
    """Return a team by its id or its name.

    Raises:
        NotFound: when there is none.
    """
    found = resources.find(connection, org_id, TEAM, team) or resources.find_named(connection, org_id, TEAM, team)
    if found is None:
        raise NotFound(f"there is no team {team!r}")
    return found


def _take(unit: Unit, team: str, operation: Operation) -> Stored:
    """Return a team that the actor may do this to; raises `NotFound` and `NotPermitted`."""
    stored = get(unit.connection, unit.org_id, team)
    authority.require_team(unit, operation, stored.id)
    return stored


def create(unit: Unit, name: str) -> Stored:
    """Make a team that exists only here, and return it.

    Raises:
        ValueError: when the name is empty.
        Conflict: when there is a team of that name.
    """
    document = {"schemas": _SCHEMAS, TEAM.unique: _named(name)}
    _require_free(unit, document, None)
    change = {"attributes": describe(None, document), "origin": LOCAL}
    return resources.insert(unit, TEAM, document, EventType.TEAM_CREATED, change, resources.fresh_id())


def rename(unit: Unit, team_id: str, name: str) -> Stored:
    """Give a team another name and return it; a linked one gets the group's name again at its next push.

    Raises:
        ValueError: when the name is empty.
        NotFound: when there is no such team.
        NotPermitted: when the team holds more than the actor.
        Conflict: when there is another team of that name.
    """
    team = _take(unit, team_id, Operation.RENAME_TEAM)
    before = team.load()
    after = {**before, TEAM.unique: _named(name)}
    if before == after:
        return team
    _require_free(unit, after, team.id)
    return resources.update(unit, TEAM, team, after, EventType.TEAM_UPDATED, {"attributes": describe(before, after)})


def remove(unit: Unit, team_id: str) -> None:
    """Remove a team with its members and grants; it can be restored for 30 days.

    Raises:
        NotFound: when there is no such team.
        Refused: when it is linked while SCIM is on, or gives the last Organization Admin the role.
    """
    team = get(unit.connection, unit.org_id, team_id)
    if team.origin == LINKED and organizations.by_id(unit.connection, unit.org_id).scim_enabled:
        raise Refused("the team is linked to a group: remove the group in the identity provider, or unlink it first")
    with admins.keeping_an_admin(unit):
        removal.remove(unit, TEAM, team)


def restore(unit: Unit, team_id: str) -> Stored:
    """Bring a team back that was removed within 30 days, with its id, members, owners and grants; it is local now.

    Raises:
        NotFound: when there is none to bring back.
        NotPermitted: when it would come back with more than the actor holds.
        Conflict: when its name is taken by now.
    """
    return removal.restore(unit, TEAM, team_id)


def offer(unit: Unit, team_id: str, external_id: str | None = None) -> Stored:
    """Offer a team for linking and return it: the next push of a group of its name or externalId links it.

    Until then nothing changes. A group of that name is refused otherwise, so that no group takes a team
    with its grants by being called like it.

    Raises:
        NotFound: when there is no such team.
        NotPermitted: when the team holds more than the actor.
        Refused: when it is linked already.
        Conflict: when another team has that externalId.
    """
    team = _take(unit, team_id, Operation.OFFER_TEAM)
    if team.origin == LINKED:
        raise Refused("the team is linked to a group already; unlink it first")
    before = team.load()
    after = {**before, "externalId": external_id} if external_id else before
    _require_free(unit, after, team.id)
    change: dict[str, Any] = {"attributes": describe(before, after), "origin": OFFERED}
    return resources.update(unit, TEAM, team, after, EventType.TEAM_OFFERED, change)


def unlink(unit: Unit, team_id: str) -> Stored:
    """Cut a team off from its group and return it; its members stay, as members by hand.

    Raises:
        NotFound: when there is no such team.
        NotPermitted: when the team holds more than the actor.
        Refused: when it is not linked.
    """
    team = _take(unit, team_id, Operation.UNLINK_TEAM)
    if team.origin == LOCAL:
        raise Refused("the team is not linked to a group")
    before = team.load()
    after = {name: value for name, value in before.items() if name != "externalId"}
    kept = members.make_manual(unit, team.id)
    change: dict[str, Any] = {"attributes": describe(before, after), "origin": LOCAL}
    if kept:
        change["members"] = {"kept": kept, "origin": "manual"}
    return resources.update(unit, TEAM, team, after, EventType.TEAM_UNLINKED, change)


def preview_link(connection: sa.Connection, org_id: str, team_id: str, group: Iterable[str]) -> LinkPreview:
    """Return what linking a team to a group of these user names would add and remove.

    Raises:
        NotFound: when there is no such team.
    """
    team, asked = get(connection, org_id, team_id), list(group)
    mine = (users.c.org_id == org_id) & users.c.deleted_at.is_(None)
    here = (
        sa.select(users.c.user_name)
        .where(mine)
        .join(
            team_members,
            (team_members.c.org_id == users.c.org_id)
            & (team_members.c.member_id == users.c["id"])
            & (team_members.c.team_id == team.id),
        )
    )
    known = sa.select(users.c.name_key, users.c.user_name).where(
        mine, users.c.name_key.in_({fold(name.strip()) for name in asked})
    )
    provisioned = {row.name_key: row.user_name for row in connection.execute(known)}
    return preview(connection.execute(here).scalars(), asked, provisioned)


def add_member(unit: Unit, team_id: str, user_id: str) -> None:
    """Put a user into a team by hand; a push of the whole group takes the user out again.

    Raises:
        NotFound: when there is no such team or user.
        NotPermitted: when the team holds more than the actor, or Admin or above and the actor would join it.
    """
    team = _take(unit, team_id, Operation.ADD_MEMBER)
    authority.require_other_member(unit, team.id, user_id)
    if resources.find(unit.connection, unit.org_id, USER, user_id) is None:
        raise NotFound(f"there is no user {user_id!r}")
    members.change(unit, team, MemberDelta.add(user_id))


def remove_member(unit: Unit, team_id: str, member_id: str) -> None:
    """Take a member out of a team, also a pending one; one that is not in it changes nothing.

    Raises:
        NotFound: when there is no such team.
        Refused: when it is how the last Organization Admin has the role.
    """
    team = get(unit.connection, unit.org_id, team_id)
    with admins.keeping_an_admin(unit):
        members.change(unit, team, MemberDelta.remove(member_id))


def add_owner(unit: Unit, team_id: str, user_id: str) -> None:
    """Make a user an owner of a team: its reviewer in access reviews; raises `NotFound`, `NotPermitted`."""
    owners.add(unit, _take(unit, team_id, Operation.ADD_OWNER), user_id)


def remove_owner(unit: Unit, team_id: str, user_id: str) -> None:
    """Take the ownership of a team away; raises `NotFound`, `NotPermitted`."""
    owners.remove(unit, _take(unit, team_id, Operation.REMOVE_OWNER), user_id)


def _require_free(unit: Unit, document: Document, but: str | None) -> None:
    taken = resources.find_taken(unit.connection, unit.org_id, TEAM, document, but=but)
    if taken is None:
        return
    name = taken.load()[TEAM.unique]
    same = fold(str(name)) == fold(str(document[TEAM.unique]))
    raise Conflict(f"there is a team {name!r} already" if same else f"the team {name!r} has this externalId already")


def _named(name: str) -> str:
    name = name.strip()
    if not name:
        raise ValueError("a team needs a name")
    return name
