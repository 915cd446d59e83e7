"""Dagster's daemon and its UI behind our guard, as an installation starts them, over a store that there is."""

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import make

WORKSPACE = ("--workspace", str(make.ROOT / "workspace.yaml"))


@dataclass(frozen=True, slots=True)
class Dagster:
    """A running Dagster."""

    home: Path
    address: str

    def query(self, text: str, **variables: Any) -> Any:
        """Ask the GraphQL API of the UI and return its `data`."""
        body = {"query": text, "variables": variables}
        answer = httpx.post(f"{self.address}/graphql", json=body, trust_env=False, timeout=120)
        assert answer.status_code == 200, answer.text
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]


def environment(home: Path) -> dict[str, str]:
    """The environment of Dagster's programs."""
    return make.environment(home, DAGSTER_HOME=str(home / "dagster"), DAGSTER_SCIM_ALERT_URLS="")


@contextmanager
def program(home: Path, name: str, *command: str) -> Generator[None]:
    """Run a program of Dagster on `home`, with a log there; stop it at the end."""
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(home), stdout=log, stderr=log, cwd=home)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def ui(home: Path) -> Generator[Dagster]:
    """Run the UI until the block ends."""
    port = make.free_port()
    serve = (str(make.BIN / "dagster-scim"), "webserver", "--host", "127.0.0.1", "--port", str(port), *WORKSPACE)
    running = Dagster(home, f"http://127.0.0.1:{port}")
    with program(home, "webserver", *serve):
        make.until(lambda: make.answers(f"{running.address}/server_info"), seconds=180, what="the start of the UI")
        yield running


@contextmanager
def daemon(home: Path) -> Generator[None]:
    """Run the daemon until the block ends."""
    with program(home, "daemon", str(make.BIN / "dagster-daemon"), "run", *WORKSPACE):
        yield


def prepare(home: Path) -> None:
    """Give an instance the settings that an installation has."""
    (home / "dagster").mkdir(exist_ok=True)
    shutil.copy(make.ROOT / "dagster_defs" / "dagster.yaml", home / "dagster")
