"""`python bench/reports.py [USERS …]`: `dbt build` over warehouses of so many users and a year of their events.

Each warehouse is filled by SQL (`year.sql`) in the form in which the code location leaves it, with a cut for each day.
`dbt build` then makes all models and runs all data tests in processes of its own, which are watched: wall and CPU
seconds, and the peak resident memory of all of them together. What was measured goes to `bench/results/reports.md`.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psutil
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.marts import DATA_TESTS, make_sources

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "dbt_like_reports"
RESULTS = ROOT / "bench" / "results" / "reports.md"
MOST_NODES = 12
"""Models and tests of the second table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one size cost; memory in MiB."""

    users: int
    events: int
    filled: float
    wall: float
    cpu: float
    peak: float
    size: float
    nodes: dict[str, float]
    """Seconds of each model and test."""


def fill(path: Path, users: int) -> int:
    """Make the warehouse and return its number of events."""
    make_sources(DuckDBResource(database=str(path)))
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute("SET memory_limit = '4GB'")
        warehouse.execute(f"SET VARIABLE users = {users}")
        warehouse.execute((Path(__file__).with_name("year.sql")).read_text())
        return warehouse.execute("SELECT count(*) FROM identity.provisioning_events").fetchall()[0][0]


def build(path: Path, folder: Path, limit: str) -> tuple[float, float, float]:
    """Run `dbt build` and return its wall seconds, its CPU seconds and the peak of its memory in MiB."""
    command = [str(Path(sys.executable).with_name("dbt")), "build", *DATA_TESTS, "--project-dir", str(PROJECT)]
    told = ["--profiles-dir", str(PROJECT), "--target-path", str(folder), "--vars"]
    variables = json.dumps({"warehouse": str(path), "memory_limit": limit})
    began, before, peak = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN), 0
    out = folder.with_suffix(".out")
    with out.open("wb") as log:
        process = subprocess.Popen([*command, *told, variables], stdout=log, stderr=log)
    while process.poll() is None:
        peak = max(peak, _resident(process.pid))
        time.sleep(0.05)
    if process.returncode:
        sys.exit(out.read_text()[-3000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu, peak / 2**20


def _resident(pid: int) -> int:
    try:
        one = psutil.Process(pid)
        return sum(each.memory_info().rss for each in (one, *one.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def measure(users: int, limit: str) -> Measured:
    """Fill a warehouse and build over it."""
    with tempfile.TemporaryDirectory() as home:
        path, target, began = Path(home) / "warehouse.duckdb", Path(home) / "target", time.monotonic()
        events, filled = fill(path, users), time.monotonic() - began
        wall, cpu, peak = build(path, target, limit)
        results: list[dict[str, Any]] = json.loads((target / "run_results.json").read_bytes())["results"]
        nodes = {one["unique_id"]: one["execution_time"] for one in results}
        size = path.stat().st_size / 2**20
    return Measured(users=users, events=events, filled=filled, wall=wall, cpu=cpu, peak=peak, size=size, nodes=nodes)


def page(found: Sequence[Measured], limit: str) -> str:
    """Return the page of results: what each size cost, and which models and tests that went to."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    rows = [
        f"| {one.users:,} | {one.events:,} | {one.filled:.0f} | {one.wall:.0f} | {one.cpu:.0f} "
        f"| {1e6 * one.cpu / one.users:.0f} | {one.peak:,.0f} | {one.size:,.0f} |"
        for one in found
    ]
    last = found[-1].nodes
    heavy = sorted(last, key=lambda name: -last[name])[:MOST_NODES]
    parts = [f"| `{_short(name)}` | " + " | ".join(f"{one.nodes[name]:.1f}" for one in found) + " |" for name in heavy]
    return "\n".join(
        [
            "# The reports as the directory grows",
            "",
            f"`python bench/reports.py`, {datetime.now(UTC):%d %B %Y}: Python {platform.python_version()}, DuckDB "
            f"{duckdb.__version__} limited to {limit}, {os.cpu_count()} cores shared with other programs (load {load} at "
            "the end), so CPU seconds say more than wall seconds. A year of events, a cut for each day, one access review "
            "of everybody; `dbt build` makes every model and runs every data test.",
            "",
            "| users | events | fill s | wall s | CPU s | CPU µs a user | peak MiB (all processes) | warehouse MiB |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"The {MOST_NODES} models and tests that take longest, seconds of wall clock (several run at a time):",
            "",
            "| model or test | " + " | ".join(f"{one.users:,} users" for one in found) + " |",
            "|---" * (len(found) + 1) + "|",
            *parts,
            "",
        ]
    )


def _short(unique_id: str) -> str:
    kind, _, name, *_ = unique_id.split(".")
    return name if kind == "model" else f"{kind} {name[:64]}"


def main() -> None:
    """Measure each size, print the page and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("users", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--memory-limit", default="4GB", help="DuckDB's own limit")
    parser.add_argument("--keep", type=Path, default=RESULTS, help="file for the page")
    asked = parser.parse_args()
    found = [measure(users, asked.memory_limit) for users in asked.users]
    asked.keep.write_text(page(found, asked.memory_limit))
    print(asked.keep.read_text())


if __name__ == "__main__":
    main()
