"""Bursts of page loads with pauses in which the web framework ends its threads: nothing of the store ends with them.

By default in this process, where threads end without a pause; with `--full` 10,000 loads of a real service.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import make
import open_connections
import pytest
from anyio._backends._asyncio import WorkerThread

from scim_app.admin.site import Site
from scim_app.app import create_app
from scim_app.directory.permissions import SCOPES
from scim_app.store.access import organizations
from scim_app.store.access.acting import Acting
from scim_app.store.credentials import api_keys
from scim_app.store.credentials.sessions import SessionKind, start
from scim_app.store.log.session import GLANCES, NOTES, READS, Store

MOST = READS + GLANCES + NOTES + 2
"""Most connections of a service: those of the pools, the writer's and that of short writes."""
PAGES = ("users", "teams", "roles", "audit", "provisioning", "reviews")
READY = ("/readyz", dict[str, str]())
ADDRESS = "http://127.0.0.1:8000"
PAUSE = WorkerThread.MAX_IDLE_TIME + 2
"""Seconds after which the threads of a burst are ended."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many loads there are, how many at once, and the pause between two bursts in seconds."""

    loads: int
    burst: tuple[int, int]
    pause: float


SMALL, FULL = Sizes(600, (6, 60), 0), Sizes(10_000, (6, 100), PAUSE)


Ask = tuple[str, dict[str, str]]
"""A path, and the headers that go with it."""


def asks_of(made: make.Organization) -> list[Ask]:
    """What a signed-in person, a program with a key, an identity provider and a load balancer ask for."""
    store = Store(made.settings.store_url)
    try:
        desk = Acting(store, store.read(lambda db: organizations.by_slug(db, made.slug)), make.ACTOR)
        secret = desk.write(start, SessionKind.BREAK_GLASS, user_id=None, name="burst")
        _, key = desk.write(api_keys.create, SCOPES, pepper=made.settings.read_pepper())
        browser = {"Cookie": f"{Site.of(store, made.settings).cookie(f'session_{made.slug}')}={secret}"}
    finally:
        store.close()
    return [
        *((f"/{made.slug}/settings/{page}", browser) for page in PAGES),
        (f"/{made.slug}/api/users", {"Authorization": f"Bearer {key}"}),
        (f"/{made.slug}/scim/v2/Users?count=1", {"Authorization": f"Bearer {made.token}"}),
        READY,
    ]


async def load(client: httpx.AsyncClient, asks: list[Ask], sizes: Sizes, count: Callable[[], int]) -> Counter[str]:
    """Load in bursts; return how often each answer came back, and see that few connections are open all the time."""
    chance, answers = random.Random(1), Counter[str]()

    async def get(path: str, headers: dict[str, str]) -> None:
        answer = await client.get(path, headers=headers)
        answers["200" if answer.status_code == 200 else f"{path}: {answer.status_code} {answer.text[:200]}"] += 1

    while answers.total() < sizes.loads:
        burst = range(chance.randint(*sizes.burst))
        await asyncio.gather(*(get(*asks[number % len(asks)]) for number in burst))
        assert await asyncio.to_thread(count) <= MOST
        await asyncio.sleep(sizes.pause)
        await get(*READY)
    return answers


async def load_here(folder: Path, asks: list[Ask], count: Callable[[], int]) -> Counter[str]:
    """Load from the application in this process."""
    app = create_app(make.settings(folder))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        return await load(client, asks, SMALL, count)


async def load_there(address: str, asks: list[Ask], count: Callable[[], int]) -> Counter[str]:
    """Load from a service."""
    alone = httpx.Limits(max_keepalive_connections=0)  # the service closes connections that are idle in a pause
    async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60, limits=alone) as client:
        return await load(client, asks, FULL, count)


def test_any_number_of_bursts_is_answered(
    folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make.organization(make.settings(folder))
    asks, url = asks_of(made), made.settings.store_url
    if request.config.getoption("--full"):
        with make.service(folder) as service:
            child = service.process.pid
            answers = asyncio.run(load_there(service.address, asks, lambda: open_connections.count(url, child)))
    else:
        monkeypatch.setattr(WorkerThread, "MAX_IDLE_TIME", 0)
        answers = asyncio.run(load_here(folder, asks, lambda: open_connections.count(url)))
    assert set(answers) == {"200"}
