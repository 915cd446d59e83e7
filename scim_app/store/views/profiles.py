"""One user and one team as their pages show them."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_app.directory.kinds import USER
from scim_app.directory.names import fold
from scim_app.errors import NotFound
from scim_app.store.db.settings_tables import team_owners
from scim_app.store.db.tables import team_members, teams, users
from scim_app.store.views.lists import PAGE, Cursor, TeamRow, UserRow

_PROFILE = tuple(one.column for one in USER.attributes if one.column not in ("active", "manager_id"))


@dataclass(frozen=True, slots=True)
class User(UserRow):
    """A user; `profile` is label and value of each reported attribute."""

    profile: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class TeamOfUser:
    """A team that a user is in."""

    id: str
    display_name: str
    member_origin: str
    since: str
    owner: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a team: a user, or another team of the identity provider."""

    id: str
    label: str
    active: bool
    origin: str
    since: str
    owner: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """A member that was pushed and is not provisioned yet."""

    id: str
    since: str


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner of a team."""

    id: str
    label: str
    since: str


_LABEL = sa.func.coalesce(users.c.display_name, users.c.user_name)
_OWNER = (
    sa.exists()
    .where(
        team_owners.c.org_id == team_members.c.org_id,
        team_owners.c.team_id == team_members.c.team_id,
        team_owners.c.user_id == team_members.c.member_id,
    )
    .correlate(team_members)
)


def user(connection: sa.Connection, org_id: str, user_id: str) -> User | None:
    """Return a user, None when there is none."""
    mine = (users.c.org_id == org_id) & (users.c.id == user_id) & users.c.deleted_at.is_(None)
    row = connection.execute(sa.select(users).where(mine)).mappings().first()
    if row is None:
        return None
    shown = {name: row[name] for name in UserRow.__slots__ if name in row}
    profile = [(name.replace("_", " ").capitalize(), row[name]) for name in _PROFILE]
    manager = _manager(connection, org_id, row["manager_id"])
    return User(**shown, profile=(*profile, ("Manager", manager)))


def _manager(connection: sa.Connection, org_id: str, manager_id: str | None) -> str | None:
    if manager_id is None:
        return None
    mine = (users.c.org_id == org_id) & (users.c.id == manager_id)
    return connection.execute(sa.select(_LABEL).where(mine)).scalar() or manager_id


def teams_of_user(connection: sa.Connection, org_id: str, user_id: str) -> list[TeamOfUser]:
    """Return the teams that a user is in, in order of name."""
    query = (
        sa.select(teams.c.id, teams.c.display_name, team_members.c.origin, team_members.c.since, _OWNER)
        .join(teams, (teams.c.org_id == team_members.c.org_id) & (teams.c.id == team_members.c.team_id))
        .where(team_members.c.org_id == org_id, team_members.c.member_id == user_id, teams.c.deleted_at.is_(None))
        .order_by(teams.c.search_key)
    )
    return [TeamOfUser(*row) for row in connection.execute(query)]


def team(connection: sa.Connection, org_id: str, team_id: str) -> TeamRow | None:
    """Return a team without its counts, None when there is none."""
    columns = [teams.c[name] for name in TeamRow.__slots__ if name in teams.c]
    mine = (teams.c.org_id == org_id) & (teams.c.id == team_id) & teams.c.deleted_at.is_(None)
    row = connection.execute(sa.select(*columns).where(mine)).first()
    return TeamRow(*row) if row else None


def members_of(
    connection: sa.Connection, org_id: str, team_id: str, search: str, after: Cursor | None
) -> tuple[list[Member], Cursor | None]:
    """Return a page of a team's members that match a search, and the cursor of the next page."""
    key = (users.c.search_key, users.c.id)
    query = (
        sa.select(users.c.id, _LABEL, users.c.active, team_members.c.origin, team_members.c.since, _OWNER, key[0])
        .join(users, (users.c.org_id == team_members.c.org_id) & (users.c.id == team_members.c.member_id))
        .where(team_members.c.org_id == org_id, team_members.c.team_id == team_id, users.c.deleted_at.is_(None))
        .order_by(*key)
        .limit(PAGE + 1)
    )
    if search:
        query = query.where(users.c.search_key.contains(fold(search), autoescape=True))
    if after:
        query = query.where(sa.tuple_(*key) > after)
    rows = connection.execute(query).all()
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return [Member(*row[:-1]) for row in rows[:PAGE]], (last[-1], last[0]) if last else None


def pending_of(connection: sa.Connection, org_id: str, team_id: str, limit: int = 100) -> list[Pending]:
    """Return the members of a team that are not provisioned yet, at most `limit`."""
    known = [
        sa.exists().where(
            table.c.org_id == team_members.c.org_id,
            table.c.id == team_members.c.member_id,
            table.c.deleted_at.is_(None),
        )
        for table in (users, teams)
    ]
    query = (
        sa.select(team_members.c.member_id, team_members.c.since)
        .where(team_members.c.org_id == org_id, team_members.c.team_id == team_id, *(sa.not_(one) for one in known))
        .order_by(team_members.c.since, team_members.c.member_id)
        .limit(limit)
    )
    return [Pending(*row) for row in connection.execute(query)]


def owners_of(connection: sa.Connection, org_id: str, team_id: str) -> list[Owner]:
    """Return the owners of a team, the first one first."""
    query = (
        sa.select(users.c.id, _LABEL, team_owners.c.since)
        .join(users, (users.c.org_id == team_owners.c.org_id) & (users.c.id == team_owners.c.user_id))
        .where(team_owners.c.org_id == org_id, team_owners.c.team_id == team_id)
        .order_by(team_owners.c.since, users.c.id)
    )
    return [Owner(*row) for row in connection.execute(query)]


def find_user(connection: sa.Connection, org_id: str, user_name: str) -> Owner:
    """Return the user of a user name: id, label and since when it is here.

    Raises:
        NotFound: when there is none.
    """
    mine = (users.c.org_id == org_id) & (users.c.name_key == fold(user_name)) & users.c.deleted_at.is_(None)
    row = connection.execute(sa.select(users.c.id, _LABEL, users.c.created_at).where(mine)).first()
    if row is None:
        raise NotFound(f"there is no user {user_name!r}")
    return Owner(*row)
