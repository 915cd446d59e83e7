"""The members of a team as the database spells them are those that are read row by row."""

from pathlib import Path

import make
import orjson

from scim_app.directory.events import EventType
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.store import members, resources, writes
from scim_app.store.event_log import Unit
from scim_app.store.session import Store

PENDING = ('odd "name"\\', "Ünïcode 🙂", "tab\there", "später", "0")
BASE = "https://scim.example.com/acme/scim/v2"


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
        spelled = store.read(lambda db: members.as_json(db, organization.id, team, BASE))
        none = store.read(lambda db: members.as_json(db, organization.id, "none", BASE))
    finally:
        store.close()
    for one in read:
        one.pop("display", None)
        one |= {"$ref": f"{BASE}/{one['$ref']}"} if "$ref" in one else {}
    assert orjson.loads(f"[{spelled}]") == read
    assert len(read) == 3 + len(PENDING)
    assert none == ""
