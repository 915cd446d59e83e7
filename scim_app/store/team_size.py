"""How many members a team has, and how many of them are no users, kept beside its rows; the most that it may have."""

from collections.abc import Collection

import sqlalchemy as sa
from scim2_models import PayloadTooLargeException
from sqlalchemy.dialects import postgresql, sqlite

from scim_app.directory import membership
from scim_app.store.event_log import Unit
from scim_app.store.prepared import Prepared
from scim_app.store.tables import team_sizes


def _changing(dialect: str) -> sa.ClauseElement:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(team_sizes)
    row = {name: sa.bindparam(name) for name in ("org_id", "team_id", "members", "others")}
    more = {name: team_sizes.c[name] + insert.excluded[name] for name in ("members", "others")}
    counted = insert.values(row).on_conflict_do_update(index_elements=["org_id", "team_id"], set_=more)
    return counted.returning(team_sizes.c.members)


_CHANGE = Prepared(_changing)
_COUNT = Prepared(
    lambda _: sa.select(team_sizes.c.members).where(
        team_sizes.c.org_id == sa.bindparam("org"), team_sizes.c.team_id == sa.bindparam("team")
    )
)


def of(connection: sa.Connection, org_id: str, team_id: str) -> int:
    """Return how many members a team has, those that are not provisioned yet among them."""
    row = _COUNT.first(connection, org=org_id, team=team_id)
    return row[0] if row else 0


def change(unit: Unit, team_id: str, added: int, removed: int, others: int) -> None:
    """Count the members that a team has got and lost, and how many more of them are no users.

    Raises:
        PayloadTooLargeException: when it has more than it may, by this write; they are never cut.
    """
    if added == removed and not others:
        return
    values = {"org_id": unit.org_id, "team_id": team_id, "members": added - removed, "others": others}
    row = _CHANGE.first(unit.connection, **values)
    size = row[0] if row else 0
    if added > removed and size > membership.TEAM_MEMBERS:
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
