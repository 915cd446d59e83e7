"""Catching up under fire: `python bench/catchup.py [--events N] [--kills N] [--limit SECONDS] [--seed N] [--write]`.

A made-up year of events waits when the daemon starts. While it catches up the daemon is killed (`kill -9`), by turns
alone and with its code server and runs, each time in the midst of its work: once it has caught up, more people come and
go before it starts again. In the end each `(org, seq)` of the log must be in the warehouse exactly once,
every leaver and every refused write of the log must have been told, and none twice, unless a kill fell between sending
and noting: then the message was the last one before that kill.
"""

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from inboxes import inboxes
from make import environment
from people import fill, go_on, last_event, log, wanted

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "catchup.md"
BUSY_SECONDS, AT_WORK_SECONDS = 90.0, 12.0
"""How long a daemon has to make, begin or end a run before it is killed, and how long it may go on at most then."""
SETTLED_SECONDS = 0.5
"""What a killed sender had sent is in the inbox by then."""


@dataclass
class Fire:
    """What happened: messages of the webhook, each with its findings, and how many there were around each kill."""

    home: Path
    messages: list[str]
    began: float = field(default_factory=time.monotonic)
    kills: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    @property
    def told(self) -> list[list[str]]:
        """Keys of the findings that each message opened."""
        return [[k.removeprefix("opened ") for k in m.split("\n") if k.startswith("opened ")] for m in self.messages]

    @property
    def runs(self) -> str:
        """How many runs there are, by status."""
        states = f"{self.home}/dagster/history/runs.db"
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{states}?mode=ro", uri=True)) as connection:
            query = "SELECT status, count(*) FROM runs WHERE pipeline_name = 'provisioning' GROUP BY 1 ORDER BY 1"
            return ", ".join(f"{count} {state.lower()}" for state, count in connection.execute(query))
        return ""

    def is_done(self) -> bool:
        """Whether every asset has taken in all there is; not while a run is writing."""
        marks = _marks(self.home)
        return bool(marks) and min(marks.values()) >= last_event(self.home)

    def work(self, seconds: float) -> None:
        """Let the daemon make, begin or end a run, and then go on for some seconds."""
        before, deadline = self.runs, time.monotonic() + BUSY_SECONDS
        while self.runs == before and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(seconds)

    def say(self, what: str) -> None:
        """Print how things stand."""
        runs, found = self.runs, len({key for keys in self.told for key in keys})
        seconds = time.monotonic() - self.began
        print(f"{seconds:5.0f} s  {what}; runs: {runs or 'none'}; {found} findings told", flush=True)


