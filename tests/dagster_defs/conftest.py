"""A small directory with a history, and the means to materialize it in this process."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import make
import pytest
from directories import Directory, materialize_all
from recording import Recorder

from scim_app.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh home."""
    return make.settings(tmp_path)


@pytest.fixture
def directory(settings: Settings) -> Generator[Directory]:
    """An organization to write to."""
    made = Directory(make.organization(settings))
    yield made
    made.store.close()


@pytest.fixture
def channels() -> list[Recorder]:
    """Two alert channels."""
    return [Recorder("one"), Recorder("two")]


@pytest.fixture
def materialize(settings: Settings, channels: list[Recorder]) -> Callable[..., dg.ExecuteInProcessResult]:
    """Materializes all assets before dbt, or those named."""
    return lambda *assets, **options: materialize_all(settings, channels, *assets, **options)


@pytest.fixture
def query(settings: Settings) -> Callable[[str], list[Any]]:
    """Asks the warehouse."""

    def ask(text: str) -> list[Any]:
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            return connection.execute(text).fetchall()

    return ask
