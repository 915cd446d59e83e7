"""The command line: `dagster-scim`."""

import sqlite3
import sys

import typer
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from scim_app.cli import (
    api_keys,
    backup,
    dagster_home,
    demo,
    deployments,
    dev,
    events,
    exceptions,
    groups,
    lists,
    organizations,
    people,
    reports,
    requests,
    reviews,
    roles,
    serving,
    setup_link,
    tokens,
)
from scim_app.cli.history.command import history
from scim_app.cli.processes import ChildFailed
from scim_app.errors import DirectoryError
from scim_app.private import keep_private
from scim_app.settings import Settings
from scim_app.store.db import causes

app = typer.Typer(
    name="dagster-scim",
    help="Self-hosted SCIM provisioning for Dagster. `dagster-scim dev` starts everything.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("dev")(dev.dev)
app.command("prepare")(dagster_home.prepare)
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
app.command("webserver", context_settings=_PASSED_ON)(dagster_home.webserver)
app.command("demo")(demo.demo)
app.command("history")(history)
app.command("serve")(serving.serve)
app.command("migrate")(serving.migrate_store)
app.command("backup")(backup.back_up)
app.command("restore")(backup.restore)
app.command("setup")(setup_link.setup)
organizations.app.command("open")(setup_link.open_settings)
app.add_typer(organizations.app, name="org")
app.add_typer(tokens.app, name="token")
tokens.app.command("create-key")(api_keys.create)
tokens.app.command("keys")(api_keys.list_all)
tokens.app.command("revoke-key")(api_keys.revoke)
people.app.command("list")(lists.list_users)
groups.app.command("list")(lists.list_teams)
app.add_typer(people.app, name="user")
app.add_typer(groups.app, name="team")
app.add_typer(roles.app, name="role")
app.add_typer(deployments.app, name="deployment")
app.add_typer(events.app, name="events")
app.add_typer(requests.app, name="request")
app.add_typer(reviews.app, name="review")
app.add_typer(exceptions.app, name="exception")
app.add_typer(reports.app, name="reports")


def main() -> None:
    """Run the command line; what a person can put right is said in one sentence, with exit status 1."""
    keep_private()
    try:
        app()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            typer.echo(f"DAGSTER_SCIM_{name}: {problem['msg'].removeprefix('Value error, ')}", err=True)
        sys.exit(1)
    except (DBAPIError, sqlite3.Error) as error:
        typer.echo(str(causes.unavailable(error, Settings().store_url)), err=True)
        sys.exit(1)
    except OSError as error:
        typer.echo(f"{error.filename}: {error.strerror}" if error.filename else str(error), err=True)
        sys.exit(1)
    except (ChildFailed, DirectoryError, LookupError, ValueError) as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
