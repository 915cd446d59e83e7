"""What the assets stand on: the store's export, the DuckDB warehouse and the alert channels.

Addresses with secrets are in plain objects: the fields of a configurable resource show in the Dagster UI.
"""

import hashlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apprise
from dagster_dbt import DbtCliResource, DbtProject
from dagster_duckdb import DuckDBResource

from scim_app.settings import Settings
from scim_app.store import export_arrow, migrate
from scim_app.store.export import Export, Head
from scim_app.store.export_arrow import ArrowExport

DBT_PROJECT = DbtProject(Path(__file__).parents[1] / "dbt_like_reports")


@dataclass(frozen=True, slots=True)
class ScimStore:
    """The SCIM service's store, read-only, by its export."""

    url: str

    @contextmanager
    def opened(self) -> Generator[Export]:
        """Open the store for reading.

        Raises:
            StoreUnavailable: when there is no store yet, or its schema is not the newest.
        """
        migrate.require_current(self.url)
        export = Export(self.url)
        try:
            yield export
        finally:
            export.close()

    @contextmanager
    def opened_in_bulk(self) -> Generator[ArrowExport]:
        """Open the store for bulk reading: one cut."""
        with export_arrow.opened(self.url) as export:
            yield export

    def heads(self) -> list[Head]:
        """Return where each organization's log stands; none while there is no store."""
        if not migrate.is_current(self.url):
            return []
        with self.opened() as export:
            return export.heads()


@dataclass(frozen=True)
class AlertChannels:
    """Where alerts go: Apprise addresses, such as `mailto://…`, `slack://…` or `json://host/path`."""

    urls: tuple[str, ...]

    def names(self) -> dict[str, str]:
        """Return each channel's name, which tells its kind but no secret, with its address."""
        return {f"{url.split(':')[0]}-{hashlib.sha256(url.encode()).hexdigest()[:8]}": url for url in self.urls}

    def send(self, url: str, *, title: str, body: str) -> bool:
        """Send a message to one channel and tell whether the channel took it."""
        channel = apprise.Apprise()
        return bool(channel.add(url)) and bool(channel.notify(title=title, body=body))


def dbt() -> DbtCliResource:
    """Return the dbt that was installed beside this Python, wherever PATH points."""
    return DbtCliResource(project_dir=DBT_PROJECT, dbt_executable=str(Path(sys.executable).with_name("dbt")))


@dataclass(frozen=True, slots=True)
class ReportFolder:
    """Where compliance reports are kept."""

    path: Path


def resources(settings: Settings) -> dict[str, object]:
    """Return the resources by the names that assets ask for."""
    return {
        "dbt": dbt(),
        "scim": ScimStore(settings.store_url),
        "warehouse": DuckDBResource(database=str(settings.warehouse_path)),
        "reports": ReportFolder(settings.reports_path),
        "channels": AlertChannels(settings.alert_urls),
    }
