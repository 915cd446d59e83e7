"""Pages by rank: the total of a list and any place in it by counts of blocks, never by counting its rows."""

from typing import Any, cast

import sqlalchemy as sa

from scim_app.directory.kinds import KINDS, Kind
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.tables import TABLES, list_blocks
from scim_app.store.resources.lookup import Stored

BLOCK = 1024
"""Positions in a block; the triggers that count live rows divide by it."""

Listed = tuple[str, int, int, str, str, str, str]
"""A row of a page: what `Stored` has, in its order."""

_C = list_blocks.c
_MINE = (_C.org_id == sa.bindparam("org")) & (_C.kind == sa.bindparam("kind"))


def _blocks(_dialect: str) -> sa.ClauseElement:
    return sa.select(_C.block, _C.live).where(_MINE, _C.live > 0).order_by(_C.block)


def _counting(_dialect: str) -> sa.ClauseElement:
    """Return the statement that counts the live rows of the blocks behind one."""
    total = sa.cast(sa.func.coalesce(sa.func.sum(_C.live), 0), sa.BigInteger)
    return sa.select(total).where(_MINE, _C.block > sa.bindparam("behind"))


def _page(kind: Kind) -> Prepared:
    first = sa.bindparam("first")
    return Prepared(lambda _: _rows(kind, first).offset(sa.bindparam("skipped")))


def _page_from_end(kind: Kind) -> Prepared:
    """Return the statement of a page whose first resource is met sooner from the end of its block."""
    c = TABLES[kind.name].alias("later").c
    mine = (c.org_id == sa.bindparam("org")) & c.deleted_at.is_(None) & (c.position < sa.bindparam("end"))
    back = sa.select(c.position).where(mine).order_by(c.position.desc()).limit(1).offset(sa.bindparam("skipped"))
    return Prepared(lambda _: _rows(kind, back.scalar_subquery()))


def _rows(kind: Kind, first: sa.ColumnElement[Any]) -> sa.Select[Any]:
    c = TABLES[kind.name].c
    mine = (c.org_id == sa.bindparam("org")) & c.deleted_at.is_(None) & (c.position >= first)
    return sa.select(*(c[name] for name in Stored._fields)).where(mine).order_by(c.position).limit(sa.bindparam("most"))


def _rest(kind: Kind) -> Prepared:
    c = TABLES[kind.name].c
    within = c.position.between(sa.bindparam("first"), sa.bindparam("last"))
    rows = sa.select(sa.func.count()).where(c.org_id == sa.bindparam("org"), c.deleted_at.is_(None), within)
    return Prepared(lambda _: rows)


_BLOCKS, _COUNT = Prepared(_blocks), Prepared(_counting)
_RESTS = {kind.name: _rest(kind) for kind in KINDS.values()}
_PAGES = {kind.name: _page(kind) for kind in KINDS.values()}
_PAGES_FROM_END = {kind.name: _page_from_end(kind) for kind in KINDS.values()}


def total(connection: sa.Connection, org_id: str, kind: Kind) -> int:
    """Return how many live resources there are, without counting them."""
    return _live_behind(connection, org_id, kind, -1)


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
    pages, place = _PAGES, {"first": 0, "skipped": 0}
    if behind is not None:
        place["first"], number = behind + 1, start - 1 + _remaining(connection, org_id, kind, behind)
    elif start == 1:
        number = total(connection, org_id, kind)
    else:
        blocks = _BLOCKS.all(connection, org=org_id, kind=kind.name)
        number = sum(live for _, live in blocks)
        if start > number:
            return number, []
        block, before, after = _place(blocks, start - 1)
        place = {"first": block * BLOCK, "skipped": before}
        if after < before:
            pages, place = _PAGES_FROM_END, {"end": (block + 1) * BLOCK, "skipped": after}
    return number, cast(list[Listed], pages[kind.name].documents(connection, org=org_id, most=count, **place))


def _live_behind(connection: sa.Connection, org_id: str, kind: Kind, block: int) -> int:
    row = _COUNT.first(connection, org=org_id, kind=kind.name, behind=block)
    return row[0] if row else 0


def _remaining(connection: sa.Connection, org_id: str, kind: Kind, behind: int) -> int:
    """Return how many live resources come behind a position."""
    block = behind // BLOCK
    values = {"org": org_id, "first": behind + 1, "last": (block + 1) * BLOCK - 1}
    rest = _RESTS[kind.name].first(connection, **values)
    return _live_behind(connection, org_id, kind, block) + (rest[0] if rest else 0)


def _place(blocks: list[tuple[int, int]], rank: int) -> tuple[int, int, int]:
    """Return the block that holds a rank, counted from 0, and how many of its rows come before that and after it."""
    for block, live in blocks:
        if rank < live:
            return block, rank, live - rank - 1
        rank -= live
    raise AssertionError("the rank is below the total")
