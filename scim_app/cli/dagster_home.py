"""Dagster beside the service: its home, its environment, and its webserver behind the guard of this project."""

import difflib
import os
import sys
from pathlib import Path

import typer

from scim_app.cli.processes import environment
from scim_app.settings import Settings

ROOT = Path(__file__).parents[2]
"""Folder of the checkout, or of the installed packages."""
DELIVERED = ROOT / "dagster_defs" / "dagster.yaml"


def prepare() -> None:
    """Write `dagster.yaml` in Dagster's home if there is none; one that is there stays, and how it differs is told."""
    make_ready(Settings())


def make_ready(settings: Settings) -> None:
    """Write the settings of the Dagster instance where there are none; those that are there are the operator's."""
    path = settings.dagster_home / "dagster.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    delivered = DELIVERED.read_text()
    try:
        with path.open("x") as file:
            file.write(delivered)
    except FileExistsError:
        lines = differences(path.read_text(), delivered)
        if lines:
            typer.echo(f"{path} was left as it is. It (-) differs from the one of this version (+):", err=True)
            typer.echo("\n".join(f"  {line}" for line in lines), err=True)


def differences(present: str, delivered: str) -> list[str]:
    """Return the lines that only one of two settings has, comments aside: `-` is there, `+` is delivered."""
    compared = difflib.unified_diff(_settings(present), _settings(delivered), lineterm="", n=0)
    return [line for line in compared if not line.startswith(("---", "+++", "@@"))]


def _settings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.partition("#")[0].strip()]


def dagster_environment(settings: Settings) -> dict[str, str]:
    """Return the environment for Dagster, with its home made ready and nothing sent to anybody."""
    make_ready(settings)
    return environment(
        DAGSTER_SCIM_HOME=str(settings.home),
        DAGSTER_HOME=str(settings.dagster_home),
        DAGSTER_DISABLE_TELEMETRY="1",
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DO_NOT_TRACK="1",
    )


def webserver(context: typer.Context) -> None:
    """Serve the Dagster UI to pages of its own address alone; takes the options of `dagster-webserver`."""
    os.execv(sys.executable, [sys.executable, "-m", "dagster_defs.webserver", *context.args])  # noqa: S606
