"""How cost grows: with the directory, from a thousand users to a million, and with the group."""

import time
from collections.abc import Iterator
from statistics import median

import load
import orjson
import servers
from make import Organization
from scenarios import Directory, members
from servers import Server

SIZES = (1_000, 10_000, 100_000, 1_000_000)
TEAMS = (10, 1_000, 10_000, 100_000)
WALK_GOAL = 60


def directory(organization: Organization, sizes: list[int], seconds: float) -> list[str]:
    """Return lines on CPU by users, the memory of a worker, a walk of everybody by cursor, and groups."""
    asked, lines = Directory(organization), ["## Growth of the directory", ""]
    lines += [
        "CPU ms per request on SQLite, one worker, 8 connections. Goal: at a million at most 1.3 × a thousand.",
        "",
    ]
    rows: list[list[float]] = []
    for number, size in enumerate(sizes):
        began = time.perf_counter()
        asked.seed(size)
        seeded = time.perf_counter() - began
        print(f"seeded to {size:,} users in {seeded:.0f} s", flush=True)
        with servers.ours(organization) as server:
            asked.team(server.port, min(size, 1_000), f"Team at {size}")
            growing = {name: one for name, one in asked.scenarios().items() if one.grows}
            if number == 0:
                lines += [f"| users | {' | '.join(growing)} | worker, MiB |", "|---" * (len(growing) + 2) + "|"]
            _round(server, organization, growing.values(), 0.2)  # what only the first request pays
            rows.append(_round(server, organization, growing.values(), seconds))
            cells = [f"{one:.2f}" for one in rows[-1]]
            lines.append(f"| {size:,} | {' | '.join(cells)} | {server.resident:.0f} |")
            print(lines[-1], flush=True)
            last = (
                [*_walk(server, organization, asked), *groups(server, organization, asked)] if size == sizes[-1] else []
            )
    ratio = [f"{last_one / first:.2f} ×" for first, last_one in zip(rows[0], rows[-1], strict=True)]
    return [*lines, f"| last by first | {' | '.join(ratio)} | goal ≤ 200 |", "", *last]


def _round(server: Server, organization: Organization, asked: Iterator, seconds: float) -> list[float]:  # type: ignore[type-arg]
    return [
        load.run(server.process, server.port, organization.token, one.ours, seconds, one.at_once).cpu_ms
        for one in asked
    ]


def _walk(server: Server, organization: Organization, asked: Directory) -> list[str]:
    """Walk everybody by cursor and tell how long it took."""
    met, cursor, began, cpu = 0, "", time.perf_counter(), load.cpu_seconds(server.process)
    while cursor is not None:
        path = f"{asked.base}/Users?count=200&cursor={cursor}"
        body, _ = load.send(server.port, organization.token, ("GET", path, None))
        page = orjson.loads(body)
        met, cursor = met + len(page["Resources"]), page.get("nextCursor")
    took, spent = time.perf_counter() - began, load.cpu_seconds(server.process) - cpu
    assert met >= len(asked.ids), f"the walk met {met:,} of {len(asked.ids):,}"
    line = f"A walk of all {met:,} users by cursor, 200 a page, took {took:.0f} s ({spent:.0f} s of CPU; goal "
    return [f"{line}{WALK_GOAL} s for a million). The worker then had {server.resident:.0f} MiB.", ""]


def groups(server: Server, organization: Organization, asked: Directory) -> list[str]:
    """Return lines on what groups of many sizes cost."""
    lines = ["## Growth of the group", ""]
    lines += ["| members | made in one POST, s | others' p99 meanwhile, ms | one member more or less, CPU ms "]
    lines[-1] += "| without members, CPU ms | whole, ms | whole, MiB more |"
    lines += ["|---|---|---|---|---|---|---|"]
    for size in (one for one in TEAMS if one <= len(asked.ids)):
        lines.append(_group(server, organization, asked, size))
    goals = "Goals for 100,000 members: made within 2.5 s, others' p99 ≤ 50 ms, whole ≤ 60 ms and ≤ 60 MiB more."
    bulk = load.run(server.process, server.port, organization.token, asked.bulk, 3, 1)
    told = f"Bulk requests of 100 new users, one after the other: {bulk.per_second * 100:,.0f} users/s, "
    return [*lines, "", goals, "", f"{told}{bulk.cpu_ms / 100:.2f} ms of CPU each (goal 3,000 users/s).", ""]


def _group(server: Server, organization: Organization, asked: Directory, size: int) -> str:
    port, token, process = server.port, organization.token, server.process
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": f"Of {size}"}
    push = orjson.dumps({**body, "members": [{"value": one} for one in asked.ids[:size]]})
    made, others = load.meanwhile(process, port, token, asked.get, ("POST", f"{asked.base}/Groups", push), 2)
    query = "filter=displayName%20eq%20%22Of%20" + f"{size}%22&excludedAttributes=members"
    found, _ = load.send(port, token, ("GET", f"{asked.base}/Groups?{query}", None))
    path = f"{asked.base}/Groups/{orjson.loads(found)['Resources'][0]['id']}"
    spare = asked.ids[size - 1]  # one of them: no group has more than the largest
    change = load.run(
        process, port, token, lambda n: ("PATCH", path, members("add" if n % 2 else "remove", spare)), 1, 8
    )
    bare = load.run(process, port, token, lambda _: ("GET", f"{path}?excludedAttributes=members", None), 1, 8)
    before = server.resident
    whole = median(load.send(port, token, ("GET", path, None))[1] for _ in range(7)) * 1000
    more = max(0.0, server.resident - before)
    cells = [made, others.p99_ms, change.cpu_ms, bare.cpu_ms, whole, more]
    return f"| {size:,} | {' | '.join(f'{one:,.2f}' for one in cells)} |"
