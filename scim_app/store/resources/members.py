"""Members of teams as rows: a change costs its own length, whatever the size of the team."""

from typing import Any

import orjson
import sqlalchemy as sa
from scim2_models import PayloadTooLargeException
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from scim_app.directory.events import EventType
from scim_app.directory.kinds import TEAM, USER, Kind
from scim_app.directory.membership import MemberDelta
from scim_app.errors import Refused
from scim_app.store.db.json_sql import as_json, is_listed, listed
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.settings_tables import team_owners
from scim_app.store.db.tables import is_live, team_members, team_sizes, teams, users
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import resources, team_size
from scim_app.store.resources.resources import Stored
from scim_app.store.resources.team_size import Counting

_MINE = (team_members.c.org_id == sa.bindparam("org")) & (team_members.c.team_id == sa.bindparam("team"))


def _among(dialect: str) -> sa.ColumnElement[bool]:
    """Return the condition that a member is in the list `members`, bound as JSON."""
    return is_listed(team_members.c.member_id, "members", dialect)


_NAMED = sa.literal_column("team_members.member_id")  # a column would join the table to the users after an INSERT
_MEANT = (users.c.org_id == sa.bindparam("org")) & (users.c.id == _NAMED) & is_live(users)
_IS_OTHER = sa.select(sa.literal_column("1")).select_from(users).where(_MEANT).scalar_subquery().is_(None)
"""Whether a member is no user: a team, or pending. For EXISTS, PostgreSQL may read all users."""
_CHANGED = (team_members.c.member_id, _IS_OTHER.label("is_other"))


def _adding(dialect: str) -> ReturningInsert[Any, bool]:
    columns = ["org_id", "team_id", "origin", "since", "member_id"]
    member = listed("members", dialect)
    fixed = (sa.bindparam(name, type_=sa.Text) for name in ("org", "team", "origin", "at"))
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(team_members)
    # SQLite needs a condition to tell ON CONFLICT from a join.
    chosen = insert.from_select(columns, sa.select(*fixed, member).where(member.is_not(None)), include_defaults=False)
    return chosen.on_conflict_do_nothing().returning(*_CHANGED)


def _adopting(dialect: str) -> sa.ClauseElement:
    theirs = (team_members.c.origin != sa.bindparam("by")) & _among(dialect)
    adopted = sa.update(team_members).where(_MINE, theirs).values(origin=sa.bindparam("by"))
    return adopted.returning(team_members.c.member_id)


def _there(dialect: str) -> sa.ClauseElement:
    """Return the statement that lists who is there, and who of them by another origin: a row each takes four times."""
    theirs = sa.func.json_group_array if dialect == "sqlite" else sa.func.json_agg
    every, others = theirs(team_members.c.member_id), team_members.c.origin != sa.bindparam("by")
    return sa.select(sa.cast(every, sa.Text), sa.cast(every.filter(others), sa.Text)).where(_MINE)


_ADD = Counting(_adding, 1)
_ADOPT = Prepared(_adopting)
_REMOVE = Counting(lambda dialect: sa.delete(team_members).where(_MINE, _among(dialect)).returning(*_CHANGED), -1)
_THERE = Prepared(_there)

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


def of_team(connection: sa.Connection, org_id: str, team_id: str) -> list[dict[str, Any]]:
    """Return a team's members as SCIM writes them: `value`, and for those that exist `type`, `$ref` and `display`.

    `$ref` is relative to the SCIM base. A member without a record is pending.
    """
    return [_as_scim(*row) for row in _OF_TEAM.all(connection, org=org_id, team=team_id)]


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
        there, others = _listed(unit, team_id, origin)
        removed = sorted(there.difference(delta.added))
        missing = set(delta.added) - there
        added = [member for member in delta.added if member in missing] if missing else []
        adopted = [member for member in delta.added if member in others] if others else []
        change["kept"] = _adopt(unit, team_id, adopted, origin)
    change["removed"], _ = _REMOVE.run(unit, team_id, removed)
    change["added"], size = _ADD.run(unit, team_id, added, origin=origin, at=unit.at)
    if len(change["added"]) > len(change["removed"]):
        team_size.refuse_too_many(size)
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


def leave_all(unit: Unit, kind: Kind, member_id: str) -> list[str]:
    """Take a user or a team that is still there out of every team and return the ids of those teams."""
    mine = (team_members.c.org_id == unit.org_id) & (team_members.c.member_id == member_id)
    leaving = sa.delete(team_members).where(mine).returning(team_members.c.team_id)
    left = list(unit.connection.execute(leaving).scalars())
    team_size.shrink(unit, left, members=1, others=int(kind is not USER))
    return left


