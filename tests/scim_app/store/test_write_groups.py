"""Writes that share a transaction: they follow each other in the log, and what one undoes is its own alone."""

from collections.abc import Callable, Generator
from itertools import pairwise
from pathlib import Path

import make
import pytest
import sqlalchemy as sa

from scim_app.directory.events import Actor, Event, EventType
from scim_app.errors import Refused
from scim_app.store.db.tables import events, organizations
from scim_app.store.log.event_log import InUnit, Rules, Unit
from scim_app.store.log.session import Store

OKTA, ENTRA, ADMIN = Actor(name="okta"), Actor(name="entra"), Actor(name="admin")


@pytest.fixture
def org(folder: Path) -> make.Organization:
    """An organization, on each database."""
    return make.organization(make.settings(folder))


@pytest.fixture
def store(org: make.Organization) -> Generator[Store]:
    """Its store, open."""
    opened = Store(org.settings.store_url)
    yield opened
    opened.close()


def told(name: str) -> Callable[[Unit], int]:
    """Return a write that records one event."""
    kind = EventType.WRITE_REJECTED
    return lambda unit: unit.record(Event(type=kind, subject_kind="organization", subject_id=None, subject_name=name))


def refused(unit: Unit) -> int:
    """Record an event and be refused behind it."""
    told("never")(unit)
    raise Refused("no")


def together(store: Store, org: make.Organization, *works: tuple[Actor, Callable[[Unit], object]]) -> list[object]:
    """Return what came of writes that share one transaction, and see that they did."""
    before = store.writer.commits
    with store.writer.turn.taken():
        first = store.submit(InUnit(org.id, OKTA, told("waits")), org.id)
        make.until(first.running, what="the writer's first write")
        futures = [store.submit(InUnit(org.id, actor, work), org.id) for actor, work in works]
    first.result(10)
    found = [future.exception(10) or future.result() for future in futures]
    assert store.writer.commits - before == 2
    return found


def log(store: Store, org: make.Organization) -> list[tuple[int, str, str, str]]:
    """Return the events of the test: number, name, and the two ends of the chain."""
    c = events.c
    query = sa.select(c.seq, c.subject_name, c.prev_hash, c.hash).where(c.org_id == org.id)
    rows = store.read(lambda db: db.execute(query.where(c.type == "write.rejected").order_by(c.seq)).all())
    return [(seq, name, before, after) for seq, name, before, after in rows]


def test_writes_of_one_client_and_of_others_follow_each_other_without_a_gap(
    store: Store, org: make.Organization
) -> None:
    who = (OKTA, OKTA, ENTRA, OKTA)
    seqs = together(store, org, *((actor, told(str(n))) for n, actor in enumerate(who)))
    rows = log(store, org)
    assert [row[0] for row in rows[1:]] == seqs
    assert [row[1] for row in rows] == ["waits", "0", "1", "2", "3"]
    assert all(after[0] == before[0] + 1 and after[2] == before[3] for before, after in pairwise(rows))
    head = store.read(lambda db: db.execute(sa.select(organizations.c.last_seq, organizations.c.head_hash)).one())
    assert head == (rows[-1][0], rows[-1][3])


def test_a_refused_one_leaves_neither_event_nor_gap(store: Store, org: make.Organization) -> None:
    found = together(store, org, (OKTA, told("a")), (OKTA, refused), (OKTA, told("b")))
    assert isinstance(found[1], Refused)
    rows = log(store, org)
    assert [row[1] for row in rows] == ["waits", "a", "b"]
    assert rows[2][0] == rows[1][0] + 1


def test_a_client_notices_what_another_has_changed_in_the_same_transaction(
    store: Store, org: make.Organization
) -> None:
    def switch_off(unit: Unit) -> None:
        mine = organizations.c.id == unit.org_id
        unit.connection.execute(sa.update(organizations).where(mine).values(scim_enabled=False))

    def rules(unit: Unit) -> Rules:
        return unit.rules

    found = together(store, org, (OKTA, rules), (ADMIN, switch_off), (OKTA, rules))
    assert [one.scim_enabled for one in found if isinstance(one, Rules)] == [True, False]
