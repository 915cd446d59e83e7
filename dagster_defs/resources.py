"""What the assets stand on: the store's export, the DuckDB warehouse and the alert channels.

Addresses with secrets are in plain objects: the fields of a configurable resource show in the Dagster UI.
"""

import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DbtCliResource, DbtProject
from dagster_duckdb import DuckDBResource
from pydantic import PrivateAttr

from dagster_defs import provenance
from dagster_defs.alerting import Links
from dagster_defs.channels import Channel, channel, mailbox
from dagster_defs.run_locks import RunLocks
from scim_app.private import make_folder, secure
from scim_app.settings import Settings
from scim_app.store.db import migrate
from scim_app.store.export import Export, Head, arrow
from scim_app.store.export.arrow import ArrowExport

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
        with arrow.opened(self.url) as export:
            yield export

    def tokens(self) -> list[dict[str, Any]]:
        """Return every organization's SCIM tokens with `org`; instants as such (UTC, without a zone)."""
        with self.opened() as export:
            found = [{"org": head.slug, **token} for head in export.heads() for token in export.tokens(head.org_id)]
        for token in found:
            for name in ("created_at", "expires_at", "revoked_at", "last_used_at"):
                token[name] = datetime.fromisoformat(token[name]).replace(tzinfo=None) if token[name] else None
        return found

    def last_refusal(self, org_id: str, *, after: int) -> int:
        """Return the number of the last refused write after an event, 0 when there is none."""
        with self.opened() as export:
            return export.last_refusal(org_id, after=after)

    def has_any(self, events: Mapping[str, int]) -> bool:
        """Tell whether the log of any organization has an event, given its number by slug."""
        with self.opened() as export:
            org_ids = {head.slug: head.org_id for head in export.heads() if head.slug in events}
            next_events = {slug: export.events(org_ids[slug], after=events[slug] - 1, limit=1) for slug in org_ids}
        return any(found and found[0]["seq"] == events[slug] for slug, found in next_events.items())

    def heads(self) -> list[Head]:
        """Return where each organization's log stands; none while there is no store."""
        if not migrate.is_current(self.url):
            return []
        with self.opened() as export:
            return export.heads()


@dataclass(frozen=True)
class AlertChannels:
    """Where alerts go."""

    channels: tuple[Channel, ...]
    links: Links
    mail_server: str | None = field(default=None, repr=False)
    """Server of the mail to single persons, such as reminders to reviewers; none is sent without it."""

    def all(self, persons: Iterable[str]) -> list[Channel]:
        """Return the channels, and the mailboxes of persons where there is a server for them."""
        mailboxes = [mailbox(self.mail_server, person) for person in persons] if self.mail_server else []
        return [*self.channels, *mailboxes]


def alert_channels(settings: Settings) -> AlertChannels:
    """Return the alert channels of the settings."""
    secret = settings.alert_webhook_secret.get_secret_value().encode() if settings.alert_webhook_secret else b""
    links = Links(settings.base_url, str(settings.dagster_url).rstrip("/"))
    server = settings.reminder_mail.get_secret_value() if settings.reminder_mail else None
    return AlertChannels(tuple(channel(url, secret) for url in settings.alert_urls), links, server)


def dbt() -> DbtCliResource:
    """Return the dbt that was installed beside this Python, wherever PATH points."""
    return DbtCliResource(project_dir=DBT_PROJECT, dbt_executable=str(Path(sys.executable).with_name("dbt")))


@dataclass(frozen=True, slots=True)
class ReportFolder:
    """Where compliance reports are kept."""

    path: Path


class Warehouse(DuckDBResource):
    """The DuckDB file of the warehouse, which its owner alone reads, in a folder that its owner alone enters.

    In a run it is opened only where it has what the runs before have written.
    """

    _prove: Callable[[duckdb.DuckDBPyConnection], None] | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Take note of the run that the warehouse is opened for."""
        if context.instance is not None and context.run is not None:
            self._prove = partial(provenance.prove, context.instance, context.run, path=self.database)

    @contextmanager
    def get_connection(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Open the warehouse for reading and writing.

        Raises:
            OtherWarehouse: when it lacks what earlier runs wrote.
        """
        path = Path(self.database)
        make_folder(path.parent)
        with super().get_connection() as connection:
            try:
                secure(path)
                if self._prove is not None:
                    self._prove(connection)
                    self._prove = None
                yield connection
            finally:
                connection.close()


def warehouse(settings: Settings) -> Warehouse:
    """Return the warehouse; what does not fit into the memory it may use goes to disk beside it."""
    config = {"memory_limit": settings.warehouse_memory, "preserve_insertion_order": False}
    return Warehouse(database=str(settings.warehouse_path), connection_config=config)


def run_locks(settings: Settings) -> RunLocks:
    """Return the locks of the runs that use the home of the settings."""
    return RunLocks(settings.home / "runs")


def resources(settings: Settings) -> dict[str, object]:
    """Return the resources by the names that assets ask for."""
    return {
        "dbt": dbt(),
        "scim": ScimStore(settings.store_url),
        "warehouse": warehouse(settings),
        "reports": ReportFolder(settings.reports_path),
        "channels": alert_channels(settings),
        "run_locks": run_locks(settings),
    }
