"""Opening the store for one command, and what commands print."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from scim_app.directory.events import Actor
from scim_app.settings import Settings
from scim_app.store import migrate
from scim_app.store.session import Store

CLI = Actor(name="cli")
"""Who the event log names for what is done on the command line."""

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
    console = Console()
    console.print(table, width=None if console.is_terminal else WIDE, no_wrap=not console.is_terminal)
