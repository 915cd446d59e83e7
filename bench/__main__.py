"""`make bench`: our throughput and CPU beside the floor's, in interleaved rounds, and how cost grows.

Writes what it finds, with the machine, to `bench/RESULTS.md`. Ratios and CPU time per request are what counts: a shared
machine makes requests per second jump.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

import load
import make
import scenarios
from load import Figures

BIN = Path(sys.executable).parent
Table = dict[str, dict[str, list[Figures]]]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    process: psutil.Process
    port: int


@contextmanager
def running(command: list[str], env: dict[str, str], port: int, health: str) -> Generator[Server]:
    """Run a server pinned to one core until the end of the block."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        make.until(lambda: make.answers(f"http://127.0.0.1:{port}{health}"), what="the server's start")
        server = psutil.Process(process.pid)
        load.pin(server, 0)
        yield Server(server, port)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def ours(home: Path) -> Generator[tuple[Server, make.Organization]]:
    """Our service with an organization, without a limit of rate."""
    organization = make.organization(make.settings(home))
    port = make.free_port()
    env = make.environment(home, DAGSTER_SCIM_RATE_LIMIT="0")
    with running([str(BIN / "dagster-scim"), "serve", "--port", str(port)], env, port, "/healthz") as server:
        yield server, organization


@contextmanager
def floor(url: str) -> Generator[Server]:
    """The floor."""
    port = make.free_port()
    command = [sys.executable, "-m", "uvicorn", "floor:app", "--app-dir", str(ROOT / "bench"), "--port", str(port)]
    quiet = ["--no-access-log", "--log-level", "warning"]
    env = {**os.environ, "FLOOR_URL": url}
    with running([*command, *quiet], env, port, "/plain") as server:
        yield server


def compare(home: Path, floor_url: str, users: int, rounds: int, seconds: float) -> Table:
    """Return the figures of every scenario, ours and the floor's, round by round."""
    found: Table = defaultdict(lambda: defaultdict(list))
    with ours(home) as (server, organization), floor(floor_url) as base:
        directory = scenarios.Directory(organization, server.port)
        directory.seed(users)
        directory.seed_floor(base.port)
        for number in range(rounds):
            for name, (mine, theirs) in directory.scenarios().items():
                pair: list[tuple[str, Callable[[], Figures]]] = [
                    (
                        "ours",
                        lambda ask=mine: load.run(server.process, server.port, organization.token, ask, seconds, 8),
                    ),
                    ("floor", lambda ask=theirs: load.run(base.process, base.port, "", ask, seconds, 8)),
                ]
                for who, measure in pair if number % 2 else reversed(pair):
                    found[name][who].append(measure())
    return found


def growth(sizes: list[int], seconds: float) -> list[str]:
    """Return rows of a table: CPU per request by the size of the directory."""
    rows: list[str] = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, ours(Path(folder)) as (server, organization):
            directory = scenarios.Directory(organization, server.port)
            directory.seed_directly(size)
            cells = [
                load.run(server.process, server.port, organization.token, mine, seconds, 8).cpu_ms
                for mine, _ in directory.scenarios().values()
            ]
            rows.append(f"| {size:,} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")
    return rows


def report(tables: dict[str, Table]) -> list[str]:
    """Return the tables of ratios as lines of Markdown."""
    lines: list[str] = []
    for title, table in tables.items():
        lines += [f"## {title}", "", "| request | floor | ours | share of the floor | CPU ms: floor | ours | p99 ms |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for name, figures in table.items():
            pairs = list(zip(figures["ours"], figures["floor"], strict=True))
            share = statistics.median(mine.per_second / base.per_second for mine, base in pairs)
            mine, base = (_median(figures[who]) for who in ("ours", "floor"))
            lines.append(
                f"| {name} | {base.per_second:,.0f}/s | {mine.per_second:,.0f}/s | {share:.2f} "
                f"| {base.cpu_ms:.2f} | {mine.cpu_ms:.2f} | {mine.p99_ms:.1f} |"
            )
        lines.append("")
    return lines


def _median(figures: list[Figures]) -> Figures:
    return Figures(*(statistics.median(getattr(one, name) for one in figures) for name in Figures.__slots__))


def machine() -> str:
    """Return what the figures were measured on."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    memory = psutil.virtual_memory().total // 2**30
    return f"{model}, {os.cpu_count()} cores, {memory} GiB, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    """Measure and write `bench/RESULTS.md`."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument(
        "--sizes", type=lambda text: [int(one) for one in text.split(",") if one], default=[1_000, 10_000, 100_000]
    )
    asked = parser.parse_args()
    lines = ["# Results", "", f"{time.strftime('%Y-%m-%d')}: {machine()}; load average {os.getloadavg()[0]:.1f}.", ""]
    lines += [
        f"{asked.users:,} users, one worker, 8 connections, {asked.rounds} rounds of {asked.seconds:g} s; medians.",
        "",
    ]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        (folder / "home").mkdir()
        sqlite = compare(folder / "home", str(folder / "floor.sqlite3"), asked.users, asked.rounds, asked.seconds)
        lines += report({"SQLite": sqlite})
        lines += report({"PostgreSQL": _on_postgres(stack, folder, asked)})
    if asked.sizes:
        names = " | ".join(scenarios.NAMES)
        lines += [
            "## Growth",
            "",
            f"CPU ms per request on SQLite by users.\n\n| users | {names} |",
            "|---" * (len(scenarios.NAMES) + 1) + "|",
        ]
        lines += growth(asked.sizes, asked.seconds)
    (ROOT / "bench" / "RESULTS.md").write_text("\n".join([*lines, ""]))
    print("\n".join(lines))


def _on_postgres(stack: ExitStack, folder: Path, asked: argparse.Namespace) -> Table:
    import postgres

    server = stack.enter_context(postgres.server())
    urls = [stack.enter_context(postgres.database(server, name)) for name in ("bench_ours", "bench_floor")]
    home = folder / "postgres"
    home.mkdir()
    make.DATABASE_URLS[home] = urls[0]
    floor_url = urls[1].replace("postgresql+psycopg", "postgresql")
    return compare(home, floor_url, asked.users, asked.rounds, asked.seconds)


if __name__ == "__main__":
    main()
