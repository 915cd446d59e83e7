"""A walk by index while people leave: nobody who stays is missed, nobody is met twice, whoever answers."""

import asyncio
from pathlib import Path

import make
import pytest
from asgi import Client

from scim_app.app import create_app


async def _walk(workers: list[Client], query: dict[str, str]) -> tuple[list[str], set[str]]:
    """Walk over sixty users while ten of them leave; return who was met, and who stayed."""
    client = workers[0]
    made = [(await client("POST", "/Users", make.user(f"u{n}@example.com"))).json()["id"] for n in range(60)]
    leaving, gone, met = iter(made[::6]), set[str](), list[str]()
    for number, _ in enumerate(made):
        asked = {**query, "startIndex": len(met) + 1, "count": 10}
        page = (await workers[number % len(workers)]("GET", "/Users", query=asked)).json()
        found = page.get("Resources", [])
        met += [one["id"] for one in found]
        assert page["totalResults"] >= len(met)
        if page["totalResults"] == len(met):
            break
        for _ in range(2):
            if (one := next(leaving, None)) is not None:
                assert (await client("DELETE", f"/Users/{one}")).status == 204
                gone.add(one)
    return met, set(made) - gone


@pytest.mark.rfc("index")
@pytest.mark.parametrize(
    "query",
    [{}, {"filter": "active eq true"}, {"sortBy": "userName", "sortOrder": "descending"}, {"attributes": "userName"}],
    ids=["plain", "filtered", "sorted", "projected"],
)
def test_a_walk_by_index_meets_everyone_who_stays_exactly_once(folder: Path, query: dict[str, str]) -> None:
    settings = make.settings(folder)
    organization = make.organization(settings)
    workers = [Client(create_app(settings), organization) for _ in range(2)]
    met, stayed = asyncio.run(_walk(workers, query))
    assert len(stayed) == 50
    assert len(met) == len(set(met))
    assert stayed <= set(met)


@pytest.mark.rfc("index")
def test_a_second_walk_begins_anew(folder: Path) -> None:
    settings = make.settings(folder)
    organization = make.organization(settings)
    client = Client(create_app(settings), organization)

    async def walk() -> list[str]:
        first, _ = await _walk([client], {})
        starts = range(1, 51, 10)
        pages = [await client("GET", "/Users", query={"startIndex": start, "count": 10}) for start in starts]
        again = [one["id"] for page in pages for one in page.json()["Resources"]]
        assert set(again) <= set(first)
        return again

    again = asyncio.run(walk())
    assert (len(again), len(set(again))) == (50, 50)


@pytest.mark.rfc("index")
@pytest.mark.parametrize("query", [{}, {"sortBy": "userName", "sortOrder": "descending"}], ids=["plain", "sorted"])
def test_walks_side_by_side_with_one_token_miss_nobody_who_stays(folder: Path, query: dict[str, str]) -> None:
    settings = make.settings(folder)
    organization = make.organization(settings)
    client = Client(create_app(settings), organization)
    met, stayed = asyncio.run(_side_by_side(client, query))
    assert len(stayed) == 60 - 3 * 6
    assert [sorted(stayed - one) for one in met] == [[], [], []]


async def _side_by_side(client: Client, query: dict[str, str]) -> tuple[list[set[str]], set[str]]:
    """Three walks that take their pages in changing turns, while every other one of those who come first leaves."""
    made = [(await client("POST", "/Users", make.user(f"u{n:02}@example.com"))).json()["id"] for n in range(60)]
    down, gone = "sortBy" in query, set[str]()
    leaving = iter((made[::-1] if down else made)[::2])
    met: list[list[str]] = [[], [], []]
    for turns in ((0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (1, 0, 2), (2, 1, 0), (0, 1, 2), (1, 2, 0)):
        for turn in turns:
            asked = {**query, "startIndex": len(met[turn]) + 1, "count": 10}
            page = (await client("GET", "/Users", query=asked)).json()
            met[turn] += [one["id"] for one in page.get("Resources", [])]
            for _ in range(2 if len(gone) < 18 else 0):
                one = next(leaving)
                assert (await client("DELETE", f"/Users/{one}")).status == 204
                gone.add(one)
    return [set(one) for one in met], set(made) - gone
