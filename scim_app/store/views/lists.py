"""Lists of users and teams as people page through them: by keyset, so a page costs its own length."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from scim_app.directory.access import applying
from scim_app.directory.choices import require_choice
from scim_app.directory.names import fold
from scim_app.directory.roles import Grant, Role
from scim_app.store.access import grants, standing
from scim_app.store.access.organizations import Organization
from scim_app.store.db.tables import team_members, teams, users
from scim_app.store.resources import team_names

Condition = sa.ColumnElement[bool]
Cursor = tuple[str, str]
"""Sort key and id of the last row of a page; the next page begins after it."""

PAGE = 50
ORIGINS = ("scim", "local")
STATES = ("active", "inactive")
SORTS = {"name": "search_key", "changed": "updated_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a list shows. Empty strings do not filter; `sort` is a key of `SORTS`, with a hyphen before it when down."""

    search: str = ""
    origin: str = ""
    state: str = ""
    """`active` or `inactive`; of users."""
    role: str = ""
    """Highest role anywhere; of users."""
    team: str = ""
    """Id of a team, its name, or a part of names; of users."""
    sort: str = "name"

    def __post_init__(self) -> None:
        """Refuse what can't be chosen.

        Raises:
            ValueError: with the values that can.
        """
        require_choice("origin", self.origin, ORIGINS)
        require_choice("state", self.state, STATES)
        require_choice("role", self.role, Role)
        require_choice("sort order", self.sort.removeprefix("-"), SORTS)

    @property
    def filtered(self) -> bool:
        """Whether the list leaves anything out."""
        return bool(self.search or self.origin or self.state or self.role or self.team)


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user in a list."""

    id: str
    user_name: str
    display_name: str | None
    email: str | None
    active: bool
    origin: str
    idp: str | None
    created_at: str
    updated_at: str
    role: str = ""
    """Highest role anywhere."""
    teams: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Ids and names."""

    @property
    def label(self) -> str:
        """What people call the user."""
        return self.display_name or self.user_name


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team in a list; `role` is the highest role it gives, None where it gives none."""

    id: str
    display_name: str
    origin: str
    idp: str | None
    created_at: str
    updated_at: str
    members: int = 0
    pending: int = 0
    role: str | None = None


_USER_COLUMNS = [users.c[name] for name in UserRow.__slots__ if name in users.c]
_TEAM_COLUMNS = [teams.c[name] for name in TeamRow.__slots__ if name in teams.c]


def list_users(
    connection: sa.Connection, org: Organization, query: Query, after: Cursor | None = None
) -> tuple[list[UserRow], Cursor | None]:
    """Return a page of users and the cursor of the next one, None on the last."""
    rows, cursor = _page(connection, users, _USER_COLUMNS, _of_users(connection, org, query), query, after)
    ids = [row[0] for row in rows]
    of = team_names.teams_of(connection, org.id, ids)
    holders = {*ids, *(team_id for held in of.values() for team_id, _ in held)}
    held = grants.find(connection, org.id, grants.among(holders))
    return [_with_access(UserRow(*row), held, of.get(row[0], []), org.default_role) for row in rows], cursor


def list_teams(
    connection: sa.Connection, org: Organization, query: Query, after: Cursor | None = None
) -> tuple[list[TeamRow], Cursor | None]:
    """Return a page of teams and the cursor of the next one, None on the last."""
    rows, cursor = _page(connection, teams, _TEAM_COLUMNS, _of_any(teams, org.id, query), query, after)
    ids = [row[0] for row in rows]
    counts = count_members(connection, org.id, ids)
    held = grants.find(connection, org.id, grants.among(ids))
    best: dict[str, Role] = {}
    for grant in held:
        best[grant.holder_id] = min(grant.role, best.get(grant.holder_id, grant.role), key=lambda role: role.rank)
    found = [TeamRow(*row) for row in rows]
    return [_with_counts(team, counts.get(team.id, (0, 0)), best.get(team.id)) for team in found], cursor


def count_members(connection: sa.Connection, org_id: str, team_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return how many members teams have and how many of the pushed ones are pending, by team id."""
    known = (users.c.org_id == team_members.c.org_id) & (users.c.id == team_members.c.member_id)
    nested = (teams.c.org_id == team_members.c.org_id) & (teams.c.id == team_members.c.member_id)
    there = (users.c.id.is_not(None) & users.c.deleted_at.is_(None)) | (
        teams.c.id.is_not(None) & teams.c.deleted_at.is_(None)
    )
    counting = (
        sa.select(
            team_members.c.team_id,
            sa.func.count().filter(there),
            sa.func.count().filter(sa.not_(there)),
        )
        .select_from(team_members.outerjoin(users, known).outerjoin(teams, nested))
        .where(team_members.c.org_id == org_id, team_members.c.team_id.in_(list(team_ids)))
        .group_by(team_members.c.team_id)
    )
    return {team: (here, pending) for team, here, pending in connection.execute(counting)}


