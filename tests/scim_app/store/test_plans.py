"""A store that was filled a moment ago is looked up by the right indexes, though PostgreSQL has no statistics of it."""

# pyright: reportPrivateUsage=false, reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from pathlib import Path
from typing import Any

import make
import orjson
import pytest
import sqlalchemy as sa
from make import Organization

from scim_app.directory.events import EventType
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.store import lookup, members, members_spelled, resources, writes
from scim_app.store.engines import open_owner
from scim_app.store.event_log import Unit
from scim_app.store.prepared import Prepared
from scim_app.store.session import Store

PEOPLE = 2_000


@pytest.fixture
def filled(folder: Path) -> tuple[Organization, str]:
    """An organization with many users, all in one team, and the id of that team."""
    organization = make.organization(make.settings(folder))

    def fill(unit: Unit) -> str:
        ids = resources.insert_all(
            unit, USER, [make.user(f"u{number}") for number in range(PEOPLE)], EventType.USER_CREATED, "scim"
        )
        return writes.create(unit, TEAM, make.group("Everybody"), MemberDelta.add(*ids)).id

    store = Store(organization.settings.store_url)
    team = store.write(lambda db: fill(Unit.begin(db, organization.id, make.ACTOR)))
    store.close()
    return organization, team


def _plan(connection: sa.Connection, statement: Prepared, **values: Any) -> str:
    name = connection.dialect.name
    compiled = statement._compile(name)
    explain = "EXPLAIN" if name == "postgresql" else "EXPLAIN QUERY PLAN"
    rows = connection.connection.dbapi_connection.execute(f"{explain} {compiled.text}", compiled.constants | values)
    return "\n".join(" ".join(map(str, row)) for row in rows)


def test_one_resource_and_a_few_members_are_found_by_their_ids(filled: tuple[Organization, str]) -> None:
    organization, team = filled
    engine, org, one = open_owner(organization.settings.store_url), organization.id, orjson.dumps(["x"]).decode()
    postgres = engine.name == "postgresql"
    with engine.begin() as connection:
        users_by_id = "pk_users" if postgres else "sqlite_autoindex_users_1 (org_id=? AND id=?)"
        assert users_by_id in _plan(connection, lookup._BY["user", "id"], org=org, value="x")
        assert users_by_id in _plan(connection, members_spelled._SPELLED, org=org, team=team, base="b")
        adding = _plan(connection, members._ADD, org=org, team=team, members=one, origin="scim", at="2026")
        assert users_by_id in adding or not postgres, adding  # SQLite does not explain what RETURNING reads
        removal = _plan(connection, members._REMOVE, org=org, team=team, members=one)
        assert ("member_id = ANY" if postgres else "(org_id=? AND member_id=? AND team_id=?)") in removal
        assert "hashed" not in removal, removal  # every member would be compared with the list
    engine.dispose()