def come_back(unit: Unit, user_id: str) -> None:
    """Count a user who was removed, and is there again, as one in the teams that have had the id as pending since."""
    mine = (team_members.c.org_id == unit.org_id) & (team_members.c.member_id == user_id)
    waiting = unit.connection.execute(sa.select(team_members.c.team_id).where(mine)).scalars().all()
    team_size.shrink(unit, waiting, members=0, others=1)


def drop_team(unit: Unit, team_id: str) -> None:
    """Forget a team's memberships."""
    mine = (team_members.c.org_id == unit.org_id) & (team_members.c.team_id == team_id)
    unit.connection.execute(sa.delete(team_members).where(mine))
    team_size.forget(unit, team_id)


def _adopt(unit: Unit, team_id: str, members: list[str], origin: str) -> list[str]:
    """Make members that are there by another origin some by this one, and return them."""
    if not members:
        return []
    rows = _ADOPT.all(unit.connection, org=unit.org_id, team=team_id, members=as_json(members), by=origin)
    return [member for (member,) in rows]


def _listed(unit: Unit, team_id: str, origin: str) -> tuple[set[str], set[str]]:
    """Return who is in a team, and who of them by another origin."""
    found = _THERE.first(unit.connection, org=unit.org_id, team=team_id, by=origin) or ()
    every, others = (set(orjson.loads(text)) if text else set[str]() for text in found)
    return every, others


def _spelled(dialect: str) -> sa.ClauseElement:
    """Return the statement that spells a team's members: users, teams and pending ones."""
    postgres, member = dialect == "postgresql", team_members.c.member_id

    def known(kind: Kind, table: sa.Table) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[str]]:
        mine = (table.c.org_id == sa.bindparam("org")) & (table.c.id == member) & is_live(table)
        head, middle = sa.literal('{"value":"').concat(member), sa.literal('","$ref":"').concat(sa.bindparam("base"))
        tail = sa.literal(f'","type":"{kind.scim_name}"}}')
        return sa.exists().where(mine), head.concat(middle).concat(f"/{kind.endpoint}/").concat(member).concat(tail)

    quoted = sa.cast(sa.func.to_json(member), sa.Text) if postgres else sa.func.json_quote(member)
    pending = sa.literal('{"value":').concat(quoted).concat("}")
    one = sa.case(known(USER, users), known(TEAM, teams), else_=pending)
    return _joined(dialect, sa.select(one.label("one")).where(_MINE))


def _spelled_users(dialect: str) -> sa.ClauseElement:
    """Return the same for a team of nothing but users, NULL for any other; to look each up would take most of the time.

    That all are users is told by the team's size, in the same statement: nothing comes between.
    """
    size = (team_sizes.c.org_id == sa.bindparam("org")) & (team_sizes.c.team_id == sa.bindparam("team"))
    all_users = sa.select(team_sizes.c.others == 0).where(size).scalar_subquery()
    member, (head, tail) = team_members.c.member_id, ('{"value":"', f'","type":"{USER.scim_name}"}}')
    one = sa.literal(head).concat(member).concat(sa.bindparam("middle")).concat(member).concat(tail)
    return _joined(dialect, sa.select(one.label("one")).where(_MINE, all_users))


def _joined(dialect: str, members: sa.Select[Any]) -> sa.ClauseElement:
    rows = members.order_by(team_members.c.member_id).subquery()
    together = sa.func.string_agg if dialect == "postgresql" else sa.func.group_concat
    return sa.select(together(rows.c.one, ","))


_SPELLED, _SPELLED_USERS = Prepared(_spelled), Prepared(_spelled_users)


def to_json(connection: sa.Connection, org_id: str, team_id: str, base: str) -> str:
    """Return a team's members as the elements of a JSON list, without `display`; empty where there are none.

    Args:
        connection: where to read.
        org_id: the organization.
        team_id: the team.
        base: SCIM base address, as it is written in JSON.
    """
    middle = f'","$ref":"{base}/{USER.endpoint}/'
    (found,) = _SPELLED_USERS.first(connection, org=org_id, team=team_id, middle=middle) or (None,)
    if found is None:
        (found,) = _SPELLED.first(connection, org=org_id, team=team_id, base=base) or (None,)
    return found or ""
