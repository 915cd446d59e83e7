"""What PostgreSQL holds by itself: one organization's rows, a log that can't be touched, writes that are durable."""

from collections.abc import Callable, Generator
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import make
import postgres as servers
import pytest
import sqlalchemy as sa
from make import Organization
from sqlalchemy.engine import make_url

from scim_app.directory.kinds import USER
from scim_app.directory.membership import MemberDelta
from scim_app.errors import StoreUnavailable
from scim_app.store.db import migrate, postgres
from scim_app.store.db.engines import open_owner, open_writer
from scim_app.store.db.tables import metadata
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store


@pytest.fixture
def folder(postgres_server: str, tmp_path: Path) -> Generator[Path]:
    """A folder whose store is on PostgreSQL."""
    with servers.database(postgres_server, f"fence_{tmp_path.name[-40:]}") as url:
        make.DATABASE_URLS[tmp_path] = url
        yield tmp_path
        del make.DATABASE_URLS[tmp_path]


@pytest.fixture
def two(folder: Path) -> tuple[Organization, Organization]:
    """Two organizations in one store, each with a user."""
    found = make.organization(make.settings(folder), "one"), make.organization(make.settings(folder), "two")
    store = Store(found[0].settings.store_url)
    for organization in found:
        store.write(lambda db, org=organization.id: _create(Unit.begin(db, org, make.ACTOR)))
    store.close()
    return found


def _create(unit: Unit) -> None:
    writes.create(unit, USER, make.user("ada@example.com"), MemberDelta())


def test_a_query_that_forgets_the_organization_sees_only_its_own(two: tuple[Organization, Organization]) -> None:
    engine = open_writer(two[0].settings.store_url)
    with engine.begin() as connection:
        everyone = connection.execute(sa.text("SELECT count(*) FROM users")).scalar()
        Unit.begin(connection, two[0].id, make.ACTOR)
        seen = connection.execute(sa.text("SELECT org_id FROM users UNION SELECT org_id FROM events")).scalars().all()
        changed = connection.execute(sa.text("UPDATE users SET title = 'x' WHERE org_id = :org"), {"org": two[1].id})
    engine.dispose()
    assert (everyone, seen, changed.rowcount) == (2, [two[0].id], 0)


def test_a_row_of_another_organization_can_not_be_written(two: tuple[Organization, Organization]) -> None:
    engine = open_writer(two[0].settings.store_url)
    row = {"org_id": two[1].id, "team_id": "t", "member_id": "m", "origin": "scim", "since": "now"}
    with engine.connect() as connection:
        Unit.begin(connection, two[0].id, make.ACTOR)
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
            connection.execute(sa.insert(metadata.tables["team_members"]), row)
    engine.dispose()


def test_every_table_of_organizations_is_fenced(folder: Path) -> None:
    url = make.settings(folder).store_url
    migrate.upgrade(url)
    engine = open_owner(url)
    with engine.connect() as connection:
        fenced = set(connection.execute(sa.text("SELECT tablename FROM pg_policies")).scalars())
    engine.dispose()
    declared = {table.name for table in make.declared_tables().sorted_tables if "org_id" in table.c} - postgres.UNFENCED
    assert fenced == declared | {"walk_ends"}  # not declared: on SQLite it is a file of its own
    assert {"users", "teams", "team_members", "events"} <= fenced


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET actor = 'x'",
        "DELETE FROM events",
        "TRUNCATE events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "ALTER TABLE users DISABLE ROW LEVEL SECURITY",
        "DROP TABLE users",
        "UPDATE alembic_version SET version_num = 'x'",
    ],
)
def test_the_service_has_no_right_to(two: tuple[Organization, Organization], statement: str) -> None:
    engine = open_writer(two[0].settings.store_url)
    with (
        engine.connect() as connection,
        pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"),
    ):
        connection.execute(sa.text(statement))
    engine.dispose()


