"""Locks of the runs on this machine: whether the process of a run is still there, without asking for its number.

A run's process locks a file of the run and keeps it until it ends; the kernel gives the lock back however that comes
about. Whoever can take the lock knows that the process is gone: also in another container on the same volume, and
after the machine has started again, where a process number would mean another process or none. A run that has no file
here runs elsewhere, or is another project's, and nothing can be said about it.
"""

import fcntl
import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import dagster as dg

from scim_app.private import make_folder

_SUFFIX = ".lock"
_HANDLES: list[int] = []
"""Open files of the runs of this process: they are closed by its end, after Dagster has noted the end of the run."""


@dataclass(frozen=True, slots=True)
class RunLocks:
    """The lock files of the runs that use one home."""

    folder: Path

    def hold(self, run_id: str) -> None:
        """Hold the lock of a run until this process ends."""
        make_folder(self.folder.parent)
        make_folder(self.folder)
        handle, unnamed = tempfile.mkstemp(dir=self.folder)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.replace(unnamed, self._file(run_id))  # it is locked before it has its name, so nobody sees it free
            _HANDLES.append(handle)
        except OSError:  # a file system without locks: the run goes on, and is never judged
            os.close(handle)
            os.unlink(unnamed)

    def free(self) -> list[str]:
        """Return the ids of the runs whose process is gone."""
        return [path.stem for path in sorted(self.folder.glob(f"*{_SUFFIX}")) if _is_free(path)]

    def forget(self, run_id: str) -> None:
        """Remove the file of a run that has ended."""
        self._file(run_id).unlink(missing_ok=True)

    def _file(self, run_id: str) -> Path:
        return self.folder / f"{run_id}{_SUFFIX}"


def _is_free(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # the process lives, or the file is gone or not readable, which tells nothing
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Holding(dg.Executor):
    """An executor whose process holds the lock of its run."""

    inner: dg.Executor
    locks: RunLocks

    @property
    def retries(self) -> Any:
        return self.inner.retries

    @property
    def step_dependency_config(self) -> Any:
        return self.inner.step_dependency_config

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        if not plan_context.instance.is_ephemeral:
            self.locks.hold(plan_context.run_id)
        yield from self.inner.execute(plan_context, execution_plan)


def in_one_process(locks: RunLocks) -> dg.ExecutorDefinition:
    """Return the executor that runs all steps in the process of the run, which holds the lock of the run."""
    stock = dg.in_process_executor

    @dg.executor(name=stock.name, config_schema=stock.config_schema.as_field())
    def in_process(context: dg.InitExecutorContext) -> dg.Executor:
        create = cast("Callable[[dg.InitExecutorContext], dg.Executor]", stock.executor_creation_fn)
        return _Holding(create(context), locks)

    return in_process


def is_refused(server: Mapping[str, Any]) -> bool:
    """Tell whether the socket of a code server is here and nobody listens to it any more."""
    path = server.get("socket")
    with socket.socket(socket.AF_UNIX) as unix:
        try:
            if path:
                unix.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
