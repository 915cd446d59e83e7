"""Members of teams as rows: a change costs its own length, whatever the size of the team."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_app.directory.membership import MemberDelta
from scim_app.store.event_log import Unit
from scim_app.store.tables import team_members, teams, users

_BATCH = 500
"""Rows in one statement, below SQLite's limit on bound values."""

_OF_TEAM = (
    sa.select(
        team_members.c.member_id,
        users.c.id.label("user_id"),
        teams.c.id.label("nested_id"),
        sa.func.coalesce(users.c.display_name, users.c.user_name, teams.c.display_name).label("display"),
    )
    .select_from(
        team_members.outerjoin(
            users,
            (users.c.org_id == team_members.c.org_id)
            & (users.c.id == team_members.c.member_id)
            & users.c.deleted_at.is_(None),
        ).outerjoin(
            teams,
            (teams.c.org_id == team_members.c.org_id)
            & (teams.c.id == team_members.c.member_id)
            & teams.c.deleted_at.is_(None),
        )
    )
    .where(team_members.c.org_id == sa.bindparam("org"), team_members.c.team_id == sa.bindparam("team"))
    .order_by(team_members.c.since, team_members.c.member_id)
)
_TEAMS_OF = (
    sa.select(team_members.c.member_id, teams.c.id, teams.c.display_name)
    .join(teams, (teams.c.org_id == team_members.c.org_id) & (teams.c.id == team_members.c.team_id))
    .where(
        team_members.c.org_id == sa.bindparam("org"),
        team_members.c.member_id.in_(sa.bindparam("members", expanding=True)),
        teams.c.deleted_at.is_(None),
    )
    .order_by(team_members.c.member_id, teams.c.position)
)


def of_team(connection: sa.Connection, org_id: str, team_id: str) -> list[dict[str, Any]]:
    """Return a team's members as SCIM writes them: `value`, and for those that exist `type`, `$ref` and `display`.

    `$ref` is relative to the SCIM base. A member without a record is pending.
    """
    rows = connection.execute(_OF_TEAM, {"org": org_id, "team": team_id})
    return [_as_scim(*row) for row in rows]


def _as_scim(member: str, user_id: str | None, nested_id: str | None, display: str | None) -> dict[str, Any]:
    if user_id is None and nested_id is None:
        return {"value": member}
    kind, endpoint = ("User", "Users") if user_id else ("Group", "Groups")
    return {"value": member, "$ref": f"{endpoint}/{member}", "type": kind, "display": display}


def teams_of(connection: sa.Connection, org_id: str, members: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Return, for each member that is in any team, the ids and names of its teams, the oldest team first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for batch in _batches(list(members)):
        for member, team_id, name in connection.execute(_TEAMS_OF, {"org": org_id, "members": batch}):
            found.setdefault(member, []).append((team_id, name))
    return found


def apply(unit: Unit, team_id: str, delta: MemberDelta, *, origin: str = "scim") -> dict[str, list[str]]:
    """Change a team's members and return what really changed: `added` and `removed`, each only when not empty."""
    added = list(delta.added)
    if delta.reset:
        there = _ids(unit, team_id)
        keep = set(added)
        removed = [member for member in there if member not in keep]
        _delete(unit, team_id, removed)
    else:
        removed = _delete(unit, team_id, sorted(delta.removed))
    change = {"added": _insert(unit, team_id, added, origin), "removed": removed}
    return {name: members for name, members in change.items() if members}


def leave_all(unit: Unit, member_id: str) -> list[str]:
    """Take a member out of every team and return the ids of those teams."""
    mine = (team_members.c.org_id == unit.org_id) & (team_members.c.member_id == member_id)
    return list(
        unit.connection.execute(sa.delete(team_members).where(mine).returning(team_members.c.team_id)).scalars()
    )


def drop_team(unit: Unit, team_id: str) -> None:
    """Forget a team's memberships."""
    mine = (team_members.c.org_id == unit.org_id) & (team_members.c.team_id == team_id)
    unit.connection.execute(sa.delete(team_members).where(mine))


def _ids(unit: Unit, team_id: str) -> list[str]:
    query = sa.select(team_members.c.member_id).where(
        team_members.c.org_id == unit.org_id, team_members.c.team_id == team_id
    )
    return list(unit.connection.execute(query).scalars())


def _insert(unit: Unit, team_id: str, members: Sequence[str], origin: str) -> list[str]:
    dialect = postgresql if unit.connection.dialect.name == "postgresql" else sqlite
    fixed = {"org_id": unit.org_id, "team_id": team_id, "origin": origin, "since": unit.at}
    added: list[str] = []
    for batch in _batches(members):
        rows = [{**fixed, "member_id": member} for member in batch]
        statement = dialect.insert(team_members).values(rows).on_conflict_do_nothing()
        added += unit.connection.execute(statement.returning(team_members.c.member_id)).scalars()
    return added


def _delete(unit: Unit, team_id: str, members: Sequence[str]) -> list[str]:
    removed: list[str] = []
    for batch in _batches(members):
        mine = (team_members.c.org_id == unit.org_id) & (team_members.c.team_id == team_id)
        statement = sa.delete(team_members).where(mine, team_members.c.member_id.in_(batch))
        removed += unit.connection.execute(statement.returning(team_members.c.member_id)).scalars()
    return removed


def _batches(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
