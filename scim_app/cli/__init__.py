"""The command line: `dagster-scim`. A command is imported when it is used, so that help comes at once."""

import sqlite3
import sys
from importlib import import_module, metadata
from typing import Annotated, Any, NamedTuple, cast

import typer
from typer.core import TyperCommand, TyperGroup

from scim_app.private import keep_private


class Place(NamedTuple):
    """Where a command, or a group of commands, is defined, and what the first page of help says of it."""

    module: str
    attribute: str
    summary: str
    context: dict[str, Any] | None = None


_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
_PLACES = {
    "dev": Place("dev", "dev", "Start the SCIM service and Dagster here; Ctrl-C stops both."),
    "prepare": Place(
        "dagster_home",
        "prepare",
        "Write `dagster.yaml` in Dagster's home if there is none; one that is there stays, and how it differs is told.",
    ),
    "webserver": Place(
        "dagster_home",
        "webserver",
        "Serve the Dagster UI to pages of its own address alone; takes the options of `dagster-webserver`.",
        _PASSED_ON,
    ),
    "demo": Place(
        "demo",
        "demo",
        "Play recorded Okta and Entra exchanges, then make the assets and the compliance report of them.",
    ),
    "history": Place(
        "history.command",
        "history",
        "Make an organization with a year of joiners, movers, leavers, returns, refusals and grants, and a mass event.",
    ),
    "serve": Place(
        "serving",
        "serve",
        "Start the SCIM service. Put a TLS proxy before it and set DAGSTER_SCIM_PUBLIC_URL to the proxy's address.",
    ),
    "migrate": Place(
        "serving", "migrate_store", "Bring the store to the newest schema, making it where there is none."
    ),
    "backup": Place(
        "backup", "back_up", "Write a copy of the embedded store to a file; the service may run meanwhile."
    ),
    "restore": Place(
        "backup",
        "restore",
        "Put a backup in the store's place and begin a new life of every event log, so that readers start anew.",
    ),
    "setup": Place(
        "setup_link",
        "setup",
        "Print a link that signs a person in as an Organization Admin: once, within an hour, also while SCIM is on.",
    ),
    "org": Place("organizations", "app", "Organizations."),
    "token": Place("tokens", "app", "SCIM tokens."),
    "user": Place("people", "app", "Users."),
    "team": Place("groups", "app", "Teams."),
    "role": Place("roles", "app", "Roles and their grants."),
    "deployment": Place("deployments", "app", "Deployments and code locations."),
    "events": Place("events", "app", "The event log."),
    "request": Place("requests", "app", "Requests of the identity provider."),
    "review": Place("reviews", "app", "Access reviews."),
    "exception": Place("exceptions", "app", "Exceptions from controls."),
    "reports": Place("reports", "app", "Evidence packs and exports."),
}


class _Commands(TyperGroup):
    """The commands, which only the one that is asked for is loaded of."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands in the order of help."""
        return list(_PLACES)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        """Return a command as help lists it, None where there is no such command."""
        place = _PLACES.get(cmd_name)
        return place and TyperCommand(cmd_name, help=place.summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments ask for, loaded."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and load(str(listed.name)), rest


app = typer.Typer(
    name="dagster-scim",
    help="Self-hosted SCIM provisioning for Dagster. `dagster-scim dev` starts everything.",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"dagster-scim {version()}")
        raise typer.Exit


@app.callback()
def _begin(  # pyright: ignore[reportUnusedFunction]
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None: ...


def version() -> str:
    """Return the version that is installed."""
    return metadata.version("dagster-scim")


def names() -> list[str]:
    """Return the names of the commands and groups of commands."""
    return list(_PLACES)


def load(name: str) -> TyperCommand | TyperGroup:
    """Return a command, or a group of commands, with all that it needs imported."""
    place = _PLACES[name]
    made = getattr(import_module(f"scim_app.cli.{place.module}"), place.attribute)
    if isinstance(made, typer.Typer):
        command = typer.main.get_group(made)
    else:
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(context_settings=place.context)(made)
        command = cast(TyperCommand, typer.main.get_command(single))
    command.name = name
    return command


def main() -> None:
    """Run the command line; what a person can put right is said in one sentence, with exit status 1."""
    keep_private()
    try:
        app()
    except Exception as error:
        words = _explained(error)
        if words is None:
            raise
        typer.echo(words, err=True)
        sys.exit(1)


def _explained(error: Exception) -> str | None:
    """Return what a person can do about an error, None where it is a fault of the program."""
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError

    from scim_app.cli.processes import ChildFailed
    from scim_app.errors import DirectoryError
    from scim_app.settings import Settings
    from scim_app.store.db import causes

    match error:
        case ValidationError():
            return "\n".join(
                f"DAGSTER_SCIM_{'_'.join(map(str, problem['loc'])).upper()}: "
                f"{problem['msg'].removeprefix('Value error, ')}"
                for problem in error.errors()
            )
        case DBAPIError() | sqlite3.Error():
            return str(causes.unavailable(error, Settings().store_url))
        case OSError(filename=str() as name, strerror=reason):
            return f"{name}: {reason}"
        case OSError() | ChildFailed() | DirectoryError() | LookupError() | ValueError():
            return str(error)
        case _:
            return None
