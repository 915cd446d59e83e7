"""Which teams people are in, and what these are called: for many people by one statement."""

from collections.abc import Iterable, Sequence

import orjson
import sqlalchemy as sa

from scim_app.directory.kinds import USER
from scim_app.store.db.json_sql import as_json, is_listed
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.tables import is_live, team_members, teams, users
from scim_app.store.resources.lookup import KEYS, Stored, by_column, not_found

Teams = list[tuple[str, str]]
"""Ids and names of a user's teams, the oldest first."""

_TEAMS_OF = Prepared(
    lambda dialect: (
        sa.select(team_members.c.member_id, teams.c.id, teams.c.display_name)
        .join(teams, (teams.c.org_id == team_members.c.org_id) & (teams.c.id == team_members.c.team_id))
        .where(
            team_members.c.org_id == sa.bindparam("org"),
            is_listed(team_members.c.member_id, "members", dialect),
            is_live(teams),
        )
        .order_by(team_members.c.member_id, teams.c.position)
    )
)
_NAMES_OF = Prepared(
    lambda dialect: (
        sa.select(teams.c.id, teams.c.display_name)
        .where(teams.c.org_id == sa.bindparam("org"), is_listed(teams.c.id, "teams", dialect), is_live(teams))
        .order_by(teams.c.position)
    )
)


def _ids(dialect: str) -> sa.ClauseElement:
    """Return the statement of who of some members is in which team, as two texts: of their own index alone."""
    together = sa.func.string_agg if dialect == "postgresql" else sa.func.group_concat
    member, space = team_members.c.member_id, sa.literal_column("' '")
    mine = (team_members.c.org_id == sa.bindparam("org")) & is_listed(member, "members", dialect)
    return sa.select(together(member, space), together(team_members.c.team_id, space)).where(mine)


def _any_between(_dialect: str) -> sa.ClauseElement:
    member = team_members.c.member_id
    between = member.between(sa.bindparam("lowest"), sa.bindparam("highest"))
    return sa.select(member).where(team_members.c.org_id == sa.bindparam("org"), between).limit(1)


_IDS_OF, _ANY_BETWEEN = Prepared(_ids), Prepared(_any_between)


def ids_of(connection: sa.Connection, org_id: str, members: Sequence[str]) -> dict[str, str]:
    """Return, for each user that is in any team, the ids of its teams with spaces between.

    Ids are in order of creation, so those of a page are neighbours in the index: where it has nobody between the first
    and the last of them, nobody is looked up.
    """
    if not members or not _ANY_BETWEEN.first(connection, org=org_id, lowest=min(members), highest=max(members)):
        return {}
    row = _IDS_OF.first(connection, org=org_id, members=as_json(members))
    found: dict[str, str] = {}
    if row and row[0]:
        for member, team in zip(row[0].split(" "), row[1].split(" "), strict=True):
            found[member] = f"{found[member]} {team}" if member in found else team
    return found


def _with_teams(column: str) -> Prepared:
    """Return the statement that finds a live user by a column that an index serves, with the user's teams as JSON."""
    mine = (team_members.c.org_id == users.c.org_id) & (team_members.c.member_id == users.c.id)
    there = (teams.c.org_id == team_members.c.org_id) & (teams.c.id == team_members.c.team_id) & is_live(teams)

    def build(dialect: str) -> sa.ClauseElement:
        kind = "json_build" if dialect == "postgresql" else "json"
        one = getattr(sa.func, f"{kind}_array")(teams.c.position, teams.c.id, teams.c.display_name)
        each = sa.func.json_agg(one) if dialect == "postgresql" else sa.func.json_group_array(one)
        found = sa.select(sa.cast(each, sa.Text)).select_from(team_members.join(teams, there)).where(mine)
        return by_column(USER, column).add_columns(found.scalar_subquery())

    return Prepared(build)


_WITH_TEAMS = {column: _with_teams(column) for column in KEYS}


def find_with_teams(connection: sa.Connection, org_id: str, column: str, value: str) -> tuple[Stored, Teams] | None:
    """Return the live user with a value in `id`, `name_key` (folded) or `external_id`, None when there is none.

    Returns:
        What is stored, and the ids and names of the user's teams, the oldest first.
    """
    row = _WITH_TEAMS[column].first(connection, org=org_id, value=value)
    if row is None:
        return None
    *stored, found = row
    return Stored(*stored), [(key, name) for _, key, name in sorted(orjson.loads(found or "[]"))]


def get_with_teams(connection: sa.Connection, org_id: str, user_id: str) -> tuple[Stored, Teams]:
    """Return a live user by its id, as `find_with_teams` does.

    Raises:
        NotFoundException: when the organization has no such user.
    """
    found = find_with_teams(connection, org_id, "id", user_id)
    if found is None:
        raise not_found(USER, user_id)
    return found


def names_of(connection: sa.Connection, org_id: str, team_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Return the ids and names of those teams that are there, the oldest first."""
    return [(key, name) for key, name in _NAMES_OF.all(connection, org=org_id, teams=as_json(team_ids))]


def teams_of(connection: sa.Connection, org_id: str, members: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Return, for each member that is in any team, the ids and names of its teams, the oldest team first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for member, team_id, name in _TEAMS_OF.all(connection, org=org_id, members=as_json(members)):
        found.setdefault(member, []).append((team_id, name))
    return found