def count_users(connection: sa.Connection, org_id: str) -> dict[str, int]:
    """Return how many users there are: `active`, `inactive` and `synced`."""
    counting = (
        sa.select(users.c.active, users.c.origin, sa.func.count())
        .where(users.c.org_id == org_id, users.c.deleted_at.is_(None))
        .group_by(users.c.active, users.c.origin)
    )
    found = {"active": 0, "inactive": 0, "synced": 0}
    for active, origin, number in connection.execute(counting):
        found["active" if active else "inactive"] += number
        found["synced"] += number if origin == "scim" else 0
    return found


def count_teams(connection: sa.Connection, org_id: str) -> dict[str, int]:
    """Return how many teams there are: `all` and `linked`."""
    counting = (
        sa.select(teams.c.origin, sa.func.count())
        .where(teams.c.org_id == org_id, teams.c.deleted_at.is_(None))
        .group_by(teams.c.origin)
    )
    found: dict[str, int] = {row[0]: row[1] for row in connection.execute(counting)}
    return {"all": sum(found.values()), "linked": found.get("scim", 0)}


def _of_users(connection: sa.Connection, org: Organization, query: Query) -> list[Condition]:
    found = _of_any(users, org.id, query)
    if query.state:
        found.append(users.c.active if query.state == "active" else sa.not_(users.c.active))
    if query.team:
        within = team_members.c.team_id.in_(_teams_called(connection, org.id, query.team))
        there = sa.select(team_members.c.member_id).where(team_members.c.org_id == org.id, within)
        found.append(users.c.id.in_(there))
    if query.role:
        found.append(standing.highest_role_is(org, Role(query.role)))
    return found


def _teams_called(connection: sa.Connection, org_id: str, team: str) -> sa.Select[tuple[str]]:
    """Return the query of the teams meant: the one of this id or name, else those whose name contains the text."""
    mine = sa.select(teams.c.id).where(teams.c.org_id == org_id, teams.c.deleted_at.is_(None))
    exact = mine.where((teams.c.id == team) | (teams.c.name_key == fold(team)))
    if connection.execute(exact.limit(1)).first():
        return exact
    return mine.where(teams.c.search_key.contains(fold(team), autoescape=True))


def _of_any(table: sa.Table, org_id: str, query: Query) -> list[Condition]:
    found = [table.c.org_id == org_id, table.c.deleted_at.is_(None)]
    if query.search.strip():
        found.append(table.c.search_key.contains(fold(query.search.strip()), autoescape=True))
    if query.origin:
        found.append(table.c.origin == "scim" if query.origin == "scim" else table.c.origin != "scim")
    return found


def _page(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[sa.ColumnElement[Any]],
    where: list[Condition],
    query: Query,
    after: Cursor | None,
) -> tuple[list[tuple[Any, ...]], Cursor | None]:
    """Return the columns of a page's rows, the id first, and the cursor of the next page."""
    key, down = table.c[SORTS.get(query.sort.removeprefix("-"), "search_key")], query.sort.startswith("-")
    if after is not None:
        place = sa.tuple_(key, table.c.id)
        where = [*where, place < after if down else place > after]
    order = (key.desc(), table.c.id.desc()) if down else (key, table.c.id)
    reading = sa.select(*columns, key.label("sort_key")).where(*where).order_by(*order).limit(PAGE + 1)
    rows = [tuple(row) for row in connection.execute(reading)]
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return [row[:-1] for row in rows[:PAGE]], (last[-1], last[0]) if last else None


def _with_counts(team: TeamRow, counts: tuple[int, int], role: Role | None) -> TeamRow:
    return replace(team, members=counts[0], pending=counts[1], role=role.value if role else None)


def _with_access(user: UserRow, held: Sequence[Grant], of: list[tuple[str, str]], default: str) -> UserRow:
    mine = applying(held, user.id, [team_id for team_id, _ in of])
    best = min([Role(default), *(grant.role for grant in mine)], key=lambda role: role.rank)
    return replace(user, role=best.value, teams=of)
