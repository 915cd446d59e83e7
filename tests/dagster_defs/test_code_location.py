"""An instance is shared: what another code location does under the same names is not taken for ours."""

import json
import socket
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.events import StepMaterializationData
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from directories import Directory
from recording import Recorder

from dagster_defs import check_states, jobs, run_sensors, sensors
from dagster_defs.alerting import Links
from dagster_defs.assets.alerts import alert_deliveries
from dagster_defs.code_location import CodeLocation
from dagster_defs.resources import AlertChannels, resources
from scim_app.settings import Settings

STARTED, SUCCESS = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.SUCCESS


def origin(location: str) -> RemoteRepositoryOrigin:
    """A code location's repository."""
    target = LoadableTargetOrigin(module_name=location)
    return RemoteRepositoryOrigin(ManagedGrpcPythonEnvCodeLocationOrigin(target, location), "__repository__")


OURS, THEIRS = origin("ours"), origin("theirs")


@pytest.fixture
def instance() -> Generator[dg.DagsterInstance]:
    """A Dagster instance of its own."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def add(
    instance: dg.DagsterInstance, of: RemoteRepositoryOrigin, job: str, status: dg.DagsterRunStatus, **tags: str
) -> dg.DagsterRun:
    """A run of a code location."""
    made = dg.DagsterRun(job_name=job, status=status, tags=tags, remote_job_origin=of.get_job_origin(job))
    return instance.add_run(made)


def materialize(instance: dg.DagsterInstance, run: dg.DagsterRun, asset: str, **metadata: Any) -> None:
    """Report a materialization by a run."""
    data = StepMaterializationData(dg.AssetMaterialization(asset, metadata=metadata), [])
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION.value
    instance.report_dagster_event(dg.DagsterEvent(kind, run.job_name, event_specific_data=data), run.run_id)


def evaluate(instance: dg.DagsterInstance, run: dg.DagsterRun, check: dg.AssetCheckKey, *, passed: bool) -> None:
    """Report the result of a check by a run."""
    data = AssetCheckEvaluation(check.asset_key, check.name, passed, {})
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION.value
    instance.report_dagster_event(dg.DagsterEvent(kind, run.job_name, event_specific_data=data), run.run_id)


def tick(sensor: Any, settings: Settings, instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    """An evaluation of a sensor in our code location, as the daemon has it made."""
    held = {name: resources(settings)[name] for name in sensor.required_resource_keys}
    plain = dg.build_sensor_context(instance=instance, cursor=cursor, resources=held, sensor_name=sensor.name)
    plain._repository_name, plain._code_location_origin = OURS.repository_name, OURS.code_location_origin
    return sensor(plain)


def asked(answer: Any) -> int:
    """How many runs an evaluation asked for."""
    return 0 if isinstance(answer, dg.SkipReason) else len(answer.run_requests or [])


def test_their_reports_are_not_ended_by_our_events(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.user("ada@example.com")
    add(instance, THEIRS, jobs.reporting.name, STARTED)
    ours = add(instance, OURS, jobs.reporting.name, STARTED)
    ended = list[str]()
    monkeypatch.setattr(type(instance.run_launcher), "terminate", lambda _, run_id: ended.append(run_id))
    assert asked(tick(sensors.provisioning_event_sensor, settings, instance)) == 1
    assert ended == [ours.run_id]


def test_their_runs_do_not_stand_for_ours(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance
) -> None:
    directory.user("ada@example.com")
    first = tick(sensors.provisioning_event_sensor, settings, instance)
    for status in (dg.DagsterRunStatus.NOT_STARTED, SUCCESS, STARTED):
        add(instance, THEIRS, jobs.provisioning.name, status, **first.run_requests[0].tags)
    assert asked(tick(sensors.provisioning_event_sensor, settings, instance)) == 1
    add(instance, OURS, jobs.provisioning.name, STARTED, **first.run_requests[0].tags)
    assert asked(tick(sensors.provisioning_event_sensor, settings, instance)) == 0


def test_a_run_of_ours_is_seen_behind_any_number_of_theirs(instance: dg.DagsterInstance) -> None:
    add(instance, OURS, "provisioning", dg.DagsterRunStatus.FAILURE)
    for _ in range(30):
        add(instance, THEIRS, "provisioning", SUCCESS)
    ours = CodeLocation(instance, OURS.get_label())
    assert [record.dagster_run.status.value for record in ours.runs(job="provisioning", limit=20)] == ["FAILURE"]


@pytest.mark.parametrize("before", [SUCCESS, dg.DagsterRunStatus.FAILURE])
def test_how_their_job_ended_is_neither_told_nor_kept_back(
    before: dg.DagsterRunStatus, instance: dg.DagsterInstance
) -> None:
    inbox = Recorder("inbox")
    channels = AlertChannels((inbox,), Links("https://scim.example.com", "https://dagster.example.com"))
    add(instance, THEIRS, "provisioning", before)
    run = add(instance, OURS, "provisioning", STARTED)
    instance.report_run_failed(run, "out of disk")
    (event,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    run = instance.get_run_by_id(run.run_id)
    context = dg.build_run_status_sensor_context("sensor", event.dagster_event, instance, run)
    run_sensors.run_failure_alert(context.for_run_failure(), channels=channels)
    run_sensors.run_recovery_alert(context, channels=channels)
    assert inbox.titles == ["Dagster run failed: provisioning"]


def test_a_message_waits_for_its_next_try_though_they_materialize_an_asset_of_the_same_name(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    ours = add(instance, OURS, "alerts", SUCCESS)
    materialize(instance, ours, alert_deliveries.key.to_user_string(), next_at="2020-01-01T00:00:00")
    theirs = add(instance, THEIRS, "alerts", SUCCESS)
    for _ in range(120):
        materialize(instance, theirs, alert_deliveries.key.to_user_string())
    assert asked(tick(sensors.alert_retry_sensor, settings, instance)) == 1


def test_their_copy_of_a_log_is_no_reason_for_our_reports(settings: Settings, instance: dg.DagsterInstance) -> None:
    materialize(instance, add(instance, THEIRS, "provisioning", SUCCESS), "provisioning_events")
    long_ago = json.dumps([None, time.time() - 2 * sensors.LONGEST_WAIT_SECONDS])
    assert asked(tick(sensors.reporting_sensor, settings, instance, long_ago)) == 0
    materialize(instance, add(instance, OURS, "provisioning", SUCCESS), "provisioning_events")
    assert asked(tick(sensors.reporting_sensor, settings, instance, long_ago)) == 1


def test_their_run_that_begins_is_not_judged_by_its_code_server(
    settings: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    path = str(tmp_path / "server")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)  # nobody listens
    tags = {GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": path})}
    theirs = add(instance, THEIRS, "provisioning", dg.DagsterRunStatus.STARTING, **tags)
    ours = add(instance, OURS, "provisioning", dg.DagsterRunStatus.STARTING, **tags)
    tick(run_sensors.lost_run_sensor, settings, instance)
    assert [instance.get_run_by_id(run.run_id).status.value for run in (theirs, ours)] == ["STARTING", "FAILURE"]


def test_their_result_of_a_check_of_the_same_name_hides_none_of_ours(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    check = check_states.KEYS[0]
    ours, theirs = (add(instance, of, "provisioning", STARTED) for of in (OURS, THEIRS))
    evaluate(instance, theirs, check, passed=False)
    assert asked(tick(sensors.asset_check_failure_sensor, settings, instance)) == 0
    evaluate(instance, ours, check, passed=False)
    for _ in range(60):
        evaluate(instance, theirs, check, passed=True)
    failed = tick(sensors.asset_check_failure_sensor, settings, instance)
    path = f"{check.asset_key.to_user_string()}/{check.name}"
    assert (asked(failed), json.loads(failed.cursor)) == (1, [[path, "all"]])
