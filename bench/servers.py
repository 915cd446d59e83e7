"""Servers under measurement: ours and the floor, each pinned to cores, with the client on another."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import load
import make
import psutil

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
START_SECONDS = 180
"""A busy machine takes its time to import a web application in each worker."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    process: psutil.Process
    port: int

    @property
    def resident(self) -> float:
        """Resident memory of its largest process, in MiB: of a worker."""
        processes = [self.process, *self.process.children(recursive=True)]
        return max(one.memory_info().rss for one in processes) / 2**20


@contextmanager
def running(command: list[str], env: dict[str, str], port: int, health: str, cores: list[int]) -> Generator[Server]:
    """Run a server on some cores until the end of the block."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        make.until(
            lambda: make.answers(f"http://127.0.0.1:{port}{health}"), seconds=START_SECONDS, what="the server's start"
        )
        server = psutil.Process(process.pid)
        load.pin(server, cores)
        yield Server(server, port)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def ours(organization: make.Organization, workers: int = 1) -> Generator[Server]:
    """Our service for an organization that is there, without a limit of rate."""
    port = make.free_port()
    env = make.environment(organization.settings.home, DAGSTER_SCIM_RATE_LIMIT="0")
    command = [str(BIN / "dagster-scim"), "serve", "--port", str(port), "--workers", str(workers)]
    with running(command, env, port, "/healthz", [0] if workers == 1 else [0, 1]) as server:
        yield server


@contextmanager
def floor(url: str) -> Generator[Server]:
    """The floor."""
    port = make.free_port()
    command = [sys.executable, "-m", "uvicorn", "floor:app", "--app-dir", str(ROOT / "bench"), "--port", str(port)]
    quiet = ["--no-access-log", "--log-level", "warning"]
    with running([*command, *quiet], make.environment(ROOT, FLOOR_URL=url), port, "/plain", [0]) as server:
        yield server
