"""Runs whose process is gone are ended, and no others."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import make
from dagster._core.events import EngineEventData
from dagster._core.storage.tags import GRPC_INFO_TAG

from dagster_defs import processes, run_sensors


def status(instance: dg.DagsterInstance, pid: int | None = None, server: Mapping[str, Any] | None = None) -> str:
    """How a run of a process, or of a code server, stands after the sensor has looked."""
    tags = {GRPC_INFO_TAG: json.dumps(server)} if server else {}
    begun = instance.add_run(dg.DagsterRun(job_name="provisioning", status=dg.DagsterRunStatus.STARTED, tags=tags))
    if pid:
        instance.report_engine_event("Started process", begun, EngineEventData.in_process(pid))
    run_sensors.lost_run_sensor(dg.build_sensor_context(instance=instance))
    ended = instance.get_run_by_id(begun.run_id)
    assert ended
    return ended.status.value


def test_a_run_whose_process_is_gone_is_ended() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    with dg.DagsterInstance.ephemeral() as instance:
        assert status(instance, process.pid) == "FAILURE"  # nobody has waited for it yet
        process.wait()
        assert status(instance, process.pid) == "FAILURE"


def test_a_run_whose_process_lives_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert status(instance, os.getpid()) == "STARTED"


def test_a_process_that_has_the_number_of_an_earlier_one_is_not_the_earlier_one() -> None:
    assert processes.lives(os.getpid(), time.time())
    assert not processes.lives(os.getpid(), 1.0)  # long before this process


def test_a_run_whose_code_server_went_before_it_began_is_ended(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance, socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "server"))
        server.listen()
        assert status(instance, server={"host": "localhost", "socket": str(tmp_path / "server")}) == "STARTED"
        assert status(instance, server={"host": "127.0.0.1", "port": make.free_port()}) == "FAILURE"
        server.close()
        assert status(instance, server={"host": "localhost", "socket": str(tmp_path / "server")}) == "FAILURE"
