"""A walk by index while people leave: nobody who stays is missed, nobody is met twice."""

import asyncio
from pathlib import Path

import make
from asgi import Client

from scim_app.app import create_app


async def _walk(client: Client) -> tuple[list[str], set[str]]:
    """Walk over sixty users while ten of them leave; return who was met, and who stayed."""
    made = [(await client("POST", "/Users", make.user(f"u{n}@example.com"))).json()["id"] for n in range(60)]
    leaving, gone, met = iter(made[::6]), set[str](), list[str]()
    for _ in made:
        page = await client("GET", "/Users", query={"startIndex": len(met) + 1, "count": 10})
        found = page.json().get("Resources", [])
        met += [one["id"] for one in found]
        if not found:
            break
        for _ in range(2):
            if (one := next(leaving, None)) is not None:
                assert (await client("DELETE", f"/Users/{one}")).status == 204
                gone.add(one)
    return met, set(made) - gone


def test_a_walk_by_index_meets_everyone_who_stays_exactly_once(folder: Path) -> None:
    settings = make.settings(folder)
    client = Client(organization=make.organization(settings), app=create_app(settings))
    met, stayed = asyncio.run(_walk(client))
    assert len(stayed) == 50
    assert len(met) == len(set(met))
    assert stayed <= set(met)
