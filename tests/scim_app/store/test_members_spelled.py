"""The members of a team as the database spells them are those that are read row by row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import make
import orjson
import sqlalchemy as sa

from scim_app.directory.events import EventType
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.store.db.tables import team_sizes
from scim_app.store.lifecycle import removal, writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import members, resources

PENDING = ('odd "name"\\', "Ünïcode 🙂", "tab\there", "später", "0")
BASE = "https://scim.example.com/acme/scim/v2"


def _as_spelled(one: dict[str, Any]) -> dict[str, Any]:
    place = {"$ref": f"{BASE}/{one['$ref']}"} if "$ref" in one else {}
    return {name: value for name, value in one.items() if name != "display"} | place


def test_the_database_spells_every_member_as_it_is_read(folder: Path) -> None:
    organization = make.organization(make.settings(folder))
    store = Store(organization.settings.store_url)

    def fill(unit: Unit) -> str:
        people = [make.user(f"{name}@example.com") for name in "abc"]
        ids = resources.insert_all(unit, USER, people, EventType.USER_CREATED, "scim")
        nested = writes.create(unit, TEAM, make.group("Nested"), MemberDelta())
        team = writes.create(unit, TEAM, make.group("All"), MemberDelta.add(*ids, nested.id, *PENDING))
        writes.delete(unit, USER, ids[0], lambda stored: stored)
        return team.id

    try:
        team = store.write(lambda db: fill(Unit.begin(db, organization.id, make.ACTOR)))
        read = store.read(lambda db: members.of_team(db, organization.id, team))
        spelled = store.read(lambda db: members.to_json(db, organization.id, team, BASE))
        none = store.read(lambda db: members.to_json(db, organization.id, "none", BASE))
    finally:
        store.close()
    assert orjson.loads(f"[{spelled}]") == [_as_spelled(one) for one in read]
    assert len(read) == 3 + len(PENDING)
    assert none == ""


def test_a_team_counts_those_who_are_no_users_whatever_comes_and_goes(folder: Path) -> None:
    organization = make.organization(make.settings(folder))
    store = Store(organization.settings.store_url)

    def step(work: Callable[[Unit], Any]) -> Any:
        return store.write(lambda db: work(Unit.begin(db, organization.id, make.ACTOR)))

    def told(db: sa.Connection) -> int:
        read = [_as_spelled(one) for one in members.of_team(db, organization.id, team)]
        spelled = orjson.loads(f"[{members.to_json(db, organization.id, team, BASE)}]")
        assert spelled == read
        count = sa.select(team_sizes.c.members, team_sizes.c.others).where(team_sizes.c.team_id == team)
        size, others = db.execute(count).one()
        assert (size, others) == (len(read), sum(one.get("type") != "User" for one in read))
        return others

    def changed(delta: MemberDelta) -> int:
        step(lambda unit: members.apply(unit, team, delta))
        return store.read(told)

    try:
        people = [make.user(f"{name}@example.com") for name in "abc"]
        ids = step(lambda unit: resources.insert_all(unit, USER, people, EventType.USER_CREATED, "scim"))
        nested = step(lambda unit: writes.create(unit, TEAM, make.group("Nested"), MemberDelta())).id
        team = step(lambda unit: writes.create(unit, TEAM, make.group("All"), MemberDelta.add(*ids))).id
        assert store.read(told) == 0
        assert changed(MemberDelta.add("pending", nested, ids[0])) == 2
        assert changed(MemberDelta.remove("pending", ids[1])) == 1
        step(lambda unit: removal.remove(unit, USER, resources.get(unit.connection, unit.org_id, USER, ids[0])))
        assert store.read(told) == 1
        assert changed(MemberDelta.add(ids[0])) == 2  # whom nobody knows any more
        step(lambda unit: removal.restore(unit, USER, ids[0]))
        assert store.read(told) == 1
        step(lambda unit: removal.remove(unit, TEAM, resources.get(unit.connection, unit.org_id, TEAM, nested)))
        assert store.read(told) == 0
        assert changed(MemberDelta.replace("later", ids[2])) == 1
        assert changed(MemberDelta.replace(*ids)) == 0
    finally:
        store.close()
