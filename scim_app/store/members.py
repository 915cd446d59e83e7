"""Members of teams as rows: a change costs its own length, whatever the size of the team."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_app.directory.events import EventType
from scim_app.directory.kinds import TEAM
from scim_app.directory.membership import MemberDelta
from scim_app.store import resources
from scim_app.store.event_log import Unit
from scim_app.store.resources import Stored
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
    """Change a team's members and return what really changed, each only when not empty.

    Returns:
        `added` and `removed`, and `kept`: those that were there by another origin.
    """
    added, kept = list(delta.added), list[str]()
    if delta.reset:
        there, keep = _origins(unit, team_id), set(added)
        removed = [member for member in there if member not in keep]
        kept = [member for member, by in there.items() if member in keep and by != origin]
        _delete(unit, team_id, removed)
        _set_origin(unit, team_id, kept, origin)
    else:
        removed = _delete(unit, team_id, sorted(delta.removed))
    change = {"added": _insert(unit, team_id, added, origin), "removed": removed, "kept": kept}
    return {name: members for name, members in change.items() if members}


def change(unit: Unit, team: Stored, delta: MemberDelta) -> dict[str, list[str]]:
    """Change a team's members by hand, with the event, and return what really changed."""
    changed = apply(unit, team.id, delta, origin="manual")
    if changed:
        told = {"members": {**changed, "origin": "manual"}}
        resources.update(unit, TEAM, team, team.load(), EventType.TEAM_UPDATED, told)
    return changed


def make_manual(unit: Unit, team_id: str) -> list[str]:
    """Make the identity provider's members of a team members by hand, and return them."""
    theirs = [member for member, origin in _origins(unit, team_id).items() if origin == "scim"]
    _set_origin(unit, team_id, theirs, "manual")
    return theirs


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


def _origins(unit: Unit, team_id: str) -> dict[str, str]:
    query = sa.select(team_members.c.member_id, team_members.c.origin).where(
        team_members.c.org_id == unit.org_id, team_members.c.team_id == team_id
    )
    return {row.member_id: row.origin for row in unit.connection.execute(query)}


def _set_origin(unit: Unit, team_id: str, members: Sequence[str], origin: str) -> None:
    mine = (team_members.c.org_id == unit.org_id) & (team_members.c.team_id == team_id)
    for batch in _batches(members):
        these = sa.update(team_members).where(mine, team_members.c.member_id.in_(batch))
        unit.connection.execute(these.values(origin=origin))


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
