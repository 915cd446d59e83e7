"""Opening the store for one command, and what commands print."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from scim_app.directory.events import Actor
from scim_app.directory.reach import OPERATOR
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.access.acting import Acting
from scim_app.store.db import migrate
from scim_app.store.log.session import Store

CLI = Actor(name="cli", authority=OPERATOR)
"""Who the event log names for what is done on the command line."""

Organization = Annotated[str, typer.Argument(metavar="ORG", help="Slug of the organization.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]

WIDE = 500
"""Columns of a table that goes into a file or another program: nothing is cut there."""


@contextmanager
def opened_store(settings: Settings) -> Generator[Store]:
    """Open the store, and close it when the command ends.

    Raises:
        StoreUnavailable: when the store's schema is not the newest.
    """
    migrate.require_current(settings.store_url)
    store = Store(settings.store_url)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def acting(slug: str) -> Generator[Acting]:
    """Open the store for the operator's work in an organization.

    Raises:
        NotFound: when there is no such organization.
        StoreUnavailable: when the store's schema is not the newest.
    """
    with opened_store(Settings()) as store:
        yield Acting(store, store.read(lambda db: organizations.by_slug(db, slug)), CLI)


def told(result: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Say what was done: a sentence for people on stderr, or the result as one JSON object on stdout."""
    if as_json:
        typer.echo(orjson.dumps(result))
    else:
        typer.echo(sentence, err=True)


def show_fields(row: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing on stdout: a table of its fields for people, or one JSON object."""
    if as_json:
        show(row, [row], as_json=True)
    else:
        show(("field", "value"), [{"field": name, "value": value} for name, value in row.items()], as_json=False)


def show(columns: Iterable[str], rows: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print rows on stdout: a table for people, or one JSON object a line."""
    columns = list(columns)
    if as_json:
        for row in rows:
            typer.echo(orjson.dumps({name: row[name] for name in columns}))
        return
    table = Table(*(name.replace("_", " ") for name in columns), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in columns))
    to_people = Console().is_terminal
    Console(width=None if to_people else WIDE).print(table, no_wrap=not to_people)
