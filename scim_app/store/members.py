"""Members of teams as rows: a change costs its own length, whatever the size of the team."""

from collections.abc import Collection, Iterable
from typing import Any

import orjson
import sqlalchemy as sa
from scim2_models import PayloadTooLargeException
from sqlalchemy.dialects import postgresql, sqlite

from scim_app.directory.events import EventType
from scim_app.directory.kinds import TEAM, USER, Kind
from scim_app.directory.membership import MemberDelta
from scim_app.errors import Refused
from scim_app.store import resources, team_size
from scim_app.store.event_log import Unit
from scim_app.store.json_sql import is_listed, listed
from scim_app.store.prepared import Prepared
from scim_app.store.resources import Stored
from scim_app.store.settings_tables import team_owners
from scim_app.store.tables import is_live, team_members, teams, users

_MINE = (team_members.c.org_id == sa.bindparam("org")) & (team_members.c.team_id == sa.bindparam("team"))


def _among(dialect: str) -> sa.ColumnElement[bool]:
    """Return the condition that a member is in the list `members`, bound as JSON."""
    return is_listed(team_members.c.member_id, "members", dialect)


def _adding(dialect: str) -> sa.ClauseElement:
    columns = ["org_id", "team_id", "origin", "since", "member_id"]
    member = listed("members", dialect)
    fixed = (sa.bindparam(name, type_=sa.Text) for name in ("org", "team", "origin", "at"))
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(team_members)
    # SQLite needs a condition to tell ON CONFLICT from a join.
    chosen = insert.from_select(columns, sa.select(*fixed, member).where(member.is_not(None)), include_defaults=False)
    return chosen.on_conflict_do_nothing().returning(team_members.c.member_id)


def _adopting(dialect: str) -> sa.ClauseElement:
    theirs = (team_members.c.origin != sa.bindparam("by")) & _among(dialect)
    adopted = sa.update(team_members).where(_MINE, theirs).values(origin=sa.bindparam("by"))
    return adopted.returning(team_members.c.member_id)


_ADD = Prepared(_adding)
_ADOPT = Prepared(_adopting)
_REMOVE = Prepared(
    lambda dialect: sa.delete(team_members).where(_MINE, _among(dialect)).returning(team_members.c.member_id)
)
_THERE = Prepared(lambda _: sa.select(team_members.c.member_id, team_members.c.origin).where(_MINE))

_OF_TEAM = Prepared(
    lambda _: (
        sa.select(
            team_members.c.member_id,
            users.c.id.label("user_id"),
            teams.c.id.label("nested_id"),
            sa.func.coalesce(users.c.display_name, users.c.user_name, teams.c.display_name).label("display"),
        )
        .select_from(
            team_members.outerjoin(
                users,
                (users.c.org_id == team_members.c.org_id) & (users.c.id == team_members.c.member_id) & is_live(users),
            ).outerjoin(
                teams,
                (teams.c.org_id == team_members.c.org_id) & (teams.c.id == team_members.c.member_id) & is_live(teams),
            )
        )
        .where(_MINE)
        .order_by(team_members.c.member_id)
    )
)


def _spelled(dialect: str) -> sa.ClauseElement:
    """Return the statement that spells a team's members as JSON: nothing is made of them here, however many."""
    postgres, member = dialect == "postgresql", team_members.c.member_id

    def known(kind: Kind, table: sa.Table) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[str]]:
        mine = (table.c.org_id == sa.bindparam("org")) & (table.c.id == member) & is_live(table)
        head, middle = sa.literal('{"value":"').concat(member), sa.literal('","$ref":"').concat(sa.bindparam("base"))
        tail = sa.literal(f'","type":"{kind.scim_name}"}}')
        return sa.exists().where(mine), head.concat(middle).concat(f"/{kind.endpoint}/").concat(member).concat(tail)

    quoted = sa.cast(sa.func.to_json(member), sa.Text) if postgres else sa.func.json_quote(member)
    pending = sa.literal('{"value":').concat(quoted).concat("}")
    one = sa.case(known(USER, users), known(TEAM, teams), else_=pending).label("one")
    rows = sa.select(one).where(_MINE).order_by(member).subquery()
    return sa.select(sa.func.string_agg(rows.c.one, ",") if postgres else sa.func.group_concat(rows.c.one))


_SPELLED = Prepared(_spelled)


def of_team(connection: sa.Connection, org_id: str, team_id: str) -> list[dict[str, Any]]:
    """Return a team's members as SCIM writes them: `value`, and for those that exist `type`, `$ref` and `display`.

    `$ref` is relative to the SCIM base. A member without a record is pending.
    """
    return [_as_scim(*row) for row in _OF_TEAM.all(connection, org=org_id, team=team_id)]


def as_json(connection: sa.Connection, org_id: str, team_id: str, base: str) -> str:
    """Return a team's members as the elements of a JSON list, without `display`; empty where there are none.

    Args:
        connection: where to read.
        org_id: the organization.
        team_id: the team.
        base: SCIM base address, as it is written in JSON.
    """
    return (_SPELLED.first(connection, org=org_id, team=team_id, base=base) or ("",))[0] or ""


