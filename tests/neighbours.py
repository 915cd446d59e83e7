"""Our code location beside another project's in one Dagster, under a real daemon; theirs in its own PID namespace."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import make
import yaml

OURS, THEIRS = "dagster_scim", "neighbour"
_NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
_AS_USER = ["--user", "--map-root-user"]
_HIGH = 'echo $(($(cat /proc/sys/kernel/pid_max) - 2000)) > /proc/sys/kernel/ns_last_pid; exec "$@"'
"""Process numbers of the namespace begin where hardly any process outside of it has its own."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Two code locations in one instance."""

    home: Path
    instance: dg.DagsterInstance
    is_apart: bool
    """Whether the other location has a PID namespace of its own."""

    def runs(self, location: str, *jobs: str) -> list[dg.DagsterRun]:
        """The runs of a location, the newest first; of some jobs only if they are given."""
        found = [run for run in self.instance.get_runs() if run.remote_job_origin]
        return [run for run in found if _location(run) == location and (not jobs or run.job_name in jobs)]

    def counts(self, location: str) -> dict[str, int]:
        """How many runs of a location there are, by job and status."""
        return dict(sorted(Counter(f"{run.job_name} {run.status.value}" for run in self.runs(location)).items()))

    def statuses(self, location: str, *jobs: str) -> set[str]:
        """Statuses that runs have."""
        return {run.status.value for run in self.runs(location, *jobs)}

    def ticks(self, sensor: str) -> int:
        """How often one of our sensors was evaluated to the end."""
        for state in self.instance.all_instigator_state():
            if state.name == sensor and state.origin.repository_origin.code_location_origin.location_name == OURS:
                ticks = self.instance.get_ticks(state.instigator_origin_id, state.selector_id)
                return sum(tick.is_completed for tick in ticks)
        return 0

    def let_long_runs_end(self) -> None:
        """Let the long runs of the other location come to their end."""
        (self.home / "neighbour" / "go").touch()


def _location(run: dg.DagsterRun) -> str:
    assert run.remote_job_origin
    return run.remote_job_origin.repository_origin.code_location_origin.location_name


def namespace() -> list[str]:
    """The command that begins a PID namespace, empty where this user may not."""
    for command in (_NAMESPACE, [*_NAMESPACE, *_AS_USER]):
        if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    return []


@contextmanager
def neighbours(home: Path) -> Generator[Neighbours]:
    """Run the daemon with both code locations over a store that there is."""
    instance_folder, their_folder, port = home / "dagster", home / "neighbour", make.free_port()
    for folder in (instance_folder, their_folder):
        folder.mkdir()
    their_file = shutil.copy(make.ROOT / "tests" / "neighbour_location.py", their_folder)
    settings = yaml.safe_load((make.ROOT / "dagster_defs" / "dagster.yaml").read_text())
    settings["concurrency"]["runs"]["max_concurrent_runs"] = 10
    (instance_folder / "dagster.yaml").write_text(yaml.safe_dump(settings))
    ours = {"module_name": "dagster_defs.definitions", "location_name": OURS, "working_directory": str(make.ROOT)}
    theirs = {"host": "127.0.0.1", "port": port, "location_name": THEIRS}
    workspace = home / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": [{"python_module": ours}, {"grpc_server": theirs}]}))
    python, apart = str(make.BIN / "python"), namespace()
    numbers = ["sh", "-c", _HIGH, "sh"] if apart else []
    server = [
        *apart,
        *numbers,
        python,
        "-m",
        "dagster",
        "api",
        "grpc",
        "-f",
        str(their_file),
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    daemon = [python, "-m", "dagster._daemon", "run", "-w", str(workspace)]
    with ExitStack() as stack:
        for name, command in (("neighbour", server), ("daemon", daemon)):
            stack.enter_context(_program(home, name, command))
            if name == "neighbour":
                make.until(lambda: make.port_answers(port), seconds=120, what="the other code server's start")
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(instance_folder)))
        yield Neighbours(home, instance, bool(apart))


@contextmanager
def _program(home: Path, name: str, command: list[str]) -> Generator[None]:
    env = make.environment(home, DAGSTER_HOME=str(home / "dagster"), DAGSTER_SCIM_ALERT_URLS="")
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=home)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
