"""What takes long is refused before it begins, or runs beside the event loop until its deadline."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import make
import pytest
from asgi import Answer, Client

from scim_app.app import create_app
from scim_app.protocol import decode, encode, recorder, search, writing
from scim_app.store import allowance, engines
from scim_app.store.session import Store

Ask = Callable[[Client], Coroutine[Any, Any, Any]]
EMAILS = [{"value": f"a{number}@example.com", "type": "work"} for number in range(2_000)]


@pytest.fixture
def run(folder: Path) -> Callable[[Ask], Any]:
    """Run requests of a fresh organization in an application of their own."""
    organization = make.organization(make.settings(folder))

    def running(ask: Ask) -> Any:
        app = create_app(organization.settings)

        async def served() -> Any:
            async with app.router.lifespan_context(app):
                return await ask(Client(app, organization))

        return asyncio.run(served())

    return running


def either(comparison: str, count: int) -> str:
    """A filter of so many comparisons."""
    return " or ".join(comparison.format(number) for number in range(count))


@pytest.mark.parametrize(
    ("path", "query", "advice"),
    [
        ("/Users", {"filter": either('groups.display co "{}"', 140)}, "ask in parts"),
        ("/Groups", {"filter": either('members.display co "{}"', 11)}, "ask in parts"),
        ("/Groups", {"filter": either('members[display co "{}"]', 11)}, "ask in parts"),
        ("/Users", {"filter": either('emails.value co "{}"', 130)}, "ask in parts"),
        ("/Users", {"filter": either('emails[type eq "{}"]', 51)}, "ask in parts"),
        ("/Users", {"attributes": ",".join(["userName"] * 101)}, "name at most 100"),
        ("/Users", {"ExcludedAttributes": ",".join(["title"] * 101)}, "name at most 100"),
        ("/Users/{id}", {"attributes": ",".join(["userName"] * 1_000)}, "name at most 100"),
    ],
)
def test_a_product_that_is_too_large_is_refused_before_anything_is_read(
    run: Callable[[Ask], Any], path: str, query: dict[str, str], advice: str
) -> None:
    async def ask(scim: Client) -> Answer:
        created = (await scim("POST", "/Users", make.user("ada"))).json()
        return await scim("GET", path.format(id=created["id"]), query=query)

    body = run(ask).json()
    assert (body["status"], body.get("scimType")) == ("400", "tooMany")
    assert advice in body["detail"]


def test_as_many_comparisons_and_names_as_are_allowed_are_served(run: Callable[[Ask], Any]) -> None:
    async def ask(scim: Client) -> list[int]:
        filters = (either('groups.display co "{}"', 10), either('emails.value co "{}"', 50), either('id eq "{}"', 199))
        answers = [await scim("GET", "/Users", query={"filter": text}) for text in filters]
        answers.append(await scim("GET", "/Users", query={"attributes": ",".join(["userName"] * 100)}))
        return [answer.status for answer in answers]

    assert run(ask) == [200] * 4


def test_a_search_by_post_names_no_more_attributes_either(run: Callable[[Ask], Any]) -> None:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["userName"] * 101}

    async def ask(scim: Client) -> Answer:
        return await scim("POST", "/Users/.search", body)

    assert run(ask).json()["scimType"] == "tooMany"


def test_operations_times_values_of_a_patch_are_limited(run: Callable[[Ask], Any]) -> None:
    one = [{"op": "replace", "path": f'emails[value eq "{EMAILS[n]["value"]}"].type', "value": "x"} for n in range(200)]

    async def ask(scim: Client) -> list[Answer]:
        created = (await scim("POST", "/Users", make.user("ada", emails=EMAILS))).json()
        place = f"/Users/{created['id']}"
        bulk = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "PATCH", "path": place, "data": make.patch(part)} for part in one[:50]],
        }
        return [
            await scim("PATCH", place, make.patch(*one)),
            await scim("POST", "/Bulk", bulk),
            await scim("GET", place),
        ]

    patched, bulk, after = run(ask)
    for refused in (patched, bulk):
        assert refused.status == 413
        assert "fewer operations at once" in refused.json()["detail"]
    assert (after.json()["emails"], after.json()["meta"]["version"]) == (EMAILS, 'W/"1"')


def test_filters_over_members_of_a_patch_are_limited_with_the_members(run: Callable[[Ask], Any]) -> None:
    some = [{"op": "remove", "path": f'members[display co "{number}"]'} for number in range(201)]

    async def ask(scim: Client) -> list[Answer]:
        members = [f"m{number}" for number in range(1_000)]
        created = (await scim("POST", "/Groups", make.group("Data", *members))).json()
        place = f"/Groups/{created['id']}"
        return [await scim("PATCH", place, make.patch(*some)), await scim("PATCH", place, make.patch(*some[:2]))]

    refused, patched = run(ask)
    assert (refused.status, patched.status) == (413, 204)


READS: list[tuple[Any, str, str, dict[str, str]]] = [
    (search, "compile_filter", "/Users", {"filter": 'title co "x"'}),
    (search, "check_filter", "/Users", {"filter": 'title co "x"'}),
    (encode, "_project", "/Users", {"attributes": "userName"}),
    (encode, "_project", "/Users/{id}", {"attributes": "userName"}),
]


@pytest.mark.parametrize(("module", "name", "path", "query"), READS)
def test_what_the_library_reads_is_read_beside_the_event_loop(
    run: Callable[[Ask], Any], monkeypatch: pytest.MonkeyPatch, module: Any, name: str, path: str, query: dict[str, str]
) -> None:
    threads, real = list[threading.Thread](), getattr(module, name)

    def noting(*given: Any) -> Any:
        threads.append(threading.current_thread())
        return real(*given)

    monkeypatch.setattr(module, name, noting)

    async def ask(scim: Client) -> Answer:
        created = (await scim("POST", "/Users", make.user("ada"))).json()
        return await scim("GET", path.format(id=created["id"]), query=query)

    assert run(ask).status == 200
    assert threads
    assert threading.main_thread() not in threads


def test_a_heavy_body_is_read_beside_the_event_loop(run: Callable[[Ask], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    threads, real = list[threading.Thread](), decode.read_creation

    def noting(*given: Any) -> Any:
        threads.append(threading.current_thread())
        return real(*given)

    monkeypatch.setattr(decode, "read_creation", noting)

    async def ask(scim: Client) -> None:
        for emails in (EMAILS[:1], EMAILS[:200]):
            assert (await scim("POST", "/Users", make.user(f"u{len(emails)}", emails=emails))).status == 201

    run(ask)
    assert [thread is threading.main_thread() for thread in threads] == [True, False]


def test_a_change_that_takes_long_is_made_outside_the_transaction(
    run: Callable[[Ask], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, real = list[str](), decode._cost  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(decode, "_document", _noting(threads, decode._document))  # pyright: ignore[reportPrivateUsage]
    operations = [{"op": "replace", "path": f'emails[value eq "{EMAILS[0]["value"]}"].type', "value": "home"}] * 2

    async def ask(scim: Client) -> Any:
        created = (await scim("POST", "/Users", make.user("ada", emails=EMAILS[:200]))).json()
        threads.clear()
        return (await scim("PATCH", f"/Users/{created['id']}", make.patch(*operations))).json()

    assert real([0, 0], 600) > allowance.SHORT_VALUES
    assert run(ask)["emails"][0]["type"] == "home"
    assert [name.startswith("store-reader") for name in threads] == [True]


def _noting(threads: list[str], real: Callable[..., Any]) -> Callable[..., Any]:
    def noting(*given: Any) -> Any:
        threads.append(threading.current_thread().name)
        return real(*given)

    return noting


def test_a_change_that_was_made_before_is_made_again_where_another_came_between(
    run: Callable[[Ask], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "SHORT_VALUES", 20)
    made, between, real = threading.Event(), threading.Event(), writing.Ahead.make

    def make_slowly(ahead: writing.Ahead, connection: Any) -> None:
        real(ahead, connection)
        made.set()
        assert between.wait(60)

    monkeypatch.setattr(writing.Ahead, "make", make_slowly)

    async def ask(scim: Client) -> Any:
        created = (await scim("POST", "/Users", make.user("ada", title="CTO", emails=EMAILS[:1]))).json()
        place = f"/Users/{created['id']}"
        slow = make.patch({"op": "add", "path": "emails", "value": EMAILS[1:2]})
        writing_slowly = asyncio.create_task(scim("PATCH", place, slow))
        await asyncio.to_thread(made.wait, 60)
        other = await scim("PATCH", place, make.patch({"op": "replace", "path": "title", "value": "CEO"}))
        between.set()
        return other.status, (await writing_slowly).status, (await scim("GET", place)).json()

    other, slow, after = run(ask)
    assert (other, slow) == (200, 200)
    assert (after["title"], after["emails"], after["meta"]["version"]) == ("CEO", EMAILS[:2], 'W/"3"')


@pytest.mark.parametrize("path", ["/Users", "/Users/{id}"])
def test_a_read_past_its_deadline_is_refused_with_what_to_do(
    run: Callable[[Ask], Any], monkeypatch: pytest.MonkeyPatch, path: str
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
    run: Callable[[Ask], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "STEPS", 1_000)
    monkeypatch.setattr(Store, "glance", _noting(threads := [], Store.glance))

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
def test_long_documents_are_told_elsewhere(run: Callable[[Ask], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "SHORT_BYTES", 1_000)
    monkeypatch.setattr(Store, "glance", _noting(threads := [], Store.glance))

    async def ask(scim: Client) -> list[int]:
        for number in range(10):
            await scim("POST", "/Users", make.user(f"u{number}", emails=EMAILS[:1], title="x" * 200))
        by_email = {"filter": f'emails.value eq "{EMAILS[0]["value"]}"'}
        threads.clear()
        return [len((await scim("GET", "/Users", query=query)).json()["Resources"]) for query in ({}, by_email)]

    assert run(ask) == [10, 10]
    assert [name.startswith("store-reader") for name in threads] == [False, True] * 2


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
    run: Callable[[Ask], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FLUSH_SECONDS", 0)
    monkeypatch.setattr(recorder, "_chosen", _noting(threads := [], recorder._chosen))  # pyright: ignore[reportPrivateUsage]

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
