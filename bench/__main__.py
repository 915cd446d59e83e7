"""`make bench`: our throughput and CPU beside the floor's, in interleaved rounds, and how cost grows.

Writes what it finds, with the machine, to `bench/RESULTS.md`. Shares of the floor and CPU time per request are what
counts: a shared machine makes requests per second jump. `--short` measures less of everything.
"""

import argparse
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import growth
import load
import make
import orjson
import postgres
import scenarios
import servers
from load import Figures
from scenarios import Scenario

Table = dict[str, dict[str, list[Figures]]]
PEERS = ROOT / "bench" / "results" / "peers.md"
FLOOR = {
    "floor": "name VARCHAR(64) PRIMARY KEY, document TEXT NOT NULL",
    "members": "team VARCHAR(64), member VARCHAR(64), PRIMARY KEY (team, member)",
}


def seed_floor(url: str, users: int) -> None:
    """Give the floor as many rows."""
    if url.startswith("postgres"):
        import psycopg

        database, mark = psycopg.connect(url), "%s"
    else:
        database, mark = sqlite3.connect(url), "?"
    cursor = database.cursor()
    for table, columns in FLOOR.items():
        cursor.execute(f"CREATE TABLE {table} ({columns})")
    made = {"id": "0" * 36, "meta": dict.fromkeys(("created", "lastModified", "version"), "0" * 27)}
    people = [(scenarios.name_of(n), orjson.dumps({**made, **scenarios.person(n)}).decode()) for n in range(users)]
    cursor.executemany(f"INSERT INTO floor VALUES ({mark}, {mark})", people)
    everybody = [("team", scenarios.name_of(number)) for number in range(min(users, scenarios.TEAM))]
    cursor.executemany(f"INSERT INTO members VALUES ({mark}, {mark})", everybody)
    database.commit()
    database.close()


def measure(server: servers.Server, token: str, ask: load.Ask, seconds: float, at_once: int) -> Figures:
    """Return the figures of one round."""
    return load.run(server.process, server.port, token, ask, seconds, at_once)


def compare(home: Path, floor_url: str, asked: argparse.Namespace) -> tuple[Table, dict[str, Scenario], float]:
    """Return the figures of every scenario, ours and the floor's, round by round; and a worker's memory at the end."""
    found: Table = defaultdict(lambda: defaultdict(list))
    organization = make.organization(make.settings(home))
    directory = scenarios.Directory(organization)
    directory.seed(asked.users)
    seed_floor(floor_url, asked.users)
    with servers.ours(organization) as server, servers.floor(floor_url) as base:
        directory.team(server.port, scenarios.TEAM)
        table = directory.scenarios()
        for number in range(asked.rounds + 1):
            for name, one in table.items():
                seconds = asked.seconds if number else 0.3
                pair = [
                    ("ours", partial(measure, server, organization.token, one.ours, seconds, one.at_once)),
                    ("floor", partial(measure, base, "floor", one.floor, seconds, one.at_once)),
                ]
                for who, one_round in pair if number % 2 else reversed(pair):
                    figures = one_round()
                    if number:  # the first round is short and warms up
                        found[name][who].append(figures)
            print(f"round {number} of {asked.rounds}", flush=True)
        return found, table, server.resident


def report(title: str, found: Table, table: dict[str, Scenario], resident: float) -> list[str]:
    """Return the table of shares as lines of Markdown."""
    lines = [
        f"## {title}",
        "",
        "| request | floor | ours | share of the floor | goal | | CPU ms: floor | ours | share by CPU | p99 ms |",
    ]
    lines += ["|---" * 10 + "|"]
    for name, figures in found.items():
        pairs = list(zip(figures["ours"], figures["floor"], strict=True))
        share = median(mine.per_second / base.per_second for mine, base in pairs)
        by_cpu = median(base.cpu_ms / mine.cpu_ms for mine, base in pairs)
        mine, base = (_median(figures[who]) for who in ("ours", "floor"))
        met = "met" if share >= table[name].goal else "**not met**"
        lines.append(
            f"| {name} | {base.per_second:,.0f}/s | {mine.per_second:,.0f}/s | {share:.2f} | {table[name].goal} | {met} "
            f"| {base.cpu_ms:.2f} | {mine.cpu_ms:.2f} | {by_cpu:.2f} | {mine.p99_ms:.1f} |"
        )
    return [*lines, "", f"A worker had {resident:.0f} MiB at the end.", ""]


