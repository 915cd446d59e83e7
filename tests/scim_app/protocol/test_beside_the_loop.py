"""What may take long runs beside the event loop, and outside the transaction that holds up all writers."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import make
import pytest
from asgi import Answer, Client
from in_process import EMAILS, Run, noting, runner

from scim_app.protocol import decode, encode, search, writing
from scim_app.store.db import allowance


@pytest.fixture
def run(folder: Path) -> Run:
    """Run requests of a fresh organization in an application of their own."""
    return runner(folder)


READS: list[tuple[Any, str, str, dict[str, str]]] = [
    (search, "read_terms", "/Users", {"filter": 'title co "x"'}),
    (search, "check_filter", "/Users", {"filter": 'title co "x"'}),
    (encode, "_project", "/Users", {"attributes": "userName"}),
    (encode, "_project", "/Users/{id}", {"attributes": "userName"}),
]


@pytest.mark.parametrize(("module", "name", "path", "query"), READS)
def test_what_the_library_reads_is_read_beside_the_event_loop(
    run: Run, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, path: str, query: dict[str, str]
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


def test_a_heavy_body_is_read_beside_the_event_loop(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_change_that_takes_long_is_made_outside_the_transaction(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, real = list[str](), decode._cost  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(decode, "_document", noting(threads, decode._document))  # pyright: ignore[reportPrivateUsage]
    operations = [{"op": "replace", "path": f'emails[value eq "{EMAILS[0]["value"]}"].type', "value": "home"}] * 2

    async def ask(scim: Client) -> Any:
        created = (await scim("POST", "/Users", make.user("ada", emails=EMAILS[:200]))).json()
        threads.clear()
        return (await scim("PATCH", f"/Users/{created['id']}", make.patch(*operations))).json()

    assert real([0, 0], 600) > allowance.SHORT_VALUES
    assert run(ask)["emails"][0]["type"] == "home"
    assert [name.startswith("store-reader") for name in threads] == [True]


def test_a_change_that_was_made_before_is_made_again_where_another_came_between(
    run: Run, monkeypatch: pytest.MonkeyPatch
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
