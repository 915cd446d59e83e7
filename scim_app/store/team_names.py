"""Which teams people are in, and what these are called: for many people by one statement."""

from collections.abc import Iterable

import orjson
import sqlalchemy as sa

from scim_app.store.json_sql import listed
from scim_app.store.prepared import Prepared
from scim_app.store.tables import team_members, teams


def _each_of(dialect: str) -> sa.ColumnElement[bool]:
    """Return the condition of a few members; for a subquery PostgreSQL would read the members of all teams."""
    asked = sa.select(listed("members", dialect))
    if dialect == "postgresql":
        return team_members.c.member_id == sa.func.any(sa.func.array(asked.scalar_subquery()))
    return team_members.c.member_id.in_(asked)


_TEAMS_OF = Prepared(
    lambda dialect: (
        sa.select(team_members.c.member_id, teams.c.id, teams.c.display_name)
        .join(teams, (teams.c.org_id == team_members.c.org_id) & (teams.c.id == team_members.c.team_id))
        .where(team_members.c.org_id == sa.bindparam("org"), _each_of(dialect), teams.c.deleted_at.is_(None))
        .order_by(team_members.c.member_id, teams.c.position)
    )
)
_NAMES_OF = Prepared(
    lambda dialect: (
        sa.select(teams.c.id, teams.c.display_name)
        .where(teams.c.org_id == sa.bindparam("org"), teams.c.deleted_at.is_(None))
        .where(teams.c.id.in_(sa.select(listed("teams", dialect))))
        .order_by(teams.c.position)
    )
)


def names_of(connection: sa.Connection, org_id: str, team_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Return the ids and names of those teams that are there, the oldest first."""
    return [(key, name) for key, name in _NAMES_OF.all(connection, org=org_id, teams=_json(team_ids))]


def teams_of(connection: sa.Connection, org_id: str, members: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Return, for each member that is in any team, the ids and names of its teams, the oldest team first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for member, team_id, name in _TEAMS_OF.all(connection, org=org_id, members=_json(members)):
        found.setdefault(member, []).append((team_id, name))
    return found


def _json(ids: Iterable[str]) -> str:
    return orjson.dumps(list(ids)).decode()
