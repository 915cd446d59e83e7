"""Runs are asked for when there is something new, once, and for the day it is in each organization."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import duckdb
import pytest
import time_machine
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.storage.tags import RUN_KEY_TAG, WILL_RETRY_TAG

from dagster_defs import asking, jobs, partitions, run_sensors, sensors
from dagster_defs.alerting import Links
from dagster_defs.assets import snapshots
from dagster_defs.resources import AlertChannels, resources
from scim_app.settings import Settings
from scim_app.store.export import Head


def tick(scim: Any, cursor: str | None, instance: dg.DagsterInstance) -> Any:
    """One evaluation of the sensor; what it asks for is made a run, as by the daemon."""
    context = dg.build_sensor_context(cursor=cursor, instance=instance, resources={"scim": scim})
    answer: Any = sensors.provisioning_event_sensor(context)
    if isinstance(answer, dg.SkipReason):
        return dg.SensorResult(skip_reason=answer, cursor=cursor)
    for request in answer.run_requests or []:
        assert not instance.get_run_records(dg.RunsFilter(tags={RUN_KEY_TAG: request.run_key})), "the key is used up"
        tags = {**request.tags, RUN_KEY_TAG: request.run_key}
        instance.add_run(dg.DagsterRun(job_name=jobs.provisioning.name, tags=tags))
    return answer


def report(instance: dg.DagsterInstance, kind: dg.DagsterEventType) -> None:
    """Let the newest run begin or end."""
    run = instance.get_run_records(limit=1)[0].dagster_run
    instance.report_dagster_event(dg.DagsterEvent(kind.value, run.job_name), run.run_id)


def test_the_sensor_asks_for_one_run_for_any_number_of_events(directory: Any, settings: Settings) -> None:
    scim = resources(settings)["scim"]
    with dg.DagsterInstance.ephemeral() as instance:
        directory.user("ada@example.com")
        directory.user("bob@example.com")
        first = tick(scim, None, instance)
        assert len(first.run_requests) == 1
        assert not tick(scim, first.cursor, instance).run_requests
        report(instance, dg.DagsterEventType.RUN_START)
        assert not tick(scim, first.cursor, instance).run_requests
        directory.user("cid@example.com")
        second = tick(scim, first.cursor, instance)
        assert len(second.run_requests) == 1
        directory.user("dan@example.com")
        assert not tick(scim, second.cursor, instance).run_requests


def test_the_sensor_rests_once_a_run_has_taken_everything_in(directory: Any, settings: Settings) -> None:
    scim = resources(settings)["scim"]
    directory.user("ada@example.com")
    with dg.DagsterInstance.ephemeral() as instance:
        tick(scim, None, instance)
        report(instance, dg.DagsterEventType.RUN_SUCCESS)
        done = tick(scim, None, instance)
        assert not done.run_requests
        assert done.cursor
        assert not tick(scim, done.cursor, instance).run_requests


def test_a_run_that_was_lost_is_asked_for_again_however_often(
    directory: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scim = resources(settings)["scim"]
    directory.user("ada@example.com")
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(6):
            assert len(tick(scim, None, instance).run_requests) == 1
            instance.report_run_failed(instance.get_run_records(limit=1)[0].dagster_run)
            assert not tick(scim, None, instance).run_requests  # not at once
            moment = time.time() + asking.PAUSE_SECONDS + 1
            monkeypatch.setattr(asking.time, "time", lambda moment=moment: moment)
        assert len(tick(scim, None, instance).run_requests) == 1


def test_a_run_that_is_lost_for_hours_is_asked_for_less_and_less_often(directory: Any, settings: Settings) -> None:
    scim = resources(settings)["scim"]
    directory.user("ada@example.com")
    with dg.DagsterInstance.ephemeral() as instance:
        tick(scim, None, instance)
        began = datetime.now(UTC)
        for gone_on, pause in ((60, 30), (3600, 400), (5 * 3600, 2000), (100 * 3600, 3600)):
            lost = began + timedelta(seconds=gone_on)
            with time_machine.travel(lost, tick=False):
                instance.report_run_failed(instance.get_run_records(limit=1)[0].dagster_run)
            for waited in (0.9 * pause, 1.1 * pause):
                with time_machine.travel(lost + timedelta(seconds=waited), tick=False):
                    assert bool(tick(scim, None, instance).run_requests) == (waited > pause), (gone_on, waited)


def test_a_run_that_fails_by_itself_is_asked_for_less_and_less_often(
    directory: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scim, pauses = resources(settings)["scim"], list[int]()
    directory.user("ada@example.com")
    with dg.DagsterInstance.ephemeral() as instance:
        tick(scim, None, instance)
        for _ in range(3):
            failed = instance.get_run_records(limit=1)[0].dagster_run
            reason = JobFailureData(None, failure_reason=RunFailureReason.STEP_FAILURE)
            instance.report_run_failed(failed, "a step failed", reason)
            ended, waited = time.time(), 0
            monkeypatch.setattr(asking.time, "time", lambda: ended + waited)  # noqa: B023
            while not tick(scim, None, instance).run_requests:
                waited += 5
            pauses.append(waited)
            monkeypatch.undo()
    assert pauses == sorted(set(pauses))


def test_a_run_that_dagster_tries_again_is_not_asked_for_as_well(directory: Any, settings: Settings) -> None:
    scim = resources(settings)["scim"]
    directory.user("ada@example.com")
    with dg.DagsterInstance.ephemeral() as instance:
        tick(scim, None, instance)
        lost = instance.get_run_records(limit=1)[0].dagster_run
        instance.report_run_failed(lost)
        instance.add_run_tags(lost.run_id, {WILL_RETRY_TAG: "true"})
        assert not tick(scim, None, instance).run_requests


def test_the_sensor_waits_for_a_run_that_has_not_begun(directory: Any, settings: Settings) -> None:
    directory.user("ada@example.com")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(dg.DagsterRun(job_name=jobs.provisioning.name, status=dg.DagsterRunStatus.NOT_STARTED))
        assert not tick(resources(settings)["scim"], None, instance).run_requests


def test_the_sensor_rests_while_there_is_no_store(settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert not tick(resources(settings)["scim"], None, instance).run_requests


def head(zone: str) -> Head:
    """Where the log of an organization in a time zone stands."""
    return Head("o", "acme", "Acme", zone, "2026-01-01T00:00:00.000000Z", "epoch", 9, "f" * 64)


@pytest.mark.parametrize(
    ("zone", "end"),
    [
        ("UTC", "2026-03-30T00:00:00"),
        ("America/Los_Angeles", "2026-03-30T07:00:00"),
        ("Pacific/Auckland", "2026-03-29T11:00:00"),
        ("Europe/Paris", "2026-03-29T22:00:00"),  # the day on which summer time began
    ],
)
def test_a_day_ends_at_midnight_in_the_organizations_time_zone(zone: str, end: str) -> None:
    around = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    begins = dict(partitions.day_starts(zone, *around))
    assert begins[date(2026, 3, 30)].isoformat() == end


def test_a_past_day_is_cut_at_its_end_and_the_running_day_is_not(
    directory: Any, settings: Settings, materialize: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(["2099-01-01T23:59:59.999999Z", "2099-01-02T00:00:00.000000Z"])
    monkeypatch.setattr("scim_app.store.log.event_log.now", lambda: next(moments))
    directory.user("ada@example.com")
    directory.user("bob@example.com")
    materialize()
    monkeypatch.setattr(snapshots, "last_day", lambda _: date(2099, 1, 2))
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        assert snapshots.cuts(warehouse, date(2099, 1, 1)) == {"acme": 3}
        assert snapshots.cuts(warehouse, date(2099, 1, 2)) == {"acme": 4}


def run(instance: dg.DagsterInstance, error: str = "") -> dg.ExecuteInProcessResult:
    """A run of the job that follows every change."""

    @dg.op
    def works() -> None:
        if error:
            raise ValueError(error)

    @dg.job(name=jobs.provisioning.name)
    def job() -> None:
        works()

    return job.execute_in_process(instance=instance, raise_on_error=False)


def told(instance: dg.DagsterInstance, channels: AlertChannels, result: dg.ExecuteInProcessResult) -> None:
    """Let the sensors of runs see a run that ended."""
    event = result.get_run_success_event() if result.success else result.get_run_failure_event()
    run = instance.get_run_by_id(result.run_id)
    assert run
    context = dg.build_run_status_sensor_context("sensor", event, instance, run)
    if result.success:
        run_sensors.run_recovery_alert(context, channels=channels)
    else:
        run_sensors.run_failure_alert(context.for_run_failure(), channels=channels)


def test_a_job_that_fails_is_told_once_and_again_when_it_works(channels: Any) -> None:
    held = AlertChannels(tuple(channels), Links("https://scim.example.com", "https://dagster.example.com"))
    with dg.DagsterInstance.ephemeral() as instance:
        for error in ("", "out of disk", "out of disk", ""):
            told(instance, held, run(instance, error))
    assert [channel.titles for channel in channels] == [
        ["Dagster run failed: provisioning", "Resolved: Dagster run failed: provisioning"]
    ] * 2
    assert "https://dagster.example.com/runs/" in channels[0].sent[0].text
