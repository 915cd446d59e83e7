"""Each sensor asks for a run when there is something to do, once, and rests when there is not."""

import json
import time
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import duckdb
import pytest
from directories import Directory, materialize_all
from recording import Recorder

from dagster_defs import asking, asset_checks, jobs, sensors
from dagster_defs.assets import alerts, events, findings, sync_health
from dagster_defs.definitions import defs
from dagster_defs.resources import resources
from scim_app.directory.events import Event, EventType
from scim_app.settings import Settings
from scim_app.store.credentials import tokens


@pytest.fixture
def instance() -> Generator[dg.DagsterInstance]:
    """A Dagster instance of its own."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def tick(sensor: dg.SensorDefinition, settings: Settings, instance: dg.DagsterInstance, cursor: str | None) -> Any:
    """One evaluation of a sensor."""
    held = {name: resources(settings)[name] for name in ("scim", "warehouse")}
    needed = {name: held[name] for name in sensor.required_resource_keys}
    return sensor(dg.build_sensor_context(instance=instance, cursor=cursor, resources=needed, sensor_name=sensor.name))


def asked(answer: Any) -> int:
    """How many runs an evaluation asked for."""
    return 0 if isinstance(answer, dg.SkipReason) else len(answer.run_requests or [])


def refuse(directory: Directory) -> None:
    """A write that the identity provider had refused."""
    event = Event(
        type=EventType.WRITE_REJECTED,
        subject_kind="user",
        subject_id=None,
        subject_name="ada",
        change={},
        status=409,
        scim_type="uniqueness",
        detail="taken",
    )
    directory.do(lambda unit: unit.record(event))


def test_a_refused_write_that_no_run_took_is_asked_for_after_a_minute(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance
) -> None:
    sensor = sensors.sync_failure_sensor
    assert asked(tick(sensor, settings, instance, None)) == 0
    refuse(directory)
    first = tick(sensor, settings, instance, None)
    second = tick(sensor, settings, instance, first.cursor)
    assert (asked(first), asked(second)) == (0, 1)
    materialize_all(settings, [], events.provisioning_events, instance=instance)
    assert asked(tick(sensor, settings, instance, second.cursor)) == 0


def test_a_silent_identity_provider_is_told_once_and_so_is_its_return(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance
) -> None:
    sensor = sensors.idp_silence_sensor
    assert asked(tick(sensor, settings, instance, None)) == 0  # there is no warehouse yet
    directory.user("ada@example.com")
    materialize_all(settings, [], events.provisioning_events, sync_health.idp_rhythm)
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute(
            "INSERT INTO identity.provisioning_events BY NAME "
            "SELECT org, idp, occurred_at - to_hours(hour) AS occurred_at "
            "FROM identity.provisioning_events, range(100, 120) AS hours(hour) WHERE idp IS NOT NULL"
        )
        warehouse.execute("UPDATE identity.provisioning_events SET occurred_at = occurred_at - INTERVAL 10 DAY")
    silent = tick(sensor, settings, instance, None)
    assert not isinstance(silent, dg.SkipReason), silent.skip_message
    assert asked(silent) == 1
    assert json.loads(silent.cursor) == ["acme/okta"]
    assert asked(tick(sensor, settings, instance, silent.cursor)) == 0
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute("UPDATE identity.provisioning_events SET occurred_at = occurred_at + INTERVAL 10 DAY")
    assert asked(tick(sensor, settings, instance, silent.cursor)) == 1


def test_a_token_that_ends_soon_is_told_at_each_step(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance
) -> None:
    sensor, organization = sensors.token_expiry_sensor, directory.organization

    def token(days: int) -> None:
        pepper, lifetime = settings.ensure_pepper(), timedelta(days=days)
        directory.do(lambda unit: tokens.create(unit, idp="okta", pepper=pepper, lifetime=lifetime))

    assert organization.settings == settings
    token(300)
    assert asked(tick(sensor, settings, instance, None)) == 0
    token(6)
    ending = tick(sensor, settings, instance, None)
    assert asked(ending) == 1
    assert json.loads(ending.cursor)[0].endswith("/7")
    assert asked(tick(sensor, settings, instance, ending.cursor)) == 0
    ends, pepper = json.loads(ending.cursor)[0].split("/")[0], settings.ensure_pepper()
    directory.do(lambda unit: tokens.rotate(unit, ends, pepper=pepper))
    replaced = tick(sensor, settings, instance, ending.cursor)
    assert (asked(replaced), json.loads(replaced.cursor)) == (1, [])  # it ends tomorrow, but nothing goes by it


def test_a_failed_check_is_told_once_and_so_is_its_end(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance
) -> None:
    directory.user("ada@example.com")
    materialize_all(settings, [])
    sensor, check = sensors.asset_check_failure_sensor, asset_checks.snapshots.user_names_are_unique

    def evaluate() -> None:
        held = resources(settings)
        dg.materialize(
            [check], instance=instance, resources=held, raise_on_error=False, selection=dg.AssetSelection.checks(check)
        )

    evaluate()
    assert asked(tick(sensor, settings, instance, None)) == 0
    cursor = None
    for change in (
        "INSERT INTO identity.user_versions FROM identity.user_versions",
        "DELETE FROM identity.user_versions",
    ):
        with duckdb.connect(str(settings.warehouse_path)) as warehouse:
            warehouse.execute(change)
        evaluate()
        answer = tick(sensor, settings, instance, cursor)
        assert asked(answer) == 1
        cursor = answer.cursor
        assert asked(tick(sensor, settings, instance, cursor)) == 0


def test_a_refused_alert_is_tried_again_when_its_time_has_come(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = sensors.alert_retry_sensor
    assert asked(tick(sensor, settings, instance, None)) == 0
    directory.deactivate(directory.user("ada@example.com"))
    materialize_all(settings, [Recorder("one", broken=True)], instance=instance)
    assert asked(tick(sensor, settings, instance, None)) == 0  # fifteen seconds have not passed

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=16)

    monkeypatch.setattr(sensors, "datetime", Later)
    assert asked(tick(sensor, settings, instance, None)) == 1
    monkeypatch.undo()
    again = Recorder("one")
    materialize_all(settings, [again], findings.findings, alerts.alert_deliveries, instance=instance)
    assert again.sent == []  # still too early for the ledger too


def test_reports_are_made_once_the_directory_has_come_to_rest(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensor = sensors.reporting_sensor
    assert asked(tick(sensor, settings, instance, None)) == 0
    directory.user("ada@example.com")
    materialize_all(settings, [], events.provisioning_events, instance=instance)
    busy = tick(sensor, settings, instance, None)
    assert asked(busy) == 0
    monkeypatch.setattr(sensors, "REST_SECONDS", 0)
    rested = tick(sensor, settings, instance, busy.cursor)
    assert asked(rested) == 1
    made = dg.DagsterRun(job_name=jobs.reporting.name, tags=rested.run_requests[0].tags)
    instance.report_run_failed(instance.add_run(made))
    assert asked(tick(sensor, settings, instance, rested.cursor)) == 0  # a moment later it is asked for again
    later = time.time() + asking.PAUSE_SECONDS + 1
    monkeypatch.setattr(asking.time, "time", lambda: later)
    again = tick(sensor, settings, instance, rested.cursor)
    assert asked(again) == 1
    tags, success = again.run_requests[0].tags, dg.DagsterRunStatus.SUCCESS
    instance.add_run(dg.DagsterRun(job_name=jobs.reporting.name, status=success, tags=tags))
    done = tick(sensor, settings, instance, again.cursor)
    assert (asked(done), asked(tick(sensor, settings, instance, done.cursor))) == (0, 0)
    assert json.loads(done.cursor)[0] == again.run_requests[0].tags[asking.PURPOSE]


def test_reports_do_not_wait_for_a_rest_that_does_not_come(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance
) -> None:
    directory.user("ada@example.com")
    materialize_all(settings, [], events.provisioning_events, instance=instance)
    long_ago = json.dumps([None, time.time() - sensors.LONGEST_WAIT_SECONDS])
    overdue = tick(sensors.reporting_sensor, settings, instance, long_ago)
    assert asked(overdue) == 1
    assert sensors.OVERDUE in overdue.run_requests[0].tags


def test_the_wait_begins_anew_once_reports_were_made(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance
) -> None:
    assert sensors.REPORTED in defs.resolve_job_def(jobs.reporting.name).asset_layer.selected_asset_keys
    directory.user("ada@example.com")
    materialize_all(settings, [], events.provisioning_events, instance=instance)
    long_ago = json.dumps(["an earlier run", time.time() - 2 * sensors.LONGEST_WAIT_SECONDS])
    instance.report_runless_asset_event(dg.AssetMaterialization(sensors.REPORTED))
    assert asked(tick(sensors.reporting_sensor, settings, instance, long_ago)) == 0


def test_new_events_end_reports_that_are_being_made_but_not_overdue_ones(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.user("ada@example.com")
    reports = [
        instance.add_run(dg.DagsterRun(job_name=jobs.reporting.name, status=dg.DagsterRunStatus.STARTED, tags=tags))
        for tags in ({}, {sensors.OVERDUE: "true"})
    ]
    ended = list[str]()
    monkeypatch.setattr(type(instance.run_launcher), "terminate", lambda _, run_id: ended.append(run_id))
    assert asked(tick(sensors.provisioning_event_sensor, settings, instance, None)) == 1
    assert ended == [reports[0].run_id]


def test_reports_that_are_starting_are_ended_once_they_have_begun_and_so_have_not_failed(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.user("ada@example.com")
    starting = dg.DagsterRunStatus.STARTING
    reports = instance.add_run(dg.DagsterRun(job_name=jobs.reporting.name, status=starting))
    ended = list[str]()
    monkeypatch.setattr(type(instance.run_launcher), "terminate", lambda _, run_id: ended.append(run_id))
    (request,) = tick(sensors.provisioning_event_sensor, settings, instance, None).run_requests
    instance.add_run(dg.DagsterRun(job_name=jobs.provisioning.name, status=starting, tags=request.tags))
    assert asked(tick(sensors.provisioning_event_sensor, settings, instance, None)) == 0
    assert ended == []
    begun = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, jobs.reporting.name)
    instance.report_dagster_event(begun, reports.run_id)
    assert asked(tick(sensors.provisioning_event_sensor, settings, instance, None)) == 0
    assert ended == [reports.run_id]
    instance.report_run_canceling(reports)  # as a launcher does before it ends a run
    assert asked(tick(sensors.provisioning_event_sensor, settings, instance, None)) == 0
    assert ended == [reports.run_id]


@pytest.mark.parametrize(
    ("sensor", "job"),
    [(sensors.reporting_sensor, jobs.reporting.name), (sensors.sync_failure_sensor, jobs.provisioning.name)],
)
def test_no_second_run_is_asked_for_while_one_has_not_begun(
    sensor: Any, job: str, directory: Directory, settings: Settings, instance: dg.DagsterInstance
) -> None:
    refuse(directory)
    cursor = tick(sensors.sync_failure_sensor, settings, instance, None).cursor
    if sensor is sensors.reporting_sensor:
        materialize_all(settings, [], events.provisioning_events, instance=instance)
        cursor = json.dumps([None, 1])  # since 1970
    instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.NOT_STARTED))
    assert asked(tick(sensor, settings, instance, cursor)) == 0
