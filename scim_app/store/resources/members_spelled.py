"""The members of a team spelled as JSON by the database: nothing is made of them here, however many there are."""

from typing import Any

import sqlalchemy as sa

from scim_app.directory.kinds import TEAM, USER, Kind
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.tables import is_live, team_members, team_sizes, teams, users

_MINE = (team_members.c.org_id == sa.bindparam("org")) & (team_members.c.team_id == sa.bindparam("team"))


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


def as_json(connection: sa.Connection, org_id: str, team_id: str, base: str) -> str:
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
