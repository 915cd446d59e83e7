"""Migrations make exactly the tables that the code declares."""

from pathlib import Path

import make
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from scim_app.errors import StoreUnavailable
from scim_app.store.db import migrate
from scim_app.store.db.engines import open_owner, open_reader, open_writer


def test_migrations_make_the_declared_tables(folder: Path) -> None:
    url = make.settings(folder).store_url
    migrate.upgrade(url)
    engine = open_reader(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_declared})
        assert compare_metadata(context, make.declared_tables()) == []
    engine.dispose()


def _is_declared(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a table is of the store; the notes of walks are in a file of their own on SQLite."""
    return (kind, name) != ("table", "walk_ends")


def test_migrating_again_changes_nothing(folder: Path) -> None:
    organization = make.organization(make.settings(folder))
    before = organization.events()
    migrate.upgrade(organization.settings.store_url)
    assert organization.events() == before


def test_a_store_that_is_not_there_is_not_current_and_is_not_made(tmp_path: Path) -> None:
    url = make.settings(tmp_path / "none").store_url
    assert migrate.is_current(url) is False
    with pytest.raises(StoreUnavailable, match="dagster-scim migrate"):
        migrate.require_current(url)
    assert not (tmp_path / "none").exists()


def test_a_file_without_tables_is_not_current(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").touch()
    assert migrate.is_current(make.settings(tmp_path).store_url) is False


@pytest.mark.parametrize("statement", ["UPDATE events SET actor = 'x'", "DELETE FROM events"])
def test_the_event_log_refuses_to_be_changed(folder: Path, statement: str) -> None:
    engine = open_owner(make.organization(make.settings(folder)).settings.store_url)
    with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError, match="append-only"):
        connection.execute(sa.text(statement))
    engine.dispose()


def test_a_database_that_is_not_supported_is_named() -> None:
    with pytest.raises(StoreUnavailable, match="'mysql' is not supported"):
        open_writer("mysql://127.0.0.1/x")
