"""Processes that a command starts, watches and stops."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 300
STOP_SECONDS = 10
LOG_TAIL = 20


class ChildFailed(RuntimeError):
    """A process that should run does not; carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process, in a group of its own, that writes to a log file."""

    name: str
    log: Path
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(cls, name: str, command: Sequence[str], *, log_folder: Path, env: Mapping[str, str]) -> "Child":
        """Start a program of this virtual environment; its output goes to `log_folder/name.log`."""
        log_folder.mkdir(parents=True, exist_ok=True)
        log = log_folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603
                command, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        return cls(name, log, process)

    def require_running(self) -> None:
        """Raise `ChildFailed` when the process has ended."""
        if self.process.poll() is not None:
            with self.log.open(errors="replace") as lines:
                tail = "".join(deque(lines, LOG_TAIL))
            raise ChildFailed(f"{self.name} ended with status {self.process.returncode}; its log {self.log}:\n{tail}")

    def wait_until_answering(self, url: str) -> None:
        """Wait until a GET of `url` succeeds; raises `ChildFailed` when it never does."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.require_running()
            if answers(url):
                return
            time.sleep(0.1)
        raise ChildFailed(f"{self.name} did not answer within {START_SECONDS} s; its log is {self.log}")

    def stop(self) -> None:
        """End the process and all it started: ask by SIGINT, then by SIGTERM, then by force."""
        for ask in (signal.SIGINT, signal.SIGTERM):
            if self.process.poll() is None:
                self.process.send_signal(ask)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def program(name: str) -> str:
    """Return the path of a program that was installed beside this Python, else its bare name."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or name


def environment(**extra: str) -> dict[str, str]:
    """Return the environment for a child: this one, with this Python's programs first on PATH and `extra`."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, **extra}


def answers(url: str) -> bool:
    """Tell whether a GET of `url` succeeds."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def port_is_free(port: int) -> bool:
    """Tell whether a server could listen on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False