def _as_scim(member: str, user_id: str | None, nested_id: str | None, display: str | None) -> dict[str, Any]:
    if user_id is None and nested_id is None:
        return {"value": member}
    kind, endpoint = ("User", "Users") if user_id else ("Group", "Groups")
    return {"value": member, "$ref": f"{endpoint}/{member}", "type": kind, "display": display}


def listing(connection: sa.Connection, org_id: str, team_id: str) -> list[dict[str, Any]]:
    """Return a team's members: `id`, `user_name`, `origin`, `since`, `pending` and `owner`, the first one first."""
    user = (users.c.org_id == team_members.c.org_id) & (users.c.id == team_members.c.member_id)
    nested = (teams.c.org_id == team_members.c.org_id) & (teams.c.id == team_members.c.member_id)
    owner = (
        (team_owners.c.org_id == team_members.c.org_id)
        & (team_owners.c.team_id == team_members.c.team_id)
        & (team_owners.c.user_id == team_members.c.member_id)
    )
    name = sa.func.coalesce(users.c.user_name, teams.c.display_name)
    joined = (
        team_members.outerjoin(users, user & users.c.deleted_at.is_(None))
        .outerjoin(teams, nested & teams.c.deleted_at.is_(None))
        .outerjoin(team_owners, owner)
    )
    query = (
        sa.select(
            team_members.c.member_id.label("id"),
            name.label("user_name"),
            *(team_members.c.origin, team_members.c.since),
            name.is_(None).label("pending"),
            team_owners.c.user_id.is_not(None).label("owner"),
        )
        .select_from(joined)
        .where(team_members.c.org_id == org_id, team_members.c.team_id == team_id)
        .order_by(team_members.c.since, team_members.c.member_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def apply(unit: Unit, team_id: str, delta: MemberDelta, *, origin: str = "scim") -> dict[str, list[str]]:
    """Change a team's members and return what really changed, each only when not empty.

    Returns:
        `added` and `removed`, and `kept`: those that were there by another origin.

    Raises:
        PayloadTooLargeException: when the team would have more members than it may.
    """
    change: dict[str, list[str]] = {}
    removed, added = sorted(delta.removed), delta.added
    if delta.reset:
        # To read who is there takes a third of the time of asking the database of each who shall be there.
        there = dict(_THERE.all(unit.connection, org=unit.org_id, team=team_id))
        removed = sorted(there.keys() - set(delta.added))
        added = [member for member in delta.added if member not in there]
        adopted = [member for member in delta.added if there.get(member, origin) != origin]
        change["kept"] = _changed(_ADOPT, unit, team_id, adopted, by=origin)
    change["removed"] = _changed(_REMOVE, unit, team_id, removed)
    change["added"] = _changed(_ADD, unit, team_id, added, origin=origin, at=unit.at)
    team_size.change(unit, team_id, len(change["added"]), len(change["removed"]))
    return {name: change[name] for name in ("added", "removed", "kept") if change.get(name)}


def change(unit: Unit, team: Stored, delta: MemberDelta) -> dict[str, list[str]]:
    """Change a team's members by hand, with the event, and return what really changed.

    Raises:
        Refused: when the team would have more members than it may.
    """
    try:
        changed = apply(unit, team.id, delta, origin="manual")
    except PayloadTooLargeException as problem:
        raise Refused(str(problem.detail)) from problem
    if changed:
        told = {"members": {**changed, "origin": "manual"}}
        resources.update(unit, TEAM, team, team.load(), EventType.TEAM_UPDATED, told)
    return changed


def make_manual(unit: Unit, team_id: str) -> list[str]:
    """Make the identity provider's members of a team members by hand, and return them."""
    theirs = sa.update(team_members).where(_MINE, team_members.c.origin == "scim").values(origin="manual")
    changed = theirs.returning(team_members.c.member_id)
    return list(unit.connection.execute(changed, {"org": unit.org_id, "team": team_id}).scalars())


def leave_all(unit: Unit, member_id: str) -> list[str]:
    """Take a member out of every team and return the ids of those teams."""
    mine = (team_members.c.org_id == unit.org_id) & (team_members.c.member_id == member_id)
    leaving = sa.delete(team_members).where(mine).returning(team_members.c.team_id)
    left = list(unit.connection.execute(leaving).scalars())
    team_size.shrink(unit, left)
    return left


def drop_team(unit: Unit, team_id: str) -> None:
    """Forget a team's memberships."""
    mine = (team_members.c.org_id == unit.org_id) & (team_members.c.team_id == team_id)
    unit.connection.execute(sa.delete(team_members).where(mine))
    team_size.forget(unit, team_id)


def _changed(statement: Prepared, unit: Unit, team_id: str, members: Collection[str], **values: str) -> list[str]:
    """Run a change of members named by a list and return those that it really changed."""
    if not members:
        return []
    rows = statement.all(unit.connection, org=unit.org_id, team=team_id, members=_json(members), **values)
    return [member for (member,) in rows]


def _json(members: Iterable[str]) -> str:
    return orjson.dumps(list(members)).decode()
