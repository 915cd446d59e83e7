"""Days are fixed when they have ended in the organization's zone, all that were missed in one run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import duckdb
import make
import pytest
import time_machine
from dagster._core.storage.tags import RUN_KEY_TAG
from directories import Directory

from dagster_defs import schedules
from dagster_defs.assets import events
from dagster_defs.resources import resources
from scim_app.settings import Settings
from scim_app.store.access import organization_settings

DAYS = dg.DailyPartitionsDefinition(start_date="2026-10-01", end_date="2026-11-01")


def ended(settings: Settings, instance: dg.DagsterInstance) -> list[tuple[str, ...]]:
    """What the schedule asks for at an instant that is the 25th in Tokyo, the 24th in Los Angeles."""
    at = datetime(2026, 10, 24, 16, 10, tzinfo=UTC)
    held = {"scim": resources(settings)["scim"]}
    with dg.build_schedule_context(scheduled_execution_time=at, resources=held, instance=instance) as context:
        asked: Any = schedules.end_of_day_schedule(context)
        return [(one.run_key, *sorted(one.tags.values())) for one in asked]


def test_the_schedule_fixes_each_zones_day_with_all_days_before_that_were_missed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.organization(settings, "west", time_zone="America/Los_Angeles")
    make.organization(settings, "east", time_zone="Asia/Tokyo")
    make.organization(settings, "east-too", time_zone="Asia/Tokyo")
    monkeypatch.setattr(schedules, "DAYS", DAYS)
    with dg.DagsterInstance.local_temp(str(settings.home)) as instance:
        assert ended(settings, instance) == [
            ("end-of-day/America/Los_Angeles/2026-10-23/2026-10-01", "2026-10-01", "2026-10-23"),
            ("end-of-day/Asia/Tokyo/2026-10-24/2026-10-01", "2026-10-01", "2026-10-24"),
        ]
        for day in DAYS.get_partition_keys():
            instance.report_runless_asset_event(dg.AssetMaterialization("users", partition=day))
        assert ended(settings, instance)[1] == (
            "end-of-day/Asia/Tokyo/2026-10-24/2026-10-24",
            "2026-10-24",
            "2026-10-24",
        )


def test_a_day_is_not_fixed_while_its_partition_goes_on_taking_in_what_is_new(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.organization(settings, "east", time_zone="Asia/Tokyo")
    going_on = dg.DailyPartitionsDefinition(start_date="2026-10-20", end_offset=1)
    monkeypatch.setattr(schedules, "DAYS", going_on)
    with dg.DagsterInstance.local_temp(str(settings.home)) as instance:
        for day in ("2026-10-20", "2026-10-21", "2026-10-22", "2026-10-23", "2026-10-24"):
            instance.report_runless_asset_event(dg.AssetMaterialization("users", partition=day))
        with time_machine.travel(datetime(2026, 10, 24, 16, 10, tzinfo=UTC), tick=True):
            assert ended(settings, instance)[0][0] == "end-of-day/Asia/Tokyo/2026-10-23/2026-10-23"
        with time_machine.travel(datetime(2026, 10, 25, 0, 10, tzinfo=UTC), tick=True):
            assert ended(settings, instance)[0][0] == "end-of-day/Asia/Tokyo/2026-10-24/2026-10-24"


def test_a_day_stays_what_it_was_when_another_zone_is_set(settings: Settings) -> None:
    scim: Any = resources(settings)["scim"]

    def days(connection: duckdb.DuckDBPyConnection) -> list[str]:
        events.copy(connection, scim)
        found = connection.execute("SELECT DISTINCT day FROM identity.provisioning_events ORDER BY day").fetchall()
        return [row[0].isoformat() for row in found]

    with duckdb.connect() as warehouse, duckdb.connect() as made_anew:
        with time_machine.travel(datetime(2026, 11, 20, 15, tzinfo=UTC)):
            directory = Directory(make.organization(settings, time_zone="Pacific/Apia"))
            assert days(warehouse) == ["2026-11-21"]
        with time_machine.travel(datetime(2026, 11, 24, 3, 30, tzinfo=UTC)):
            directory.do(lambda unit: organization_settings.change(unit, time_zone="America/Santiago"))
            directory.user("ada@example.com")
            directory.store.close()
            assert days(warehouse) == days(made_anew) == ["2026-11-21", "2026-11-24"]


@pytest.mark.parametrize(
    ("zone", "last", "at"),
    [
        ("Asia/Tokyo", "2026-10-25T15:00Z", "2026-10-25T21:00Z"),
        ("America/New_York", "2026-10-26T04:00Z", "2026-10-26T10:00Z"),
        ("Pacific/Honolulu", "2026-10-26T10:00Z", "2026-10-26T16:00Z"),
        ("Pacific/Kiritimati", "2026-10-25T10:00Z", "2026-10-25T16:00Z"),
    ],
)
def test_a_report_is_due_after_the_week_has_ended_where_the_organization_is(
    settings: Settings, zone: str, last: str, at: str
) -> None:
    with time_machine.travel(datetime(2026, 10, 1, tzinfo=UTC)):
        make.organization(settings, "acme", time_zone=zone)
    (schedule,) = (one for one in schedules.SCHEDULES if one.name == "weekly_operations_schedule")
    scim: Any = resources(settings)["scim"]
    due, end = datetime.fromisoformat(at), datetime.fromisoformat(last)
    assert end < due
    with dg.DagsterInstance.local_temp(str(settings.home)) as instance:
        for moment, period in ((due, "2026-W43"), (due - timedelta(minutes=15), "2026-W42"), (end, "2026-W42")):
            (request,) = requests(schedule, scim, instance, moment)
            asked = request.run_config["ops"]["weekly_operations_report"]["config"]
            assert asked == {"period": period, "time_zone": zone}


def requests(schedule: Any, scim: Any, instance: dg.DagsterInstance, moment: datetime) -> Any:
    """What a schedule asks for at a moment."""
    given: Any = {"scheduled_execution_time": moment, "resources": {"scim": scim}, "instance": instance}
    with dg.build_schedule_context(**given) as context:
        return schedule.evaluate_tick(context).run_requests or []


def test_a_report_is_made_once_however_often_it_is_looked_whether_it_is_due(settings: Settings) -> None:
    with time_machine.travel(datetime(2026, 10, 1, tzinfo=UTC)):
        for slug, zone in (("acme", "UTC"), ("newer", "UTC"), ("tokyo", "Asia/Tokyo")):
            make.organization(settings, slug, time_zone=zone)
    (schedule,) = (one for one in schedules.SCHEDULES if one.name == "weekly_operations_schedule")
    scim: Any = resources(settings)["scim"]
    due = datetime(2026, 10, 26, 6, tzinfo=UTC)
    made: list[list[str]] = []
    with dg.DagsterInstance.local_temp(str(settings.home)) as instance:
        for moment in (due, due + timedelta(minutes=15), due + timedelta(days=6), due + timedelta(days=7)):
            of_a_tick = requests(schedule, scim, instance, moment)
            made.append([request.run_config["ops"]["weekly_operations_report"]["config"] for request in of_a_tick])
            for request in of_a_tick:  # as the scheduler does
                tags = {**request.tags, RUN_KEY_TAG: request.run_key}
                instance.add_run(dg.DagsterRun(job_name="weekly_operations", tags=tags))
    zones = ("Asia/Tokyo", "UTC")
    first, second = ([{"period": week, "time_zone": zone} for zone in zones] for week in ("2026-W43", "2026-W44"))
    assert made == [first, [], [], second]