def main() -> None:
    """Print what was found; exit status 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--limit", type=int, default=1800, help="seconds to catch up in, after the last kill")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--store", type=Path, help="folder with a store to begin with, instead of a new one")
    parser.add_argument("--write", action="store_true", help="write the result to bench/results/catchup.md")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as home, inboxes() as (addresses, received):
        if asked.store:
            shutil.copytree(asked.store, home, dirs_exist_ok=True)
        fill(Path(home), asked.events)
        fire = Fire(Path(home), received["keys"])
        fire.say(f"{last_event(Path(home))} events wait")
        for number in range(asked.kills):
            if fire.is_done():
                go_on(Path(home), number)
            with daemon(fire, addresses, alone=number % 2 == 0):
                fire.work(chance.uniform(0, AT_WORK_SECONDS))
            fire.say(f"kill {number + 1} of {asked.kills}, {'alone' if number % 2 == 0 else 'with its runs'}")
        last_kill = time.monotonic()
        with daemon(fire, addresses, alone=False):
            quiet_until(fire, asked.limit)
        lines, problems = verify(fire)
        took = time.monotonic() - last_kill
    lines = [f"{asked.kills} kills; caught up {took:.0f} s after the last one", *lines]
    lines.append(f"verdict: {'; '.join(problems) or 'each (org, seq) once, no alert lost, none twice but at a kill'}")
    print("\n".join(lines))
    if asked.write:
        RESULTS.write_text(report(lines))
    sys.exit(bool(problems))


def report(lines: Sequence[str]) -> str:
    """Return the result as a page."""
    told = (__doc__ or "").partition("\n\n")[2].strip()
    machine = f"{os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}."
    return "\n".join(["# Catching up under fire", "", told, "", machine, "", *(f"- {line}" for line in lines), ""])


@contextmanager
def daemon(fire: Fire, alerts: str, *, alone: bool) -> Generator[None]:
    """Run the daemon with its code server; kill it at the end, alone or with all that it started."""
    instance = fire.home / "dagster"
    instance.mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "dagster_defs" / "dagster.yaml", instance / "dagster.yaml")
    env = environment(fire.home, DAGSTER_HOME=str(instance), DAGSTER_SCIM_ALERT_URLS=alerts)
    program = [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", str(ROOT / "workspace.yaml")]
    with (fire.home / "daemon.log").open("ab") as out:
        process = subprocess.Popen(program, env=env, stdout=out, stderr=out, cwd=ROOT, start_new_session=True)
    try:
        yield
    finally:
        before = len(fire.messages)
        if alone:
            process.send_signal(signal.SIGKILL)
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(SETTLED_SECONDS)
        if not alone:
            fire.kills.append((before, len(fire.messages)))


def quiet_until(fire: Fire, limit: int) -> None:
    """Wait until every asset has taken in the whole log and nothing that could be told is untold."""
    due, deadline = wanted(fire.home), time.monotonic() + limit
    told_at = time.monotonic()
    while time.monotonic() < deadline:
        if fire.is_done() and due <= {key for keys in fire.told for key in keys}:
            return
        if time.monotonic() - told_at > 15:
            fire.say(f"catching up, {len(due)} findings due")
            told_at = time.monotonic()
        time.sleep(1)
    shutil.copyfile(fire.home / "daemon.log", ROOT / "bench" / "catchup-daemon.log")
    raise SystemExit(f"verdict: not caught up within {limit} s of the last kill")


def _marks(home: Path) -> dict[str, int]:
    """Return how far each asset has come; nothing while a run is writing."""
    with suppress(duckdb.Error), duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return dict(connection.execute("SELECT asset, seq FROM identity.marks ORDER BY 1").fetchall())
    return {}


def verify(fire: Fire) -> tuple[list[str], list[str]]:
    """Return in words what was found, and what is wrong with it."""
    with duckdb.connect(str(fire.home / "warehouse.duckdb"), read_only=True) as connection:
        query = "SELECT seq, event_id FROM identity.access_changes WHERE change = 'leaver'"
        leavers = connection.execute(query).fetchall()
        copied = connection.execute("SELECT seq, id FROM identity.provisioning_events ORDER BY seq").fetchall()
        found = {key for (key,) in connection.execute("SELECT key FROM identity.findings WHERE seq > 0").fetchall()}
    due, told = wanted(fire.home), fire.told
    opened = {key for keys in told for key in keys}
    doubled, outside = _doubled(fire)
    lines = [
        f"{len(copied)} events in the warehouse, {len(set(copied))} distinct; {len(leavers)} leavers",
        f"{len(due)} findings due, {len(found)} found, {len(due & opened)} of those due told",
        f"{doubled} told twice, {outside} of them outside the send window; {len(told)} messages",
    ]
    problems = [] if copied == [(seq, key) for seq, key, *_ in log(fire.home)] else ["the copy is not the log"]
    problems += [f"{len(due - opened)} alerts lost"] if due - opened else []
    problems += [f"{len(found - opened)} findings untold"] if found - opened else []
    problems += ["a leaver is in access_changes twice"] if len(set(leavers)) < len(leavers) else []
    return lines, problems + ([f"{outside} told twice outside the send window"] if outside else [])


def _doubled(fire: Fire) -> tuple[int, int]:
    """Return how many findings were told twice, and how many of them though no kill fell upon the earlier message."""
    windows = {index for before, after in fire.kills for index in range(before - 1, after)}
    first, doubled, outside = dict[str, int](), set[str](), set[str]()
    for index, keys in enumerate(fire.told):
        for key in keys:
            if key in first:
                doubled.add(key)
                outside |= set() if first[key] in windows else {key}
            first[key] = index
    return len(doubled), len(outside)


if __name__ == "__main__":
    main()
