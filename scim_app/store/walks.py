"""Walks by index: where the page before ended, so that who leaves meanwhile shifts nobody past a reader.

The places are notes that all processes of the service share, so a walk may go on at any of them.
"""

import random
from datetime import timedelta
from typing import NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_app.store.credentials import later
from scim_app.store.pages import Place
from scim_app.store.prepared import Prepared
from scim_app.store.session import Store
from scim_app.store.stamps import now

KEPT_FOR = timedelta(minutes=15)
PRUNED_EVERY = 200
"""How many notes there are to one that takes the old ones of its client away."""

_walks = sa.table("walks", *(sa.column(name) for name in ("org_id", "token_id", "search", "start", "place", "until")))


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
    new = {"place": insert.excluded.place, "until": insert.excluded.until}
    return made.on_conflict_do_update(index_elements=list(Step._fields), set_=new)


def _pruning(_dialect: str) -> sa.ClauseElement:
    mine = (_walks.c.org_id == sa.bindparam("org_id")) & (_walks.c.token_id == sa.bindparam("token_id"))
    return sa.delete(_walks).where(mine, _walks.c.until < sa.bindparam("until"))


_BEHIND = Prepared(lambda _: sa.select(_walks.c.place).where(_this(), _walks.c.until > sa.bindparam("until")))
_REMEMBER = Prepared(_remembering)
_PRUNE = Prepared(_pruning)


class Walks:
    """The ends of the pages that were given out lately, by whichever process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def behind(self, step: Step) -> Place | None:
        """Return the place behind which a page begins, None for a first page, or when there was none before it."""
        if step.start <= 1:
            return None
        values = step._asdict() | {"until": now()}
        row = self._store.noting(lambda db: _BEHIND.first(db, **values), None)
        return Place(*orjson.loads(row[0])) if row else None

    def remember(self, step: Step, place: Place) -> None:
        """Remember that the page before this one ended at a place."""
        values = step._asdict() | {"place": orjson.dumps([place.value, place.position]).decode()}
        self._store.noting(lambda db: _REMEMBER.run(db, **values, until=later(now(), KEPT_FOR)), 0)
        if random.randrange(PRUNED_EVERY) == 0:  # noqa: S311 - no secret
            self._store.noting(lambda db: _PRUNE.run(db, org_id=step.org_id, token_id=step.token_id, until=now()), 0)
