"""`dagster-scim …` in a process of its own, forked from one that has imported the command line: it starts at once."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["pytest", "every_command", "forked"])


def run(arguments: list[str], env: dict[str, str], folder: Path, seconds: float) -> "subprocess.CompletedProcess[str]":
    """Run the command line to its end in a folder and an environment, and return what it printed."""
    with TemporaryDirectory() as kept:
        out, err = Path(kept, "out"), Path(kept, "err")
        process = _CONTEXT.Process(target=_main, args=(arguments, env, str(folder), str(out), str(err)))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, seconds)
        return subprocess.CompletedProcess(arguments, process.exitcode, out.read_text(), err.read_text())


def _main(arguments: list[str], env: dict[str, str], folder: str, out: str, err: str) -> None:
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["dagster-scim", *arguments]
    from scim_app.cli import main

    main()
