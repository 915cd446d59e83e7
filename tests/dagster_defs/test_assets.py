"""The assets tell what the log tells, once, however often they run."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import make
import sqlalchemy as sa
import time_machine
from directories import Directory

from dagster_defs.assets import access, alerts, changes, events, findings, snapshots
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.resources import resources
from scim_app.directory.events import Event, EventType
from scim_app.settings import Settings
from scim_app.store.credentials import tokens
from scim_app.store.db.engines import open_writer

Query = Callable[[str], list[Any]]
PATCHING = replace(make.ACTOR, method="PATCH", path="/Users/ada")
REFUSED = EventType.WRITE_REJECTED


def test_snapshots_are_the_directory_as_it_is(directory: Any, materialize: Any, query: Query) -> None:
    ada = directory.user("ada@example.com", displayName="Ada")
    bob = directory.user("bob@example.com")
    directory.team("Data", ada, bob, "not provisioned yet")
    directory.deactivate(bob)
    materialize()
    assert query("SELECT user_name, active, display_name FROM identity.users ORDER BY user_name") == [
        ("ada@example.com", True, "Ada"),
        ("bob@example.com", False, None),
    ]
    assert query("SELECT display_name FROM identity.teams") == [("Data",)]
    assert query("SELECT pending, count(*) FROM identity.team_members GROUP BY pending ORDER BY pending") == [
        (False, 2),
        (True, 1),
    ]
    assert query("SELECT DISTINCT seq FROM identity.users") == [(6,)]


def test_running_again_changes_nothing(directory: Any, materialize: Any, query: Query) -> None:
    directory.deactivate(directory.user("ada@example.com"))
    tables = ("provisioning_events", "users", "access_changes", "deprovisioned_accounts", "alert_deliveries")
    materialize()
    first: dict[str, list[Any]] = {table: query(f"SELECT * FROM identity.{table} ORDER BY ALL") for table in tables}
    materialize()
    assert {table: query(f"SELECT * FROM identity.{table} ORDER BY ALL") for table in tables} == first
    assert all(first.values())


def test_each_run_copies_the_events_that_are_new(directory: Any, materialize: Any, query: Query) -> None:
    directory.user("ada@example.com")
    materialize()
    directory.user("bob@example.com")
    materialize()
    assert query("SELECT seq FROM identity.provisioning_events ORDER BY seq") == [(1,), (2,), (3,), (4,)]


def test_refused_writes_that_an_older_release_copied_are_read_again(
    directory: Any, materialize: Any, query: Query, settings: Settings
) -> None:
    ada = directory.user("ada@example.com")
    request = make.patch({"op": "Replace", "path": "active", "value": "no"})
    for change in ({"request": request}, {"request": {}, "asked_to_leave": False}):
        told = {"subject_kind": "user", "subject_id": ada, "change": change, "status": 400}
        directory.do(lambda unit, told=told: replace(unit, actor=PATCHING).record(Event(type=REFUSED, **told)))
    materialize()
    copied = "SELECT asked_to_leave FROM identity.provisioning_events ORDER BY seq"
    first = query(copied)
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute("ALTER TABLE identity.provisioning_events DROP COLUMN asked_to_leave")
    materialize()
    assert first == query(copied) == [(None,)] * 3 + [(True,), (False,)]


def test_a_store_restored_to_an_earlier_state_is_copied_anew(
    directory: Any, materialize: Any, query: Query, settings: Settings
) -> None:
    ada = directory.user("ada@example.com")
    materialize()
    engine = open_writer(settings.store_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE organizations SET log_epoch = 'another life'"))
    engine.dispose()
    directory.deactivate(ada)
    materialize()
    assert query("SELECT seq, log_epoch = 'another life' FROM identity.provisioning_events ORDER BY seq")[-1] == (
        4,
        True,
    )
    assert query("SELECT count(*) FROM identity.provisioning_events") == [(4,)]


def test_after_a_restore_past_days_stand_where_the_log_of_now_has_them(
    settings: Settings, materialize: Any, query: Query
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with time_machine.travel(yesterday, tick=True):
        directory = Directory(make.organization(settings))
        directory.user("ada@example.com")
        backup = str(settings.home / "backup.sqlite3")
        make.command("backup", backup, home=settings.home).check_returncode()
        for taken_back in ("bob@example.com", "carl@example.com"):
            directory.user(taken_back)
    directory.store.close()
    make.organization(settings, "taken-back")
    materialize()
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        snapshots.cut(warehouse, [yesterday.date()])
        with resources(settings)["scim"].opened() as export:  # type: ignore[attr-defined]
            access.keep_tokens(warehouse, export, [yesterday.date()])
    make.command("restore", backup, home=settings.home).check_returncode()
    directory = Directory(directory.organization)
    directory.user("eve@example.com")
    directory.store.close()
    materialize()
    for table in ("provisioning_events", "snapshot_cuts", "organizations", "marks", "idp_rhythm"):
        assert query(f"SELECT DISTINCT org FROM identity.{table}") == [("acme",)], table
    past = f"day = '{yesterday.date()}'"
    assert query(f"SELECT user_name FROM identity.users WHERE {past}") == [("ada@example.com",)]
    assert query(f"SELECT DISTINCT seq FROM identity.tokens WHERE {past}") == [(3,)]


def test_a_day_that_has_not_come_is_not_the_newest_for_longer_than_a_clock_is_ahead(
    directory: Directory, materialize: Any, query: Query, settings: Settings
) -> None:
    directory.user("ada@example.com")
    materialize()
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute("INSERT INTO identity.snapshot_cuts SELECT day + 40, org, seq FROM identity.snapshot_cuts")
    materialize()
    assert query("SELECT max(day) FROM identity.snapshot_cuts") == [(last_day(DAYS),)]


def test_what_lasts_is_not_told_again_after_a_restore(
    directory: Any, materialize: Any, channels: Any, settings: Settings
) -> None:
    pepper, lifetime = settings.ensure_pepper(), timedelta(days=6)
    directory.do(lambda unit: tokens.create(unit, idp="okta", pepper=pepper, lifetime=lifetime))
    materialize()
    engine = open_writer(settings.store_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE organizations SET log_epoch = 'another life'"))
    engine.dispose()
    directory.user("ada@example.com")
    materialize()
    assert len(channels[0].titles) == 1


def test_joiners_and_leavers_become_rows(directory: Any, materialize: Any, query: Query) -> None:
    ada = directory.user("ada@example.com")
    directory.team("Data", ada)
    directory.deactivate(ada)
    materialize()
    assert query("SELECT change, how FROM identity.access_changes ORDER BY seq") == [
        ("joiner", "created"),
        ("mover", "joined_team"),
        ("leaver", "deactivated"),
    ]
    assert query("SELECT user_name, how, teams FROM identity.deprovisioned_accounts") == [
        ("ada@example.com", "deactivated", "Data")
    ]


def test_a_finding_is_told_once_to_each_channel(directory: Any, materialize: Any, channels: Any) -> None:
    directory.deactivate(directory.user("ada@example.com"))
    materialize()
    materialize()
    assert [channel.titles for channel in channels] == [["[acme] Account deprovisioned: ada@example.com"]] * 2


def test_a_finding_is_not_passed_over_when_a_run_was_lost_on_the_way_to_it(
    directory: Any, materialize: Any, channels: Any
) -> None:
    directory.deactivate(directory.user("ada@example.com"))
    materialize(events.provisioning_events)  # the run is lost here, and another looks for what lasts
    materialize(findings.findings, alerts.alert_deliveries)
    materialize(changes.access_changes, changes.deprovisioned_accounts, findings.findings)
    assert [channel.titles for channel in channels] == [[], []]
    materialize()
    assert [channel.titles for channel in channels] == [["[acme] Account deprovisioned: ada@example.com"]] * 2


def test_without_a_store_the_location_loads_and_has_nothing_to_do(settings: Settings) -> None:
    assert resources(make.settings(settings.home / "none"))["scim"].heads() == []
    assert not (settings.home / "none").exists()
