"""Short writes run on the event loop where nothing is in their way, and are no less durable or whole for it."""

import asyncio
from collections.abc import Generator
from pathlib import Path
from threading import Event
from typing import Any

import make
import one_table
import pytest
import sqlalchemy as sa
from one_table import insert, values
from sqlalchemy.exc import IntegrityError, OperationalError

from scim_app.errors import StoreUnavailable
from scim_app.store.db.engines import open_owner
from scim_app.store.log import short_writes
from scim_app.store.log.session import Store


@pytest.fixture
def store(folder: Path) -> Generator[Store]:
    """A store with one more table."""
    opened = Store(one_table.create(folder))
    yield opened
    opened.close()


def test_short_writes_share_a_commit_and_a_failing_one_undoes_itself_alone(store: Store) -> None:
    async def ask() -> list[Any]:
        asked = (store.writing(insert(value), "", short=True) for value in (1, 2, 2, 3))
        return await asyncio.gather(*asked, return_exceptions=True)

    before = store.writer.commits
    answers = asyncio.run(ask())
    assert [type(answer) for answer in answers] == [int, int, IntegrityError, int]
    assert values(store) == [1, 2, 3]
    assert store.writer.commits - before < 4


def test_many_more_than_a_group_are_all_done(store: Store) -> None:
    async def ask() -> None:
        await asyncio.gather(*(store.writing(insert(value), "", short=True) for value in range(100)))

    asyncio.run(ask())
    asyncio.run(store.writing(insert(100), "", short=True))  # by another event loop
    assert values(store) == list(range(101))


def test_a_lone_failing_write_leaves_nothing(store: Store) -> None:
    def half(db: sa.Connection) -> None:
        insert(1)(db)
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        asyncio.run(store.writing(half, "", short=True))
    assert values(store) == []


def test_the_loop_goes_on_while_another_write_takes_its_time(store: Store) -> None:
    begun, may_end = Event(), Event()

    def long(db: sa.Connection) -> None:
        begun.set()
        assert may_end.wait(30)
        insert(1)(db)

    async def ask() -> int:
        store.submit(long)
        await asyncio.to_thread(begun.wait, 30)
        short = asyncio.create_task(store.writing(insert(2), "", short=True))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not short.done()
        may_end.set()
        return await short

    assert asyncio.run(ask()) == 1
    assert values(store) == [1, 2]


def test_the_loop_goes_on_while_another_process_holds_the_store(store: Store, folder: Path) -> None:
    other = open_owner(make.settings(folder).store_url)

    async def ask() -> int:
        with other.connect() as holding, holding.begin():
            if other.name == "postgresql":
                holding.execute(sa.text("LOCK TABLE t"))
            short = asyncio.create_task(store.writing(insert(1), "", short=True))
            for _ in range(10):
                await asyncio.sleep(0)
            assert not short.done()
        return await short

    assert asyncio.run(ask()) == 1
    other.dispose()


def test_what_nobody_waits_for_before_it_began_is_not_done(store: Store) -> None:
    async def ask() -> None:
        asked = asyncio.create_task(store.writing(insert(1), "", short=True))
        await asyncio.sleep(0)
        asked.cancel()
        await store.writing(insert(2), "", short=True)

    if store.is_file:  # a server's writer may have begun by then
        asyncio.run(ask())
        assert values(store) == [2]


def test_a_commit_that_fails_is_told_and_others_go_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    end, failing = short_writes.end_group, [True]

    def fail(transaction: Any, outcomes: Any) -> None:
        if failing.pop():
            raise OperationalError("COMMIT", None, Exception("disk I/O error"))
        end(transaction, outcomes)

    if store.is_file:
        monkeypatch.setattr(short_writes, "end_group", fail)
        with pytest.raises(StoreUnavailable, match="nothing was changed"):
            asyncio.run(store.writing(insert(1), "", short=True))
        failing.append(False)
        assert asyncio.run(store.writing(insert(2), "", short=True)) == 1
        assert values(store) == [2]
