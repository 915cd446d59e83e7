"""Bringing a store's schema up to date (Alembic)."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from scim_app.errors import StoreUnavailable
from scim_app.store.session import exists, open_reader, open_writer


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


def upgrade(store_url: str) -> None:
    """Bring the store to the newest schema, making it where there is none."""
    config, engine = _config(), open_writer(store_url)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def is_current(store_url: str) -> bool:
    """Tell whether the store has the newest schema; looking makes nothing."""
    if not exists(store_url):
        return False
    engine = open_reader(store_url)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return current == ScriptDirectory.from_config(_config()).get_current_head()


def require_current(store_url: str) -> None:
    """Raise `StoreUnavailable` unless the store has the newest schema."""
    if not is_current(store_url):
        raise StoreUnavailable("the store's schema is not up to date: run `dagster-scim migrate` first")
