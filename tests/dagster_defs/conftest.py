"""A small directory with a history, and the means to materialize it in this process."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import make
import pytest
from make import Organization

from dagster_defs.assets import access, alerts, changes, events, history, snapshots, sync_health
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.resources import AlertChannels, resources
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.settings import Settings
from scim_app.store import writes
from scim_app.store.event_log import Unit
from scim_app.store.session import Store

BEFORE_DBT = [
    events.provisioning_events,
    history.history,
    snapshots.snapshots,
    sync_health.sync_failures,
    sync_health.sync_health,
    changes.access_changes,
    changes.deprovisioned_accounts,
    access.tokens,
    access.orphaned_access,
    access.dormant_accounts,
    alerts.alert_deliveries,
]


class Directory:
    """Writes of an organization without HTTP."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.store = Store(organization.settings.store_url)

    def do(self, work: Callable[[Unit], Any]) -> Any:
        return self.store.write(lambda db: work(Unit.begin(db, self.organization.id, make.ACTOR)))

    def user(self, name: str, **attributes: Any) -> str:
        document = make.user(name, **attributes)
        return self.do(lambda unit: writes.create(unit, USER, document, MemberDelta())).id

    def team(self, name: str, *members: str) -> str:
        document = {"schemas": [make.GROUP], "displayName": name}
        return self.do(lambda unit: writes.create(unit, TEAM, document, MemberDelta(added=dict.fromkeys(members)))).id

    def deactivate(self, user_id: str) -> None:
        def edit(_: Unit, stored: Any) -> Any:
            return {**stored.load(), "active": False}, MemberDelta()

        self.do(lambda unit: writes.update(unit, USER, user_id, edit))


@dataclass(frozen=True)
class Channels(AlertChannels):
    """Keeps what is sent; refuses everything while a file named `broken` is in its folder."""

    folder: Path = Path()

    def send(self, url: str, *, title: str, body: str) -> bool:
        if (self.folder / "broken").exists():
            return False
        with (self.folder / "sent").open("a") as sent:
            sent.write(f"{url} {title}\n")
        return True


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh home with two alert channels."""
    return make.settings(tmp_path, alert_urls="json://one.example json://two.example")


@pytest.fixture
def directory(settings: Settings) -> Generator[Directory]:
    """An organization to write to."""
    made = Directory(make.organization(settings))
    yield made
    made.store.close()


@pytest.fixture
def channels(settings: Settings) -> Channels:
    """The two alert channels."""
    return Channels(settings.alert_urls, settings.home)


@pytest.fixture
def materialize(settings: Settings, channels: Channels) -> Callable[..., dg.ExecuteInProcessResult]:
    """Materializes all assets before dbt, or those named."""
    held = resources(settings) | {"channels": channels}

    def run(*assets: Any, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            assets or BEFORE_DBT,
            resources=held,
            partition_key=last_day(DAYS).isoformat(),
            raise_on_error=raise_on_error,
        )

    return run


@pytest.fixture
def query(settings: Settings) -> Callable[[str], list[Any]]:
    """Asks the warehouse."""

    def ask(text: str) -> list[Any]:
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            return connection.execute(text).fetchall()

    return ask


@pytest.fixture
def sent(settings: Settings) -> Callable[[], list[str]]:
    """What the alert channels took."""
    path = settings.home / "sent"
    return lambda: path.read_text().splitlines() if path.exists() else []
