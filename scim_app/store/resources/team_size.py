"""How many members a team has, and how many of them are no users, kept beside its rows; the most that it may have."""

from collections.abc import Callable, Collection
from typing import Any

import sqlalchemy as sa
from scim2_models import PayloadTooLargeException
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert

from scim_app.directory import membership
from scim_app.store.db.json_sql import as_json
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.tables import team_sizes
from scim_app.store.log.event_log import Unit


def _adding(insert: Any) -> ReturningInsert[tuple[int]]:
    """Return the statement that adds to the counts of a team, and gives how many members it has."""
    more = {name: team_sizes.c[name] + insert.excluded[name] for name in ("members", "others")}
    counted = insert.on_conflict_do_update(index_elements=["org_id", "team_id"], set_=more)
    return counted.returning(team_sizes.c.members)


_ROW = {"org_id": "org", "team_id": "team", "members": "members", "others": "others"}
"""Column → parameter of what is counted."""
_CHANGE = Prepared(
    lambda _: _adding(sqlite.insert(team_sizes).values({name: sa.bindparam(key) for name, key in _ROW.items()}))
)
_COUNT = Prepared(
    lambda _: sa.select(team_sizes.c.members).where(
        team_sizes.c.org_id == sa.bindparam("org"), team_sizes.c.team_id == sa.bindparam("team")
    )
)


def of(connection: sa.Connection, org_id: str, team_id: str) -> int:
    """Return how many members a team has, those that are not provisioned yet among them."""
    row = _COUNT.first(connection, org=org_id, team=team_id)
    return row[0] if row else 0


class Counting:
    """A change of a team's members and of the count of them; PostgreSQL is sent both as one statement.

    Args:
        build: gives the statement, for a dialect; it returns whose rows it changed and whether each is no user. Its
            parameters `org` and `team` say which team.
        sign: 1 where rows are made, -1 where they are taken away.
    """

    def __init__(
        self, build: Callable[[str], ReturningInsert[Any, bool] | ReturningDelete[Any, bool]], sign: int
    ) -> None:
        self._sign = sign
        self._alone = Prepared(build)
        self._counted = Prepared(lambda dialect: _counted(build(dialect), sign))

    def run(self, unit: Unit, team_id: str, members: Collection[str], **values: str) -> tuple[list[str], int]:
        """Return those of some members whose rows really changed, and how many the team has then; 0 where none did."""
        if not members:
            return [], 0
        mine = {"org": unit.org_id, "team": team_id, "members": as_json(members)}
        if unit.connection.dialect.name == "postgresql":
            rows = self._counted.all(unit.connection, **mine, **values)
            return [row[0] for row in rows], rows[0][2] if rows else 0
        rows = self._alone.all(unit.connection, **mine, **values)
        count = {"members": self._sign * len(rows), "others": self._sign * sum(other for _, other in rows)}
        now = _CHANGE.first(unit.connection, org=unit.org_id, team=team_id, **count) if rows else None
        return [member for member, _ in rows], now[0] if now else 0


def _counted(statement: ReturningInsert[Any, bool] | ReturningDelete[Any, bool], sign: int) -> sa.ClauseElement:
    changed = statement.cte("changed")
    member, is_other = changed.c
    count = sa.func.count()
    more = [sign * count, sign * count.filter(is_other)]
    mine = (sa.bindparam(name, type_=sa.Text) for name in ("org", "team"))
    made = sa.select(*mine, *more).select_from(changed).having(count > 0)
    size = _adding(postgresql.insert(team_sizes).from_select(list(_ROW), made)).cte("counted")
    return sa.select(member, is_other, sa.select(size.c.members).scalar_subquery())


def refuse_too_many(size: int) -> None:
    """Refuse a team more members than it may have; they are never cut.

    Raises:
        PayloadTooLargeException: when that many are too many.
    """
    if size > membership.TEAM_MEMBERS:
        most = f"a group may have {membership.TEAM_MEMBERS} members, not {size}"
        raise PayloadTooLargeException(detail=f"{most}; make several groups of it")


def shrink(unit: Unit, team_ids: Collection[str], *, members: int, others: int) -> None:
    """Count that each of these teams has so many members less, and so many less that are no users."""
    if team_ids:
        mine = (team_sizes.c.org_id == unit.org_id) & team_sizes.c.team_id.in_(team_ids)
        less = {"members": team_sizes.c.members - members, "others": team_sizes.c.others - others}
        unit.connection.execute(sa.update(team_sizes).where(mine).values(less))


def forget(unit: Unit, team_id: str) -> None:
    """Forget the count of a team that is gone."""
    mine = (team_sizes.c.org_id == unit.org_id) & (team_sizes.c.team_id == team_id)
    unit.connection.execute(sa.delete(team_sizes).where(mine))
