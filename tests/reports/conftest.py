"""The made-up year in a warehouse, its marts on DuckDB and PostgreSQL, and its packs: made once for all tests."""

import json
import subprocess
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import make
import postgres
import psycopg
import pytest
from reports import on_postgres as on_postgres_server

from dagster_defs.assets import access, changes, events, history, reviews, snapshots, sync_health
from dagster_defs.assets.evidence import write_packs
from dagster_defs.assets.marts import make_sources
from dagster_defs.evidence.periods import Period
from dagster_defs.evidence.reports import REPORTS
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.resources import resources
from dagster_defs.to_postgres import copy
from scim_app.cli.history.building import build
from scim_app.settings import Settings
from scim_app.store.db import migrate
from scim_app.store.export import Export
from scim_app.store.log.session import Store

ENDS = datetime(2026, 11, 1, tzinfo=UTC)
LAST_DAY = "2026-10-31"
PROJECT = make.ROOT / "dbt_like_reports"
Query = Callable[[str], list[Any]]


@dataclass(frozen=True)
class Year:
    """A home with the made-up year in its store and warehouse."""

    settings: Settings
    org_id: str

    def log(self) -> list[dict[str, Any]]:
        """All events, their JSON as values."""
        export = Export(self.settings.store_url)
        try:
            found = export.events(self.org_id, limit=1_000_000)
        finally:
            export.close()
        return [row | {name: json.loads(row[name] or "null") for name in ("change", "document")} for row in found]


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    """The year from November 2025 to October 2026."""
    settings = make.settings(tmp_path_factory.mktemp("year"))
    settings.ensure_pepper()
    migrate.upgrade(settings.store_url)
    store = Store(settings.store_url)
    try:
        organization = build(settings, store, "northwind", ends=ENDS)
    finally:
        store.close()
    assets = [
        *(events.provisioning_events, history.history, snapshots.snapshots, sync_health.sync_failures),
        *(changes.access_changes, changes.deprovisioned_accounts, access.tokens, reviews.reviews),
    ]
    dg.materialize(assets, resources=resources(settings), partition_key=last_day(DAYS).isoformat())
    make_sources(resources(settings)["warehouse"])
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute(
            "INSERT INTO identity.snapshot_cuts SELECT ?, org, seq FROM identity.snapshot_cuts", [LAST_DAY]
        )
        warehouse.execute(
            "INSERT INTO identity.tokens SELECT ? AS day, * EXCLUDE (day) FROM identity.tokens", [LAST_DAY]
        )
    return Year(settings, organization.id)


def dbt_build(target: str, folder: Path, **variables: object) -> Path:
    """Build and test all models and return dbt's folder; fails with what dbt says."""
    made = folder / f"dbt_{target}"
    command = ["build", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", target]
    told = ["--target-path", str(made), "--vars", json.dumps({"as_of_day": LAST_DAY, **variables})]
    env = make.environment(folder)
    done = subprocess.run(
        [str(make.BIN / "dbt"), *command, *told], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return made


@pytest.fixture(scope="session")
def dbt_folder(year: Year, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What dbt left of building the marts on DuckDB."""
    return dbt_build("duckdb", tmp_path_factory.mktemp("duckdb"), warehouse=str(year.settings.warehouse_path))


@pytest.fixture(scope="session")
def on_duckdb(year: Year, dbt_folder: Path) -> Query:
    """Asks the marts on DuckDB."""
    assert dbt_folder.is_dir()
    path = str(year.settings.warehouse_path)

    def ask(text: str) -> list[Any]:
        with duckdb.connect(path, read_only=True) as connection:
            return connection.execute(text).fetchall()

    return ask


@pytest.fixture(scope="session")
def on_postgres(year: Year, postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Query]:
    """Asks the marts on PostgreSQL."""
    with postgres.database(postgres_server, "marts") as made:
        address = on_postgres_server.plain(made)
        with duckdb.connect(str(year.settings.warehouse_path), read_only=True) as warehouse:
            copy(warehouse, address, date.fromisoformat(LAST_DAY))
        dbt_build("postgres", tmp_path_factory.mktemp("postgres"), **on_postgres_server.variables(address))

        def ask(text: str) -> list[Any]:
            with psycopg.connect(address) as connection:
                return connection.execute(text).fetchall()  # pyright: ignore[reportArgumentType]

        yield ask


@pytest.fixture(scope="session")
def pack(year: Year) -> Path:
    """The pack of the third quarter's access review."""
    held: dict[str, Any] = resources(year.settings)
    packs = write_packs(
        REPORTS["quarterly_access_review"],
        Period.named("2026-Q3"),
        dbt=held["dbt"],
        scim=held["scim"],
        warehouse=held["warehouse"],
        root=year.settings.reports_path,
        run_id="test",
    )
    (folder,) = packs.folders
    return folder
