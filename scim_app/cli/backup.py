"""`dagster-scim backup` and `dagster-scim restore`: the embedded store as one file, and back."""

from pathlib import Path
from typing import Annotated

import typer

from scim_app.cli.opening import CLI
from scim_app.settings import Settings
from scim_app.store.export import backup


def back_up(target: Annotated[Path, typer.Argument(help="File to write; it must not exist.")]) -> None:
    """Write a copy of the embedded store to a file; the service may run meanwhile."""
    backup.write(Settings().store_url, target)
    typer.echo(f"The store is in {target}. It holds personal data; keep it, and the pepper, safe.", err=True)


def restore(
    source: Annotated[
        Path | None,
        typer.Argument(help="File of a backup. Without one: the database was restored by its own tools already."),
    ] = None,
) -> None:
    """Put a backup in the store's place and begin a new life of every event log, so that readers start anew."""
    url = Settings().store_url
    aside = backup.put_back(url, source) if source else None
    slugs = backup.begin_epoch(url, CLI)
    if aside:
        typer.echo(f"The store that was there is kept as {aside}", err=True)
    typer.echo(f"Restored, with a new epoch of the event log: {', '.join(slugs) or 'no organization'}", err=True)
