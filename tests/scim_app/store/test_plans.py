"""A store that is empty, or was filled a moment ago, is looked up by the right indexes, before anybody analysed it."""

# pyright: reportPrivateUsage=false, reportOptionalMemberAccess=false, reportAttributeAccessIssue=false

from collections.abc import Generator
from contextlib import contextmanager
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
from scim_app.store.db.engines import open_owner
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.tables import list_blocks, team_members, teams, user_emails, users
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import lookup, members, resources
from scim_app.store.resources.team_size import Counting

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


@contextmanager
def _owning(store_url: str) -> Generator[sa.Connection]:
    engine = open_owner(store_url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _plan(connection: sa.Connection, statement: Prepared, **values: Any) -> str:
    name = connection.dialect.name
    compiled = statement._compile(name)
    explain = "EXPLAIN" if name == "postgresql" else "EXPLAIN QUERY PLAN"
    rows = connection.connection.dbapi_connection.execute(f"{explain} {compiled.text}", compiled.constants | values)
    return "\n".join(" ".join(map(str, row)) for row in rows)


def _sent(counting: Counting, postgres: bool) -> Prepared:
    return counting._counted if postgres else counting._alone


def test_one_resource_and_a_few_members_are_found_by_their_ids(filled: tuple[Organization, str]) -> None:
    organization, team = filled
    org, one = organization.id, orjson.dumps(["x"]).decode()
    with _owning(organization.settings.store_url) as connection:
        postgres = connection.dialect.name == "postgresql"
        users_by_id = "pk_users" if postgres else "sqlite_autoindex_users_1 (org_id=? AND id=?)"
        assert users_by_id in _plan(connection, lookup._BY["user", "id"], org=org, value="x")
        assert users_by_id in _plan(connection, members._SPELLED, org=org, team=team, base="b")
        adding = _plan(
            connection, _sent(members._ADD, postgres), org=org, team=team, members=one, origin="scim", at="2026"
        )
        assert users_by_id in adding or not postgres, adding  # SQLite does not explain what RETURNING reads
        removal = _plan(connection, _sent(members._REMOVE, postgres), org=org, team=team, members=one)
        assert ("member_id = ANY" if postgres else "(org_id=? AND member_id=? AND team_id=?)") in removal
        assert "hashed" not in removal, removal  # every member would be compared with the list


@pytest.mark.parametrize("is_filled", [False, True])
def test_names_and_external_ids_are_looked_up_by_their_own_indexes(
    folder: Path, request: pytest.FixtureRequest, *, is_filled: bool
) -> None:
    """A plan is kept, and the first one is made while the tables are empty."""
    organization = request.getfixturevalue("filled")[0] if is_filled else make.organization(make.settings(folder))
    org = organization.id
    with _owning(organization.settings.store_url) as connection:
        for column, index in (("name_key", "ux_{}_name"), ("external_id", "ux_{}_external_id")):
            for kind, table in (("user", "users"), ("team", "teams")):
                plan = _plan(connection, lookup._BY[kind, column], org=org, value="x")
                assert index.format(table) in plan, plan
        claim = _plan(connection, lookup._CLAIMED["user"], org=org, name="x", external="y")
        assert all(index in claim for index in ("ux_users_name", "ux_users_external_id", "ix_users_former")), claim


def test_what_the_planner_was_told_leaves_no_row_behind(folder: Path) -> None:
    with _owning(make.organization(make.settings(folder)).settings.store_url) as connection:
        for table in (users, teams, user_emails, team_members, list_blocks):
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
