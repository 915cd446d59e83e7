"""Walks by index: where the page before ended, so that who leaves meanwhile shifts nobody past a reader.

The places are notes that all processes of the service share, so a walk may go on at any of them. Walks of one client
over the same search can't be told apart: each that asks for a page uses one note up, the furthest, and goes on behind
the nearest. Such a walk may meet somebody twice; none misses anybody.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_app.store.credentials.credentials import later
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.stamps import now
from scim_app.store.log.session import Store
from scim_app.store.search.pages import Place

KEPT_FOR = timedelta(minutes=15)
PRUNED_EVERY = 200
"""How many notes there are to one that takes the old ones of its client away."""

_COLUMNS = ("org_id", "token_id", "search", "start", "place", "until", "waiting")
_walks = sa.table("walk_ends", *(sa.column(name) for name in _COLUMNS))
"""`waiting`: how many walks have come to this place and not gone on yet."""


class Step(NamedTuple):
    """One page of a walk: whose, over what (a kind's name, or a digest of the search), from which `startIndex` on."""

    org_id: str
    token_id: str
    search: str
    start: int


def _this() -> sa.ColumnElement[bool]:
    return sa.and_(*(_walks.c[name] == sa.bindparam(name) for name in Step._fields))


def _remembering(dialect: str) -> sa.ClauseElement:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(_walks)
    made = insert.values({column.name: sa.bindparam(column.name) for column in _walks.c})
    new = {"waiting": _walks.c.waiting + 1, "until": insert.excluded.until}
    return made.on_conflict_do_update(index_elements=[*Step._fields, "place"], set_=new)


def _using(_dialect: str) -> sa.ClauseElement:
    mine = _this() & (_walks.c.place == sa.bindparam("used")) & (_walks.c.waiting > 0)
    return sa.update(_walks).where(mine).values(waiting=_walks.c.waiting - 1)


def _pruning(_dialect: str) -> sa.ClauseElement:
    mine = (_walks.c.org_id == sa.bindparam("org_id")) & (_walks.c.token_id == sa.bindparam("token_id"))
    return sa.delete(_walks).where(mine, _walks.c.until < sa.bindparam("until"))


def _behind(_dialect: str) -> sa.ClauseElement:
    return sa.select(_walks.c.place, _walks.c.waiting).where(_this(), _walks.c.until > sa.bindparam("until"))


_BEHIND, _USE = Prepared(_behind), Prepared(_using)
_REMEMBER = Prepared(_remembering)
_PRUNE = Prepared(_pruning)


class Walks:
    """The ends of the pages that were given out lately, by whichever process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def behind(self, step: Step, rank: Callable[[Place], int]) -> Place | None:
        """Return the place behind which a page begins, None for a first page, or when there was none before it.

        Args:
            step: the page.
            rank: tells of places which is nearer to the begin; asked only where there are several.
        """
        if step.start <= 1:
            return None
        values = step._asdict()
        rows = self._store.noting(lambda db: _BEHIND.all(db, **values, until=now()), [])
        if not rows:
            return None
        # A page that is asked for again finds its note used.
        places = {row[0]: Place(*orjson.loads(row[0])) for row in [one for one in rows if one[1] > 0] or rows}
        ordered = sorted(places, key=lambda text: rank(places[text])) if len(places) > 1 else list(places)
        self._store.noting(lambda db: _USE.run(db, **values, used=ordered[-1]), 0)
        return places[ordered[0]]

    def remember(self, step: Step, place: Place) -> None:
        """Remember that the page before this one ended at a place."""
        values = step._asdict() | {"place": orjson.dumps([place.value, place.position]).decode()}
        self._store.noting(lambda db: _REMEMBER.run(db, **values, waiting=1, until=later(now(), KEPT_FOR)), 0)
        if random.randrange(PRUNED_EVERY) == 0:  # noqa: S311 - no secret
            self._store.noting(lambda db: _PRUNE.run(db, org_id=step.org_id, token_id=step.token_id, until=now()), 0)
