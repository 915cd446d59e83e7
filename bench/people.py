"""A store of a made-up year in which people go on coming and going, and what has to be told of it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
from make import user

from scim_app.cli.history.building import build
from scim_app.cli.opening import opened_store
from scim_app.directory.events import Actor
from scim_app.directory.kinds import USER
from scim_app.directory.membership import MemberDelta
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.db import migrate
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit

JOINERS, LEAVERS = 200, 10
"""Users that come once all is caught up, and those of them that go: few enough to be told one by one."""


def fill(home: Path, events: int) -> None:
    """Write a made-up year of so many events, or some more."""
    settings = Settings.model_validate({"home": home})
    settings.ensure_pepper()
    migrate.upgrade(settings.store_url)
    with opened_store(settings) as store:
        if not store.read(organizations.listing):
            build(settings, store, "acme", people=max(20, events // 25))
    while (missing := events - last_event(home)) > 0:
        go_on(home, -missing)


def go_on(home: Path, number: int) -> None:
    """Let people come, and some of them go; numbers that differ give different people."""
    settings = Settings.model_validate({"home": home})
    with opened_store(settings) as store:
        org_id = store.read(organizations.listing)[0].id
        store.write(lambda db: _come_and_go(Unit.begin(db, org_id, Actor(name="bench", idp="okta")), number))


def _come_and_go(unit: Unit, number: int) -> None:
    come = [
        writes.create(unit, USER, user(f"late.{number}.{joiner}@example.com"), MemberDelta()).id
        for joiner in range(JOINERS)
    ]
    for user_id in come[:LEAVERS]:
        writes.update(unit, USER, user_id, lambda _, stored: ({**stored.load(), "active": False}, MemberDelta()))


def last_event(home: Path) -> int:
    """Return the number of the last event."""
    with closing(sqlite3.connect(home / "store.sqlite3")) as store:
        return store.execute("SELECT last_seq FROM organizations").fetchall()[0][0]


def log(home: Path) -> list[tuple[int, str, str, str, bool]]:
    """Return the events as the store has them: number, id, type, subject and whether its document is active."""
    with closing(sqlite3.connect(home / "store.sqlite3")) as store:
        query = "SELECT seq, id, type, subject_id, document FROM events ORDER BY seq"
        return [
            (seq, key, kind, subject, document is not None and orjson.loads(document).get("active", True))
            for seq, key, kind, subject, document in store.execute(query)
        ]


def wanted(home: Path) -> set[str]:
    """Return the keys of the findings there must be at least: each leaver and each refused write of the log."""
    active, found = dict[str, bool](), set[str]()
    for _, key, kind, subject, is_active in log(home):
        if kind == "write.rejected":
            found.add(key)
        elif kind.startswith("user."):
            if active.get(subject) and not is_active:
                found.add(key)
            active[subject] = is_active
    return found
