"""Writes of an organization without HTTP, and its assets materialized in this process."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg
import make
from make import Organization

from dagster_defs.alerting import Links
from dagster_defs.assets import access, alerts, changes, events, findings, history, snapshots, sync_health
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.resources import AlertChannels, resources
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.settings import Settings
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

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
    sync_health.idp_rhythm,
    findings.findings,
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


def materialize_all(
    settings: Settings,
    channels: Sequence[Any],
    *assets: Any,
    raise_on_error: bool = True,
    instance: dg.DagsterInstance | None = None,
    tags: dict[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    """Materialize all assets before dbt, or those named."""
    links = Links("https://scim.example.com", "https://dagster.example.com")
    chosen = assets or BEFORE_DBT
    return dg.materialize(
        chosen,
        resources=resources(settings) | {"channels": AlertChannels(tuple(channels), links)},
        partition_key=last_day(DAYS).isoformat() if any(one.partitions_def for one in chosen) else None,
        raise_on_error=raise_on_error,
        instance=instance,
        tags=tags,
    )
