"""Whether the processes that runs depend on are still there."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CLOCK_SECONDS = 10
"""By how much a clock may have been set meanwhile: the kernel tells the start of a process in ticks since it booted."""


def lives(process: int, since: float) -> bool:
    """Tell whether a process that was there at an instant (seconds since 1970) still is.

    A process that has ended and was not waited for is gone, and so is one whose number another has now, as happens
    when a container or a machine starts again. Where there is no `/proc` the number alone decides.
    """
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    told = Path(f"/proc/{process}/stat")
    try:
        state, *fields = told.read_text().rpartition(")")[2].split()
    except OSError:
        return not Path("/proc/self/stat").exists()
    return state != "Z" and _boot() + int(fields[18]) / os.sysconf("SC_CLK_TCK") <= since + _CLOCK_SECONDS


def _boot() -> int:
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("btime "))


def answers(server: Mapping[str, Any]) -> bool:
    """Tell whether a code server, given by `socket` or `host` and `port`, takes connections."""
    try:
        if server.get("socket"):
            with socket.socket(socket.AF_UNIX) as unix:
                unix.connect(str(server["socket"]))
        else:
            socket.create_connection((server["host"], server["port"]), timeout=2).close()
    except OSError:
        return False
    return True
