"""What the warehouse costs as the directory grows: `python bench/warehouse.py [USERS …]`.

For each size a store is made whose log has two events a user: everyone is provisioned, there is a team for every
fifty users with 250 members each, one in ten with a role, then people change jobs, teams and access, or leave, until
the log is full. A process of its own then takes the log in, cuts the day and takes in 10,000 more events. Seconds of
the processor, which other programs on the machine change least, seconds by the clock and peak resident memory are
written to bench/results/warehouse.md.
"""

import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from scim_app.directory.events import CHAINED, GENESIS, Actor, chain_hash
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.db import migrate
from scim_app.store.db.stamps import written_at
from scim_app.store.log.session import Store

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TEAM_SIZE = 250
MORE = 10_000
STEPS = ("copy", "history", "changes", "failures", "snapshots")
WHEN = datetime.now(UTC)
RESULTS = Path(__file__).parent / "results" / "warehouse.md"
Event = tuple[str, str, str, dict[str, Any] | None, dict[str, Any] | None]


def person(number: int, *, active: bool = True, title: str = "Engineer") -> dict[str, Any]:
    name = f"person.{number}@example.com"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "id": f"user-{number:032d}",
        "externalId": f"00u{number:017d}",
        "userName": name,
        "name": {"givenName": f"Given{number % 5000}", "familyName": f"Family{number % 9000}"},
        "displayName": f"Given{number % 5000} Family{number % 9000}",
        "emails": [{"value": name, "type": "work", "primary": True}],
        "title": title,
        "active": active,
        ENTERPRISE: {"department": f"Department {number % 40}", "employeeNumber": str(number)},
    }


