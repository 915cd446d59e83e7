"""Pages by rank: the total of a list and any place in it by counts of blocks, never by counting its rows."""

from typing import cast

import sqlalchemy as sa

from scim_app.directory.kinds import KINDS, USER, Kind
from scim_app.store.lookup import Stored
from scim_app.store.prepared import Prepared
from scim_app.store.tables import TABLES, list_blocks, team_members

BLOCK = 1024
"""Positions in a block; the triggers that count live rows divide by it."""


Listed = tuple[str, int, int, str, str, str, str, str | None]
"""A row of a page: what `Stored` has in its order, then the ids of a user's teams, if any, with spaces between."""


def _blocks(_dialect: str) -> sa.ClauseElement:
    c = list_blocks.c
    mine = (c.org_id == sa.bindparam("org")) & (c.kind == sa.bindparam("kind")) & (c.live > 0)
    return sa.select(c.block, c.live).where(mine).order_by(c.block)


def _page(kind: Kind) -> Prepared:
    c = TABLES[kind.name].c
    mine = (c.org_id == sa.bindparam("org")) & c.deleted_at.is_(None) & (c.position >= sa.bindparam("first"))
    stored = [c[name] for name in Stored._fields]

    page = sa.select(*stored).where(mine).order_by(c.position)
    page = page.limit(sa.bindparam("most")).offset(sa.bindparam("skipped")).subquery()  # teams only of those in it

    def build(dialect: str) -> sa.ClauseElement:
        teams = _teams(dialect, page.c.id) if kind is USER else sa.null()
        return sa.select(page, teams).order_by(page.c.position)

    return Prepared(build)


def _teams(dialect: str, user_id: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return the ids of a user's teams: of its own index alone, where a join would sort the rows of a whole page."""
    together = sa.func.string_agg if dialect == "postgresql" else sa.func.group_concat
    mine = (team_members.c.org_id == sa.bindparam("org")) & (team_members.c.member_id == user_id)
    return sa.select(together(team_members.c.team_id, sa.literal_column("' '"))).where(mine).scalar_subquery()


def _rest(kind: Kind) -> Prepared:
    c = TABLES[kind.name].c
    within = c.position.between(sa.bindparam("first"), sa.bindparam("last"))
    rows = sa.select(sa.func.count()).where(c.org_id == sa.bindparam("org"), c.deleted_at.is_(None), within)
    return Prepared(lambda _: rows)


_BLOCKS = Prepared(_blocks)
_RESTS = {kind.name: _rest(kind) for kind in KINDS.values()}
_PAGES = {kind.name: _page(kind) for kind in KINDS.values()}


def total(connection: sa.Connection, org_id: str, kind: Kind) -> int:
    """Return how many live resources there are, without counting them."""
    return sum(live for _, live in _BLOCKS.all(connection, org=org_id, kind=kind.name))


def page(
    connection: sa.Connection, org_id: str, kind: Kind, start: int, count: int, behind: int | None = None
) -> tuple[int, list[Listed]]:
    """Return how many live resources there are, and those of a page in order of creation.

    Within a walk, those that were met count as they were, so that its end is where the client expects it.

    Args:
        connection: an open connection.
        org_id: the organization.
        kind: what is listed.
        start: rank of the page's first resource, from 1.
        count: most resources.
        behind: position of the last resource of the page before, where that is known. The page begins behind it,
            whatever rank that is by now: a walk misses nobody and meets nobody twice.
    """
    blocks = _BLOCKS.all(connection, org=org_id, kind=kind.name)
    total = sum(live for _, live in blocks)
    first, skipped = (0, 0) if behind is None else (behind + 1, 0)
    if behind is not None:
        total = start - 1 + _remaining(connection, org_id, kind, blocks, behind)
    if behind is None and start > 1:
        if start > total:
            return total, []
        first, skipped = _place(blocks, start - 1)
    values = {"org": org_id, "first": first, "most": count, "skipped": skipped}
    return total, cast(list[Listed], _PAGES[kind.name].all(connection, **values))


def _remaining(connection: sa.Connection, org_id: str, kind: Kind, blocks: list[tuple[int, int]], behind: int) -> int:
    """Return how many live resources come behind a position."""
    block = behind // BLOCK
    values = {"org": org_id, "first": behind + 1, "last": (block + 1) * BLOCK - 1}
    rest = _RESTS[kind.name].first(connection, **values)
    return sum(live for number, live in blocks if number > block) + (rest[0] if rest else 0)


def _place(blocks: list[tuple[int, int]], rank: int) -> tuple[int, int]:
    """Return the first position of the block that holds a rank, counted from 0, and how many rows come before it."""
    for block, live in blocks:
        if rank < live:
            return block * BLOCK, rank
        rank -= live
    raise AssertionError("the rank is below the total")
