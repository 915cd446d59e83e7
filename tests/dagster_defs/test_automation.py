"""Runs are asked for when there is something new, once, and for the day it is in each organization."""

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import duckdb
import make
import pytest

from dagster_defs import automation, partitions
from dagster_defs.assets import snapshots
from dagster_defs.resources import resources
from scim_app.settings import Settings
from scim_app.store.export import Head


def tick(scim: Any, cursor: str | None, instance: dg.DagsterInstance) -> Any:
    """One evaluation of the sensor."""
    context = dg.build_sensor_context(cursor=cursor, instance=instance, resources={"scim": scim})
    return automation.provisioning_event_sensor(context)


def test_the_sensor_asks_for_one_run_for_any_number_of_events(directory: Any, settings: Settings) -> None:
    scim = resources(settings)["scim"]
    with dg.DagsterInstance.ephemeral() as instance:
        directory.user("ada@example.com")
        directory.user("bob@example.com")
        first = tick(scim, None, instance)
        assert len(first.run_requests) == 1
        assert isinstance(tick(scim, first.cursor, instance), dg.SkipReason)
        directory.user("cid@example.com")
        second = tick(scim, first.cursor, instance)
        assert len(second.run_requests) == 1
        assert second.run_requests[0].run_key != first.run_requests[0].run_key


def test_the_sensor_waits_for_a_run_that_has_not_begun(directory: Any, settings: Settings) -> None:
    directory.user("ada@example.com")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(dg.DagsterRun(job_name=automation.provisioning.name, status=dg.DagsterRunStatus.NOT_STARTED))
        assert isinstance(tick(resources(settings)["scim"], None, instance), dg.SkipReason)


def test_the_sensor_rests_while_there_is_no_store(settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert isinstance(tick(resources(settings)["scim"], None, instance), dg.SkipReason)


def head(zone: str) -> Head:
    """Where the log of an organization in a time zone stands."""
    return Head("o", "acme", "Acme", zone, "2026-01-01T00:00:00.000000Z", "epoch", 9, "f" * 64)


@pytest.mark.parametrize(
    ("zone", "end"),
    [
        ("UTC", "2026-03-30T00:00:00.000000Z"),
        ("America/Los_Angeles", "2026-03-30T07:00:00.000000Z"),
        ("Pacific/Auckland", "2026-03-29T11:00:00.000000Z"),
        ("Europe/Paris", "2026-03-29T22:00:00.000000Z"),  # the day on which summer time began
    ],
)
def test_a_day_ends_at_midnight_in_the_organizations_time_zone(zone: str, end: str) -> None:
    assert partitions.end_of(head(zone), date(2026, 3, 29)) == end


def test_a_past_day_is_cut_at_its_end_and_the_running_day_is_not(
    directory: Any, settings: Settings, materialize: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(["2099-01-01T23:59:59.999999Z", "2099-01-02T00:00:00.000000Z"])
    monkeypatch.setattr("scim_app.store.event_log.now", lambda: next(moments))
    directory.user("ada@example.com")
    directory.user("bob@example.com")
    materialize()
    monkeypatch.setattr(snapshots, "last_day", lambda _: date(2099, 1, 2))
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        assert snapshots.cuts(warehouse, date(2099, 1, 1)) == {"acme": 3}
        assert snapshots.cuts(warehouse, date(2099, 1, 2)) == {"acme": 4}


def test_the_schedule_fixes_each_organizations_day_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    make.organization(settings, "west", time_zone="America/Los_Angeles")
    make.organization(settings, "east", time_zone="Asia/Tokyo")
    make.organization(settings, "east-too", time_zone="Asia/Tokyo")
    monkeypatch.setattr(
        automation, "DAYS", dg.DailyPartitionsDefinition(start_date="2026-10-01", end_date="2026-11-01")
    )
    at = datetime(2026, 10, 24, 16, 10, tzinfo=UTC)  # the 25th in Tokyo, the 24th in Los Angeles
    context = dg.build_schedule_context(scheduled_execution_time=at, resources={"scim": resources(settings)["scim"]})
    requests = list(automation.end_of_day_schedule(context))
    assert [(request.run_key, request.partition_key) for request in requests] == [
        ("end-of-day/America/Los_Angeles/2026-10-23", "2026-10-23"),
        ("end-of-day/Asia/Tokyo/2026-10-24", "2026-10-24"),
    ]


def test_a_failed_run_is_told_to_every_channel(channels: Any, sent: Any) -> None:
    @dg.op
    def fails() -> None:
        raise ValueError("out of disk")

    @dg.job(name=automation.provisioning.name)
    def failing() -> None:
        fails()

    with dg.DagsterInstance.ephemeral() as instance:
        result = failing.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="run_failure_alert",
            dagster_event=result.get_run_failure_event(),
            dagster_instance=instance,
            dagster_run=result.dagster_run,
        ).for_run_failure()
        automation.run_failure_alert(context, channels=channels)
    assert sent() == [
        "json://one.example Dagster run failed: provisioning",
        "json://two.example Dagster run failed: provisioning",
    ]