def events(users: int, total: int) -> Iterator[Event]:
    """Yield type, kind, subject, change and document of each event."""
    chance = random.Random(7)
    for number in range(users):
        yield "user.created", "user", f"user-{number:032d}", {"origin": "scim"}, person(number)
    teams = max(1, users // 50)
    for team in range(teams):
        members = [f"user-{chance.randrange(users):032d}" for _ in range(TEAM_SIZE)]
        change = {"origin": "scim", "members": {"added": sorted(set(members))}}
        yield "team.created", "team", f"team-{team:032d}", change, {"displayName": f"Team {team}"}
    for team in range(0, teams, 10):
        grant = f"grant-{team:032d}"
        told = {"grant_id": grant, "holder_kind": "team", "holder_id": f"team-{team:032d}", "role": "editor"}
        yield "role.granted", "grant", grant, {"grant": {**told, "scope_kind": "organization"}}, None
    stay = users - users // 100
    for number in range(users - stay):
        yield "user.deleted", "user", f"user-{stay + number:032d}", None, None
    for number in range(total - users - teams - len(range(0, teams, 10)) - (users - stay)):
        yield _later(chance, stay, teams, number)


def _later(chance: random.Random, users: int, teams: int, number: int) -> Event:
    who = chance.randrange(users)
    if number % 3 == 0:
        team = chance.randrange(teams)
        change = {"members": {"added": [f"user-{who:032d}"]}}
        return "team.updated", "team", f"team-{team:032d}", change, {"displayName": f"Team {team}"}
    if number % 10 == 1:
        return "user.deactivated", "user", f"user-{who:032d}", {"attributes": {}}, person(who, active=False)
    title = f"Title {number % 100}"
    change = {"attributes": {"title": {"before": "Engineer", "after": title}}}
    return "user.updated", "user", f"user-{who:032d}", change, person(who, title=title)


def write(settings: Settings, org_id: str, found: Iterator[Event], started: datetime) -> None:
    """Append events to an organization's log as the store writes them."""
    with closing(sqlite3.connect(settings.home / "store.sqlite3")) as store:
        store.execute("PRAGMA synchronous=OFF")
        head = "SELECT log_epoch, last_seq, head_hash FROM organizations WHERE id = ?"
        epoch, seq, previous = store.execute(head, [org_id]).fetchone()
        rows: list[dict[str, Any]] = []
        for kind, subject_kind, subject, change, document in found:
            seq += 1
            at = (started + timedelta(seconds=7 * seq)).isoformat(timespec="microseconds").replace("+00:00", "Z")
            row: dict[str, Any] = dict.fromkeys(CHAINED)
            row |= {"org_id": org_id, "log_epoch": epoch, "seq": seq, "id": f"event-{seq:032d}", "type": kind, "at": at}
            row |= {"subject_kind": subject_kind, "subject_id": subject, "actor": "token", "idp": "okta"}
            row |= {"change": _text(change), "document": _text(document), "prev_hash": previous}
            row["hash"] = previous = chain_hash(previous or GENESIS, row)
            rows.append(row)
        names = list(rows[0])
        query = f"INSERT INTO events ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
        store.executemany(query, rows)
        moved = "UPDATE organizations SET last_seq = ?, head_hash = ?, head_at = ? WHERE id = ?"
        store.execute(moved, [seq, previous, rows[-1]["at"], org_id])
        store.commit()


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def make(home: Path, users: int) -> tuple[Settings, str]:
    """Make the store and return its settings and organization."""
    settings = Settings.model_validate({"home": home})
    settings.ensure_pepper()
    migrate.upgrade(settings.store_url)
    store = Store(settings.store_url)
    pending, first = events(users, 2 * users), datetime.now(UTC) - timedelta(seconds=15 * users)

    def create(connection: sa.Connection) -> organizations.Organization:
        with written_at(first):  # here, since writes run in a thread of their own
            return organizations.create(connection, "acme", actor=Actor(name="bench"))

    organization = store.write(create)
    store.close()
    while chunk := [event for _, event in zip(range(100_000), pending, strict=False)]:
        write(settings, organization.id, iter(chunk), first)
    return settings, organization.id


def measure(home: Path) -> dict[str, Any]:
    """Take the log in, in this process, and return seconds of each step (processor, clock) and peak memory in MiB."""
    from dagster_defs.assets import changes, events, findings, history, snapshots, sync_health
    from dagster_defs.partitions import DAYS, last_day
    from dagster_defs.resources import ScimStore, warehouse

    settings, day = Settings.model_validate({"home": home}), last_day(DAYS)
    scim, told = ScimStore(settings.store_url), dict[str, Any]()

    def step(name: str, work: Any) -> None:
        busy, began = time.process_time(), time.perf_counter()
        work()
        told[name] = [round(time.process_time() - busy, 2), round(time.perf_counter() - began, 2)]

    def cut() -> None:
        snapshots.make_views(connection)
        rows = [{"day": day, "org": org, "seq": seq} for org, seq in snapshots.cuts(connection, day).items()]
        snapshots.CUTS.replace(connection, rows, day=day)
        for table in snapshots.TABLES:
            table.count(connection, "WHERE day = ?", [day])

    def whole(prefix: str) -> None:
        step(f"{prefix}copy", lambda: events.copy(connection, scim))
        step(f"{prefix}history", lambda: history.carry(connection))
        step(f"{prefix}changes", lambda: (changes.carry(connection), changes.carry_gone(connection)))
        step(f"{prefix}failures", lambda: (sync_health.carry(connection), findings.carry(connection)))
        step(f"{prefix}snapshots", cut)

    with warehouse(settings).get_connection() as connection:
        whole("")
        rows = f"SELECT count(*) FROM {snapshots.TEAM_MEMBERS.address} WHERE day = ?"
        ((told["memberships"],),) = connection.execute(rows, [day]).fetchall()
        told["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        with closing(sqlite3.connect(home / "store.sqlite3")) as store:
            ((org_id, seq),) = store.execute("SELECT id, last_seq FROM organizations").fetchall()
        ((users,),) = connection.execute(
            "SELECT count(*) FROM identity.user_versions WHERE until_seq IS NULL"
        ).fetchall()
        chance = random.Random(8)
        later = (_later(chance, users, max(1, users // 50), number) for number in range(MORE))
        write(settings, org_id, later, datetime.now(UTC) - timedelta(seconds=7 * seq))
        whole("new ")
        step("sensor tick", scim.heads)
    return told | {"warehouse MiB": (home / "warehouse.duckdb").stat().st_size // 2**20}


def main() -> None:
    """Measure each size, print it and write all of them down."""
    if sys.argv[1:2] == ["--measure"]:
        sys.stdout.write(json.dumps(measure(Path(sys.argv[2]))))
        return
    found: list[dict[str, Any]] = []
    for users in [int(size) for size in sys.argv[1:]] or [10_000, 100_000, 1_000_000]:
        with tempfile.TemporaryDirectory() as home:
            make(Path(home), users)
            done = subprocess.run([sys.executable, __file__, "--measure", home], stdout=subprocess.PIPE, check=True)
        found.append({"users": users} | json.loads(done.stdout))
        print(json.dumps(found[-1]), flush=True)
    RESULTS.write_text(report(found))


def report(found: list[dict[str, Any]]) -> str:
    """Return the results as a page."""
    told = (__doc__ or "").partition("\n\n")[2].strip()
    lines = ["# The warehouse as the directory grows", "", told, "", f"{os.cpu_count()} cores, {WHEN:%Y-%m-%d}."]
    for title, prefix in (("The whole log, taken in at once", ""), ("A further 10,000 events", "new ")):
        names = [f"{prefix}{step}" for step in STEPS]
        heads = ["users", *STEPS, "together", "seconds per 1,000 events"]
        heads += [] if prefix else ["memberships", "peak MiB", "warehouse MiB"]
        lines += ["", f"## {title}", "", "Seconds of the processor (by the clock).", ""]
        lines += [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        for one in found:
            busy, clock = (sum(one[name][side] for name in names) for side in (0, 1))
            cells = [f"{one['users']:,}", *(f"{one[name][0]} ({one[name][1]})" for name in names)]
            cells += [f"{busy:.1f} ({clock:.1f})", f"{1000 * busy / (MORE if prefix else 2 * one['users']):.3f}"]
            cells += [] if prefix else [f"{one[name]:,}" for name in ("memberships", "peak MiB", "warehouse MiB")]
            lines.append(f"| {' | '.join(cells)} |")
    ticks = ", ".join(f"{one['sensor tick'][1]} s at {one['users']:,} users" for one in found)
    return "\n".join([*lines, "", f"A tick of the provisioning sensor with 10,000 events that are new: {ticks}.", ""])


if __name__ == "__main__":
    main()