def test_a_server_that_would_lose_writes_is_refused(folder: Path) -> None:
    url = make.settings(folder).store_url
    engine = open_owner(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{engine.url.database}" SET synchronous_commit = off')
    engine.dispose()
    with pytest.raises(StoreUnavailable, match="synchronous_commit=off"):
        migrate.upgrade(url)


def test_a_server_that_is_not_there_is_named_in_words() -> None:
    with pytest.raises(StoreUnavailable, match="DAGSTER_SCIM_DATABASE_URL"):
        migrate.require_current(f"postgresql://ada@127.0.0.1:{make.free_port()}/x")


def test_two_workers_that_deadlock_both_finish(two: tuple[Organization, Organization]) -> None:
    stores = [Store(two[0].settings.store_url) for _ in range(2)]
    meeting = Barrier(2)

    def locking(*organizations: Organization) -> Callable[[sa.Connection], Any]:
        tries: list[int] = []

        def work(db: sa.Connection) -> int:
            tries.append(1)
            Unit.begin(db, organizations[0].id, make.ACTOR)
            if len(tries) == 1:
                meeting.wait(10)
            Unit.begin(db, organizations[1].id, make.ACTOR)
            return len(tries)

        return work

    futures = [stores[0].submit(locking(*two)), stores[1].submit(locking(*reversed(two)))]
    assert sorted(future.result(30) for future in futures) == [1, 2]
    for store in stores:
        store.close()


def test_writes_whose_connection_is_cut_in_the_middle_are_done_again(two: tuple[Organization, Organization]) -> None:
    store, organization, tries = Store(two[0].settings.store_url), two[0], list[int]()
    owner, waiting, held = open_owner(two[0].settings.store_url), Barrier(2), Event()

    def hold(_: sa.Connection) -> None:
        waiting.wait(30)
        assert held.wait(30)

    def cut(db: sa.Connection) -> int:
        Unit.begin(db, organization.id, make.ACTOR)
        tries.append(1)
        if len(tries) == 1:
            pid = db.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
            with owner.connect() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            Unit.begin(db, organization.id, make.ACTOR)
        return len(tries)

    store.submit(hold)
    waiting.wait(30)
    together = [store.submit(cut, organization.id), store.submit(cut, organization.id)]
    held.set()
    assert [future.result(30) for future in together] == [2, 3]
    store.close()
    owner.dispose()


def test_migrations_that_start_together_run_one_after_the_other(folder: Path) -> None:
    url = make.settings(folder).store_url
    threads = [Thread(target=migrate.upgrade, args=(url,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert migrate.is_current(url)


@pytest.fixture
def superuser(folder: Path) -> Generator[sa.Connection]:
    """A connection of the one whom nothing is forbidden to the folder's database."""
    engine = open_owner(make.settings(folder).store_url)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def owned(folder: Path, superuser: sa.Connection) -> Generator[Path]:
    """The folder of a database whose owner has no other right on the server, and is the one who migrates."""
    url = make_url(make.DATABASE_URLS[folder])
    superuser.exec_driver_sql("CREATE ROLE plain LOGIN PASSWORD 'plain'")
    superuser.exec_driver_sql(f'ALTER DATABASE "{url.database}" OWNER TO plain')
    make.DATABASE_URLS[folder] = url.set(username="plain", password="plain").render_as_string(hide_password=False)
    yield folder
    for statement in ("REASSIGN OWNED BY plain TO CURRENT_USER", "DROP OWNED BY plain", "DROP ROLE plain"):
        superuser.exec_driver_sql(statement)


def test_an_owner_without_other_rights_can_migrate_and_write(owned: Path, superuser: sa.Connection) -> None:
    organization = make.organization(make.settings(owned))
    assert _planned_by(superuser) == PLANNED_BY
    store = Store(organization.settings.store_url)
    store.write(lambda db: _create(Unit.begin(db, organization.id, make.ACTOR)))
    assert store.read(lambda db: db.execute(sa.text("SELECT count(*) FROM users")).scalar_one()) == 1
    store.close()


def test_nothing_is_left_that_autovacuum_would_come_for(folder: Path, superuser: sa.Connection) -> None:
    """It would note down that the tables are empty, and that is what a first sync would be planned by."""
    migrate.upgrade(make.settings(folder).store_url)
    assert _planned_by(superuser) == PLANNED_BY


PLANNED_BY = dict.fromkeys(("users", "teams", "user_emails", "team_members"), (True, -1, 0))
"""There are statistics, no number of rows has been noted, and the file is empty."""


def _planned_by(superuser: sa.Connection) -> dict[str, tuple[bool, float, int]]:
    known = sa.text("""
        SELECT relname, EXISTS (SELECT 1 FROM pg_statistic WHERE starelid = oid), reltuples, pg_relation_size(oid)
        FROM pg_class WHERE relname IN :names
    """).bindparams(sa.bindparam("names", expanding=True))
    return {name: (*known,) for name, *known in superuser.execute(known, {"names": list(PLANNED_BY)})}
