"""Catching up under fire: `python bench/catchup.py [EVENTS [KILLS]]`.

A made-up year of 100,000 events waits when the daemon starts. While it catches up it is killed (`kill -9`) twenty times, by
turns alone and with its code server and runs. In the end each `(org, seq)` must be in the warehouse exactly once,
every leaver must have been alerted, and none twice unless a kill fell between sending and noting.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
from inboxes import inboxes
from make import environment

from scim_app.cli.history.building import build
from scim_app.cli.opening import opened_store
from scim_app.settings import Settings
from scim_app.store import migrate
from scim_app.store.export import Export

ROOT = Path(__file__).parents[1]
EVENTS, KILLS = 100_000, 20
LIMIT_SECONDS = 900


def main() -> None:
    """Print what was found; exit status 1 when anything was lost or doubled."""
    given = [int(told) for told in sys.argv[1:3]]
    events, kills = (*given, *(EVENTS, KILLS)[len(given) :])
    chance = random.Random(11)
    with tempfile.TemporaryDirectory() as home, inboxes() as (addresses, received):
        events = fill(Path(home), events)
        began = time.monotonic()
        for number in range(kills):
            with daemon(Path(home), addresses, alone=number % 2 == 0):
                time.sleep(chance.uniform(4, 16))
        with daemon(Path(home), addresses, alone=False):
            quiet_until(Path(home), received["keys"], events)
        print(f"{kills} kills, caught up after {time.monotonic() - began:.0f} s")
        problems = verify(Path(home), received["keys"], events, kills)
    print("\n".join(problems) or "each (org, seq) once, no alert lost, none twice outside the send window")
    sys.exit(bool(problems))


def fill(home: Path, events: int) -> int:
    """Write a made-up year of about so many events, and return how many these are."""
    settings = Settings.model_validate({"home": home})
    settings.ensure_pepper()
    migrate.upgrade(settings.store_url)
    with opened_store(settings) as store:
        build(settings, store, "acme", people=max(20, events // 25))
    with closing(Export(settings.store_url)) as export:
        return export.heads()[0].last_seq


@contextmanager
def daemon(home: Path, alerts: str, *, alone: bool) -> Generator[None]:
    """Run the daemon with its code server; kill it at the end, alone or with all that it started."""
    instance = home / "dagster"
    instance.mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "dagster_defs" / "dagster.yaml", instance / "dagster.yaml")
    env = environment(home, DAGSTER_HOME=str(instance), DAGSTER_SCIM_ALERT_URLS=alerts)
    program = [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-w", str(ROOT / "workspace.yaml")]
    with (home / "daemon.log").open("ab") as log:
        process = subprocess.Popen(program, env=env, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)
    try:
        yield
    finally:
        if alone:
            process.send_signal(signal.SIGKILL)
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def quiet_until(home: Path, keys: list[str], events: int) -> None:
    """Wait until the whole log is in the warehouse and nothing that could be told is untold."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        try:
            with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
                ((seq,),) = connection.execute(
                    "SELECT max(seq) FROM identity.marks WHERE asset = 'findings'"
                ).fetchall()
                ((found,),) = connection.execute("SELECT count(*) FROM identity.findings WHERE seq > 0").fetchall()
            if seq and seq >= events and len(set(keys)) >= found:
                return
        except duckdb.Error:
            pass  # a run is writing
        time.sleep(0.5)
    raise SystemExit(f"not caught up within {LIMIT_SECONDS} s")


def verify(home: Path, keys: list[str], events: int, kills: int) -> list[str]:
    """Return in words what is wrong."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        query = "SELECT count(*), count(DISTINCT (org, seq)), max(seq) FROM identity.provisioning_events"
        ((rows, distinct, last),) = connection.execute(query).fetchall()
        found = {key for (key,) in connection.execute("SELECT key FROM identity.findings WHERE seq > 0").fetchall()}
    told = Counter(key.removeprefix("opened ") for key in keys if key.startswith("opened "))
    lost = found - told.keys()
    doubled = {key for key, count in told.items() if count > 1 and key in found}
    print(f"{rows} rows, {distinct} distinct, last {last}; {len(found)} findings, {len(doubled)} told twice")
    problems = [] if rows == distinct == last >= events else [f"{rows} rows of {last} events, {distinct} distinct"]
    problems += [f"{len(lost)} alerts lost"] if lost else []
    messages = {count for key, count in told.items() if key in doubled}
    return problems + ([f"told more often than killed: {messages}"] if max(messages, default=0) > kills + 1 else [])


if __name__ == "__main__":
    main()
