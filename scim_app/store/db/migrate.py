"""Bringing a store's schema up to date (Alembic)."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from scim_app.errors import StoreUnavailable
from scim_app.store.db import causes, first_statistics, postgres
from scim_app.store.db.engines import exists, is_postgres, open_owner, open_reader

_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtext('dagster-scim migrate'))")


_REVISION = sa.text("SELECT version_num FROM alembic_version")


def alembic_config() -> Config:
    """Return where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@cache
def _newest() -> str | None:
    """Reading the chain of migrations takes longer than asking the store; sensors ask every few seconds."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


@cache
def _known() -> frozenset[str]:
    return frozenset(one.revision for one in ScriptDirectory.from_config(alembic_config()).walk_revisions())


def upgrade(store_url: str) -> None:
    """Bring the store to the newest schema, making it where there is none.

    Raises:
        StoreUnavailable: when the database can't be opened or written.
    """
    config, engine = alembic_config(), open_owner(store_url)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            if is_postgres(store_url):
                connection.execute(_ONE_AT_A_TIME)
            if _revision(connection) == _newest():
                return  # a running service is not disturbed
            command.upgrade(config, "head")
            if is_postgres(store_url):
                postgres.collate(connection)
                postgres.secure(connection)
                first_statistics.give(connection)
    except DBAPIError as error:
        raise causes.unavailable(error, store_url) from error
    finally:
        engine.dispose()


def is_current(store_url: str) -> bool:
    """Tell whether the store has the newest schema; looking makes nothing.

    Raises:
        StoreUnavailable: when the database can't be read.
    """
    if not exists(store_url):
        return False
    engine = open_reader(store_url)
    try:
        with engine.connect() as connection:
            return _revision(connection) == _newest()
    except DBAPIError as error:
        raise causes.unavailable(error, store_url) from error
    finally:
        engine.dispose()


def schema_problem(connection: sa.Connection) -> str:
    """Return why the schema of an open store does not fit this release, empty where it does.

    One that this release does not know fits: releases only add to it, so that two of them run side by side.
    """
    revision = connection.execute(_REVISION).scalar()
    if revision is None:
        return "the store has no schema: run `dagster-scim migrate`"
    if revision != _newest() and revision in _known():
        return f"the store's schema is of an earlier release ({revision}): run `dagster-scim migrate`"
    return ""


def require_current(store_url: str) -> None:
    """Raise `StoreUnavailable` unless the store has the newest schema."""
    if not is_current(store_url):
        raise StoreUnavailable("the store's schema is not up to date: run `dagster-scim migrate` first")
