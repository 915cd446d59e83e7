"""Owners of teams: the people who decide in an access review who stays."""

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.directory.kinds import TEAM, USER
from scim_app.errors import NotFound
from scim_app.store.db.settings_tables import team_owners
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import resources
from scim_app.store.resources.resources import Stored


def of_team(connection: sa.Connection, org_id: str, team_id: str) -> dict[str, str]:
    """Return the owners of a team: user id → since when, the first one first."""
    query = sa.select(team_owners.c.user_id, team_owners.c.since).where(
        team_owners.c.org_id == org_id, team_owners.c.team_id == team_id
    )
    rows = connection.execute(query.order_by(team_owners.c.since, team_owners.c.user_id))
    return {row.user_id: row.since for row in rows}


def add(unit: Unit, team: Stored, user_id: str) -> None:
    """Make a user an owner of a team; one who is stays one.

    Raises:
        NotFound: when there is no such user.
    """
    if resources.find(unit.connection, unit.org_id, USER, user_id) is None:
        raise NotFound(f"there is no user {user_id!r}")
    add_if_there(unit, team, user_id)


def add_if_there(unit: Unit, team: Stored, user_id: str) -> None:
    """Make a user an owner of a team, unless the user does not exist or is one."""
    user = resources.find(unit.connection, unit.org_id, USER, user_id)
    if user is None or user_id in of_team(unit.connection, unit.org_id, team.id):
        return
    row = {"org_id": unit.org_id, "team_id": team.id, "user_id": user_id, "since": unit.at}
    unit.connection.execute(sa.insert(team_owners), row)
    unit.record(_event(EventType.TEAM_OWNER_ADDED, team, user_id))


def remove(unit: Unit, team: Stored, user_id: str) -> None:
    """Take the ownership of a team away; from one who is no owner it changes nothing."""
    mine = (team_owners.c.org_id == unit.org_id) & (team_owners.c.team_id == team.id)
    if unit.connection.execute(sa.delete(team_owners).where(mine, team_owners.c.user_id == user_id)).rowcount:
        unit.record(_event(EventType.TEAM_OWNER_REMOVED, team, user_id))


def forget(unit: Unit, resource_id: str) -> None:
    """Forget the owners of a team, and the ownerships of a user, that is removed."""
    mine = (team_owners.c.team_id == resource_id) | (team_owners.c.user_id == resource_id)
    unit.connection.execute(sa.delete(team_owners).where(team_owners.c.org_id == unit.org_id, mine))


def _event(kind: EventType, team: Stored, user_id: str) -> Event:
    return Event(
        type=kind,
        subject_kind="team_owner",
        subject_id=team.id,
        subject_name=team.load()[TEAM.unique],
        change={"owner": {"team_id": team.id, "user_id": user_id}},
    )
