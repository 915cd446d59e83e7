"""Runs whose process is gone are ended, and no others."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import make
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.events import EngineEventData
from dagster._core.execution.api import execute_run
from dagster._core.storage.tags import GRPC_INFO_TAG
from neighbours import namespace

from dagster_defs import jobs, run_sensors
from dagster_defs.definitions import defs
from dagster_defs.resources import run_locks
from dagster_defs.run_locks import RunLocks, in_one_process
from scim_app.settings import Settings

HOLDER = """
import sys; from pathlib import Path; from dagster_defs.run_locks import RunLocks
RunLocks(Path(sys.argv[1])).hold(sys.argv[2]); print("locked", flush=True); sys.stdin.read()
"""


@pytest.fixture
def locks(tmp_path: Path) -> RunLocks:
    """Locks of a home."""
    return RunLocks(tmp_path / "runs")


@pytest.fixture
def instance() -> Generator[dg.DagsterInstance]:
    """A Dagster instance of its own."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def begin(instance: dg.DagsterInstance, status: str = "STARTED", server: Mapping[str, Any] | None = None) -> str:
    """A run that is under way."""
    tags = {GRPC_INFO_TAG: json.dumps(server)} if server else {}
    run = dg.DagsterRun(job_name="provisioning", status=dg.DagsterRunStatus(status), tags=tags)
    return instance.add_run(run).run_id


def look(instance: dg.DagsterInstance, locks: RunLocks, run_id: str) -> str:
    """How a run stands after the sensor has looked."""
    run_sensors.lost_run_sensor(dg.build_sensor_context(instance=instance), run_locks=locks)
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status.value


@contextmanager
def process_of(run_id: str, locks: RunLocks, *before: str) -> Generator["subprocess.Popen[str]"]:
    """A process that holds the lock of a run until it is killed."""
    command = [*before, sys.executable, "-c", HOLDER, str(locks.folder), run_id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=make.ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_a_run_whose_process_is_gone_is_ended(instance: dg.DagsterInstance, locks: RunLocks) -> None:
    run_id = begin(instance)
    with process_of(run_id, locks) as process:
        assert look(instance, locks, run_id) == "STARTED"
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # nobody has waited for it yet
        assert look(instance, locks, run_id) == "FAILURE"
    assert look(instance, locks, run_id) == "FAILURE"
    assert list(locks.folder.iterdir()) == []


def test_a_run_whose_process_number_is_of_another_namespace_is_left_alone(
    instance: dg.DagsterInstance, locks: RunLocks
) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    run_id = begin(instance)
    run = instance.get_run_by_id(run_id)
    instance.report_engine_event("Started process", run, EngineEventData.in_process(ended.pid))
    assert look(instance, locks, run_id) == "STARTED"


def test_a_run_of_another_container_on_the_same_volume_lives_and_ends_as_any(
    instance: dg.DagsterInstance, locks: RunLocks
) -> None:
    run_id = begin(instance)
    with process_of(run_id, locks, *namespace()) as process:
        assert look(instance, locks, run_id) == "STARTED"
        process.kill()
        process.wait()
        make.until(lambda: locks.free() == [run_id], what="the end of the namespace")
        assert look(instance, locks, run_id) == "FAILURE"


def test_the_process_of_a_run_holds_its_lock_until_dagster_has_noted_the_end(tmp_path: Path, locks: RunLocks) -> None:
    seen = list[tuple[int, list[str]]]()

    @dg.op
    def works() -> None:
        seen.append((len(list(locks.folder.glob("*.lock"))), locks.free()))

    @dg.job(executor_def=in_one_process(locks))
    def provisioning() -> None:
        works()

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = instance.create_run_for_job(provisioning)
        assert execute_run(InMemoryJob(provisioning), run, instance).success
        assert seen == [(1, [])]
        assert locks.free() == []
        assert look(instance, locks, run.run_id) == "SUCCESS"


def test_every_job_runs_in_a_process_that_holds_its_lock() -> None:
    for job in jobs.JOBS:
        executor = defs.resolve_job_def(job.name).executor_def
        made = executor.executor_creation_fn(SimpleNamespace(executor_config={"retries": {"enabled": {}}}))
        assert made.locks == run_locks(Settings())


def test_a_file_of_a_run_that_ended_is_removed(instance: dg.DagsterInstance, locks: RunLocks) -> None:
    run_id = begin(instance, "SUCCESS")
    with process_of(run_id, locks):
        assert look(instance, locks, run_id) == "SUCCESS"
        assert [path.stem for path in locks.folder.iterdir()] == [run_id]
    assert look(instance, locks, run_id) == "SUCCESS"
    assert list(locks.folder.iterdir()) == []


def test_a_run_whose_code_server_went_before_it_began_is_ended(
    instance: dg.DagsterInstance, locks: RunLocks, tmp_path: Path
) -> None:
    path = {"host": "localhost", "socket": str(tmp_path / "server")}
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path["socket"])
        server.listen()
        assert look(instance, locks, begin(instance, "STARTING", path)) == "STARTING"
    assert look(instance, locks, begin(instance, "STARTING", path)) == "FAILURE"
    assert look(instance, locks, begin(instance, "STARTED", path)) == "STARTED"  # it has a process of its own
    elsewhere = {"host": "localhost", "socket": str(tmp_path / "elsewhere")}
    assert look(instance, locks, begin(instance, "STARTING", elsewhere)) == "STARTING"
    distant = {"host": "127.0.0.1", "port": make.free_port()}
    assert look(instance, locks, begin(instance, "STARTING", distant)) == "STARTING"