def _median(figures: list[Figures]) -> Figures:
    return Figures(*(median(getattr(one, name) for one in figures) for name in Figures.__slots__))


def machine() -> str:
    """Return what the figures were measured on."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    memory = psutil.virtual_memory().total // 2**30
    return f"{model}, {os.cpu_count()} cores, {memory} GiB, {platform.system()}, Python {platform.python_version()}"


def on_postgres(folder: Path, asked: argparse.Namespace) -> list[str]:
    """Return the table of PostgreSQL, and what a second worker adds."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres.server())
        urls = [stack.enter_context(postgres.database(server, name)) for name in ("ours", "floor", "workers")]
        homes = [folder / name for name in ("postgres", "workers")]
        for home, url in zip(homes, (urls[0], urls[2]), strict=True):
            home.mkdir()
            make.DATABASE_URLS[home] = url
        floor_url = urls[1].replace("postgresql+psycopg", "postgresql")
        return report("PostgreSQL", *compare(homes[0], floor_url, asked)) + workers(homes[1], asked)


def workers(home: Path, asked: argparse.Namespace) -> list[str]:
    """Return how much more two workers serve than one, in interleaved rounds."""
    organization = make.organization(make.settings(home))
    directory = scenarios.Directory(organization)
    directory.seed(1_000)
    found: dict[int, list[float]] = {1: [], 2: []}
    for number in range(asked.rounds):
        for count in (1, 2) if number % 2 else (2, 1):
            with servers.ours(organization, count) as server:
                load.run(server.process, server.port, organization.token, directory.get, 0.5, 16)
                figures = load.run(server.process, server.port, organization.token, directory.get, asked.seconds, 16)
                found[count].append(figures.per_second)
    one, two = (median(found[count]) for count in (1, 2))
    told = f"Two workers on PostgreSQL: {two:,.0f} reads/s, one: {one:,.0f}/s, {two / one:.2f} × (goal 1.6 ×). "
    return [f"{told}The database and the client had the same {os.cpu_count()} cores.", ""]


def main() -> None:
    """Measure and write `bench/RESULTS.md`."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument(
        "--sizes", type=lambda text: [int(one) for one in text.split(",") if one], default=list(growth.SIZES)
    )
    parser.add_argument("--short", action="store_true", help="3 rounds of a second, and no more than 100,000 users")
    asked = parser.parse_args()
    if asked.short:
        asked.rounds, asked.seconds, asked.sizes = 3, 1.0, [size for size in asked.sizes if size <= 100_000]
    began = time.perf_counter()
    lines = [
        f"{asked.users:,} users, one worker, 8 connections, {asked.rounds} rounds of {asked.seconds:g} s; medians.",
        "",
    ]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "home").mkdir()
        lines += report("SQLite", *compare(folder / "home", str(folder / "floor.sqlite3"), asked))
        lines += on_postgres(folder, asked)
        if asked.sizes:
            (folder / "growth").mkdir()
            lines += growth.directory(make.organization(make.settings(folder / "growth")), asked.sizes, asked.seconds)
    took = f"measured in {(time.perf_counter() - began) / 60:.0f} minutes"
    head = f"{time.strftime('%Y-%m-%d')}: {machine()}; load average {os.getloadavg()[0]:.1f}; {took}."
    peers = ["", PEERS.read_text().rstrip()] if PEERS.exists() else []
    (ROOT / "bench" / "RESULTS.md").write_text("\n".join(["# Results", "", head, "", *lines, *peers, ""]))
    print("\n".join([head, "", *lines]))


if __name__ == "__main__":
    main()
