"""Processes that a command starts, watches and stops."""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

START_SECONDS = 300
STOP_SECONDS = 10
LOG_TAIL = 20
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
_SET_PARENT_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG` of prctl(2)."""


class ChildFailed(RuntimeError):
    """A process that should run does not; carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process, in a group of its own, that writes to a log file."""

    name: str
    log: Path
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(
        cls, name: str, command: Sequence[str], *, log_folder: Path, env: Mapping[str, str], append: bool = False
    ) -> "Child":
        """Start a program that ends with this process; its output goes to `log_folder/name.log`."""
        log_folder.mkdir(parents=True, exist_ok=True)
        log = log_folder / f"{name}.log"
        with log.open("ab" if append else "wb") as out:
            process = subprocess.Popen(  # noqa: S603
                command,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_end_with_parent,
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


@dataclass(slots=True)
class Supervised:
    """A process that is started again when it ends: at once, then at pauses that double up to a minute."""

    start: Callable[[bool], Child]
    """Starts it; told whether it ran before."""
    children: list[Child] = field(default_factory=list[Child])
    pause: float = FIRST_PAUSE_SECONDS
    began: float = 0.0

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.began = time.monotonic()
        self.children.append(self.start(bool(self.children)))

    @property
    def child(self) -> Child:
        """The process that was started last."""
        return self.children[-1]

    def look(self) -> str:
        """Start the process again if it ended and its pause is over; return in words what was done, if anything."""
        status, now = self.child.process.poll(), time.monotonic()
        if status is None or now < self.began + self.pause:
            return ""
        lasted = now - self.began > LONGEST_PAUSE_SECONDS
        self.pause = FIRST_PAUSE_SECONDS if lasted else min(2 * self.pause, LONGEST_PAUSE_SECONDS)
        ended = self.child
        self._start()
        return f"{ended.name} ended with status {status} and was started again; its log is {ended.log}"

    def stop(self) -> None:
        """End the process, and what earlier ones started."""
        for child in reversed(self.children):
            child.stop()


def _end_with_parent() -> None:
    """Let the kernel end this process when the one that started it is killed (Linux alone knows how).

    A program inherits which signals are ignored and blocked; the one that is to end it must be neither.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


@contextmanager
def only_one(path: Path) -> Generator[bool]:
    """Hold a lock file while the block runs; give whether the one who had it before was killed.

    The kernel gives the lock back when this process ends, however it ends.

    Raises:
        ValueError: when a living process holds it; names the process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        file.seek(0)
        holder = file.read().strip()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"process {holder} runs on {path.parent}: stop it, or choose another folder by DAGSTER_SCIM_HOME"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield bool(holder)
        finally:
            file.truncate(0)


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
