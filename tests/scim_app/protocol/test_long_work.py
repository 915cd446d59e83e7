"""Work that takes too long for where it runs is done elsewhere, or stopped at its deadline."""

import asyncio
import threading
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Any

import make
import pytest
from asgi import Answer, Client
from in_process import EMAILS, Run, noting, runner

from scim_app.protocol import recorder, writing
from scim_app.store.db import allowance, engines
from scim_app.store.log.session import Store


@pytest.fixture
def run(folder: Path) -> Run:
    """Run requests of a fresh organization in an application of their own."""
    return runner(folder)


@pytest.mark.parametrize("path", ["/Users", "/Users/{id}"])
def test_a_read_past_its_deadline_is_refused_with_what_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(allowance, "READ_SECONDS", 0)

    async def ask(scim: Client) -> Answer:
        created = (await scim("POST", "/Users", make.user("ada"))).json()
        return await scim("GET", path.format(id=created["id"]), query={"attributes": "userName"})

    body = run(ask).json()
    assert (body["status"], body["scimType"]) == ("400", "tooMany")
    assert "ask for fewer resources" in body["detail"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_statement_that_would_hold_the_event_loop_up_is_answered_elsewhere(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "STEPS", 1_000)
    monkeypatch.setattr(Store, "glance", noting(threads := [], Store.glance))

    async def ask(scim: Client) -> Answer:
        names = [f"u{number}" for number in range(100)]
        ids = [(await scim("POST", "/Users", make.user(name))).json()["id"] for name in names]
        await scim("POST", "/Groups", make.group("Data", *ids))
        threads.clear()
        return await scim("GET", "/Users", query={"count": 100})

    answer = run(ask)
    assert len(answer.json()["Resources"]) == 100
    assert threads[0] == threading.main_thread().name
    assert threads[1].startswith("store-reader")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_long_documents_are_told_elsewhere(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "SHORT_BYTES", 1_000)
    monkeypatch.setattr(Store, "glance", noting(threads := [], Store.glance))

    async def ask(scim: Client) -> list[int]:
        for number in range(10):
            await scim("POST", "/Users", make.user(f"u{number}", emails=EMAILS[:1], title="x" * 200))
        by_email = {"filter": f'emails.value eq "{EMAILS[0]["value"]}"'}
        threads.clear()
        return [len((await scim("GET", "/Users", query=query)).json()["Resources"]) for query in ({}, by_email)]

    assert run(ask) == [10, 10]
    on_loop = threading.main_thread().name
    asked = [name == on_loop for name in threads if name == on_loop or name.startswith("store-reader")]
    assert asked[:4] == [True, False] * 2  # then the log of requests is written


@pytest.mark.parametrize(
    ("operations", "weight", "short"),
    [
        ([{"op": "add", "path": "members", "value": [{"value": "x"}] * 100}], 300, True),
        ([{"op": "add", "path": "members", "value": [{"value": "x"}] * 51}] * 2, 300, False),
        ([{"op": "add", "path": "members", "value": [{"value": "x"}]}] * 101, 300, False),
        ([{"op": "remove", "path": 'members[value eq "x"]'}] * 100, 300, True),
        ([{"op": "remove", "path": 'members[value eq "x"]'}], 301, False),
        ([{"op": "remove", "path": 'members[display eq "x"]'}], 1, False),
    ],
)
def test_a_write_is_short_by_all_of_its_values_together(
    monkeypatch: pytest.MonkeyPatch, operations: list[Any], weight: int, short: bool
) -> None:
    asked: Any = type("Asked", (), {})()
    asked.target, asked.weight, asked.kind = (
        type("Target", (), {"operation": writing.Operation.patch}),
        weight,
        writing.TEAM,
    )
    asked.body, asked.dialect = {"Operations": operations}, type("Dialect", (), {"removes_by_value": False})
    assert writing.is_short(asked) is short


def test_no_organization_takes_all_threads(folder: Path) -> None:
    make.organization(make.settings(folder))
    store, end = Store(make.settings(folder).store_url), threading.Event()

    async def ask() -> Any:
        hogs = [asyncio.create_task(store.aside(lambda: end.wait(60), "hog")) for _ in range(50)]
        await asyncio.sleep(0)
        other: Awaitable[int] = store.aside(lambda: 7, "other")
        found = await asyncio.wait_for(other, 60)
        end.set()
        return found, await asyncio.gather(*hogs)

    try:
        assert asyncio.run(ask()) == (7, [True] * 50)
    finally:
        store.close()


def test_a_full_log_of_requests_is_put_into_rows_beside_the_event_loop(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FLUSH_SECONDS", 0)
    monkeypatch.setattr(recorder, "_chosen", noting(threads := [], recorder._chosen))  # pyright: ignore[reportPrivateUsage]

    async def ask(scim: Client) -> None:
        await scim("GET", "/Users")
        while not threads:
            await asyncio.sleep(0.01)

    run(ask)
    assert threading.main_thread().name not in threads


def test_a_long_body_is_remembered_by_its_size_also_where_none_was_announced() -> None:
    trace = recorder.Trace({"headers": []})
    trace.body, trace.size = {"userName": "x"}, 100_000
    assert trace.answer(201).body == {"bytes": 100_000}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_statement_past_the_servers_deadline_is_long_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.postgres, "SERVING", replace(engines.postgres.SERVING, statement="50ms"))
    store = Store(make.settings(folder).store_url)
    try:
        with pytest.raises(allowance.LongWork):
            store.read(lambda db: db.exec_driver_sql("SELECT pg_sleep(60)").one())
    finally:
        store.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_statement_past_its_deadline_is_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "READ_SECONDS", 0.05)
    store = Store(make.settings(folder).store_url)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    try:
        with pytest.raises(allowance.LongWork):
            asyncio.run(store.reading(lambda db: db.exec_driver_sql(endless).one(), "acme"))
        assert store.glance_briefly(lambda db: db.exec_driver_sql(endless).one()) is None
        assert store.read(lambda db: db.exec_driver_sql("SELECT 7").scalar_one()) == 7
    finally:
        store.close()
