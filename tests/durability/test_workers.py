"""Four workers on one store: one winner, no lost member, and a walk that misses nobody, on both databases."""

import itertools
import random
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import make
import psutil
import pytest
from make import Organization, Service

WORKERS = 4
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many requests each test sends."""

    duplicates: int
    member_changes: int
    walked: int


SMALL, FULL = Sizes(100, 160, 300), Sizes(1_000, 5_000, 20_000)


@pytest.fixture
def sizes(request: pytest.FixtureRequest) -> Sizes:
    """Small ones, and the full ones with `--full`."""
    return FULL if request.config.getoption("--full") else SMALL


@pytest.fixture(scope="module")
def workers(home: Path) -> Generator[Service]:
    """A service of four processes."""
    make.organization(make.settings(home), "workers")
    with make.service(home, workers=WORKERS) as running:
        yield running


@pytest.fixture
def crowd(workers: Service, organization: Organization) -> Generator[list[httpx.Client]]:
    """Clients of an organization, each with connections of its own."""
    clients = [organization.client(workers.address) for _ in range(AT_ONCE)]
    yield clients
    for client in clients:
        client.close()


def test_of_many_posts_of_one_user_name_exactly_one_is_created(crowd: list[httpx.Client], sizes: Sizes) -> None:
    spellings = ["ada@example.com", "ADA@example.com", "Ada@Example.com"]

    def post(number: int) -> int:
        body = make.user(spellings[number % 3])
        return crowd[number % AT_ONCE].post("/Users", json=body).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert Counter(pool.map(post, range(sizes.duplicates))) == {201: 1, 409: sizes.duplicates - 1}


def test_parallel_member_changes_end_as_the_set_that_they_make(
    crowd: list[httpx.Client], organization: Organization, sizes: Sizes
) -> None:
    team = crowd[0].post("/Groups", json=make.group("Everyone")).json()["id"]
    chosen = random.Random(1)
    # Each client changes members of its own, so that the end is known whatever the order.
    each = range(sizes.member_changes // AT_ONCE)
    plans = [[(chosen.random() < 0.6, f"m{one}-{chosen.randrange(8)}") for _ in each] for one in range(AT_ONCE)]

    def change(client: int) -> set[str]:
        mine: set[str] = set()
        for adding, member in plans[client]:
            operation = {"op": "add" if adding else "remove", "path": "members", "value": [{"value": member}]}
            answer = crowd[client].patch(f"/Groups/{team}", json=make.patch(operation))
            assert answer.status_code in (200, 204), answer.text
            mine = mine | {member} if adding else mine - {member}
        return mine

    with ThreadPoolExecutor(AT_ONCE) as pool:
        expected = set().union(*pool.map(change, range(AT_ONCE)))
    held = crowd[0].get(f"/Groups/{team}").json().get("members", [])
    assert sorted(member["value"] for member in held) == sorted(expected)
    with organization.export() as export:
        assert export.first_break(organization.id) is None
        assert export.unexplained(organization.id) == []


@pytest.mark.rfc("index", "cursor-stable")
def test_walks_under_churn_miss_nobody_who_stays_and_meet_nobody_twice(crowd: list[httpx.Client], sizes: Sizes) -> None:
    def post(number: int) -> str:
        return crowd[number % AT_ONCE].post("/Users", json=make.user(f"u{number}@example.com")).json()["id"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        made = list(pool.map(post, range(sizes.walked)))
    leaving = made[::7]
    half = len(leaving) // 2
    for by_cursor, gone in ((True, leaving[:half]), (False, leaving[half:])):
        met = _walk(crowd, iter(gone), by_cursor=by_cursor)
        assert len(met) == len(set(met))
        assert set(made) - set(leaving) <= set(met)


def _walk(crowd: list[httpx.Client], leaving: Iterator[str], *, by_cursor: bool) -> list[str]:
    """Walk from client to client, each on a connection and so a worker of its own, while others leave and come."""
    met: list[str] = []
    asked: dict[str, object] = {"count": 50, "cursor": ""} if by_cursor else {"count": 50, "startIndex": 1}
    for walker in itertools.cycle(crowd):
        page = walker.get("/Users", params=asked).json()
        met += [one["id"] for one in page.get("Resources", [])]
        for _ in range(10):
            if (one := next(leaving, None)) is not None:
                assert crowd[1].delete(f"/Users/{one}").status_code == 204
                assert crowd[2].post("/Users", json=make.user(f"after-{one}@example.com")).status_code == 201
        if ("nextCursor" not in page) if by_cursor else (len(met) >= page["totalResults"]):
            return met
        asked |= {"cursor": page["nextCursor"]} if by_cursor else {"startIndex": len(met) + 1}
    raise AssertionError("a crowd is never empty")


def _figures(workers: Service) -> dict[str, float]:
    """The figures of whichever worker answers a new connection."""
    lines = httpx.get(f"{workers.address}/metrics", trust_env=False).text.splitlines()
    told = [line.rpartition(" ") for line in lines if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in told}


def test_every_worker_tells_the_figures_of_all_also_of_one_that_is_gone(
    crowd: list[httpx.Client], workers: Service
) -> None:
    name = 'scim_requests_total{method="GET",route="/Groups",status="2xx"}'
    before = _figures(workers)
    for client in crowd:
        assert client.get("/Groups").status_code == 200
        assert client.post("/Users", json=make.user(f"{id(client)}@example.com")).status_code == 201
    for _ in range(WORKERS * 3):
        after = _figures(workers)
        assert after[name] - before.get(name, 0) == AT_ONCE
        assert after["scim_writer_writes"] - before["scim_writer_writes"] >= AT_ONCE
        assert after["scim_writer_queue_depth"] >= 0
    gone = psutil.Process(workers.process.pid).children(recursive=True)
    served = [one for one in gone if "spawn_main" in " ".join(one.cmdline())]
    assert len(served) == WORKERS
    served[0].kill()
    make.until(lambda: not served[0].is_running(), what="the end of a worker")
    make.until(lambda: make.answers(f"{workers.address}/readyz"), what="the others")
    assert _figures(workers)[name] == after[name]
