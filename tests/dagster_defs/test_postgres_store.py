"""A PostgreSQL store is read in bulk like any other, by the role that the fences hold for."""

from collections.abc import Generator
from pathlib import Path

import duckdb
import make
import postgres
import pytest
import sqlalchemy as sa
from directories import Directory
from sqlalchemy.engine import make_url

from dagster_defs.assets import events, history
from dagster_defs.resources import ScimStore
from scim_app.settings import Settings
from scim_app.store.db.postgres import ROLE
from scim_app.store.export import arrow


@pytest.fixture
def store(postgres_server: str, tmp_path: Path) -> Generator[Settings]:
    """Settings of a store in PostgreSQL with two organizations."""
    with postgres.database(postgres_server, "scim_fenced") as url:
        make.DATABASE_URLS[tmp_path] = url
        settings = make.settings(tmp_path)
        for slug, people in (("acme", 3), ("globex", 2)):
            directory = Directory(make.organization(settings, slug))
            directory.team("Data", *(directory.user(f"{number}@{slug}.example.com") for number in range(people)))
            directory.store.close()
        yield settings
        del make.DATABASE_URLS[tmp_path]


@pytest.fixture
def fenced(store: Settings) -> Generator[str]:
    """The address of that store for one who owns nothing and may only be the service's role."""
    owner = sa.create_engine(
        make_url(store.store_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with owner.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE reader LOGIN IN ROLE {ROLE}")
        yield make_url(store.store_url).set(username="reader").render_as_string(hide_password=False)
        connection.exec_driver_sql("DROP ROLE reader")
    owner.dispose()


def test_every_organization_is_copied_through_the_fence(fenced: str) -> None:
    with duckdb.connect() as warehouse:
        assert events.copy(warehouse, ScimStore(fenced)) == {"acme": 6, "globex": 5}
        assert history.carry(warehouse) == 11
        query = "SELECT org, count(*) FROM identity.{} WHERE until_seq IS NULL GROUP BY org ORDER BY org"
        assert warehouse.execute(query.format("user_versions")).fetchall() == [("acme", 3), ("globex", 2)]
        assert warehouse.execute(query.format("membership_versions")).fetchall() == [("acme", 3), ("globex", 2)]


def test_a_bulk_read_sees_one_organization(fenced: str) -> None:
    with ScimStore(fenced).opened() as export:
        acme, globex = export.heads()
    with arrow.opened(fenced) as bulk:
        assert (bulk.standing(acme.org_id).users, bulk.standing(globex.org_id).users) == (3, 2)
        assert [block.num_rows for block in bulk.documents(acme.org_id, "user")] == [3]
        with bulk._connection.cursor() as cursor:  # pyright: ignore[reportPrivateUsage]
            cursor.execute("SELECT DISTINCT org_id FROM events")
            assert cursor.fetchall() == [(acme.org_id,)]
