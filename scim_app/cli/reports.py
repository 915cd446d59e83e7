"""`dagster-scim reports`: the evidence packs there are, the proof that they hold, and exports for other tools."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scim_app.cli.opening import AsJson, Organization, show
from scim_app.errors import NotFound
from scim_app.settings import Settings
from scim_app.store.db import migrate
from scim_app.store.export import Export, Head
from scim_app.store.export.columns import EFFECTIVE_ACCESS_COLUMNS, TEAM_MEMBER_COLUMNS, USER_COLUMNS
from scim_app.store.export.packs import packs, read_manifest, verify
from scim_app.store.export.review_rows import read_reviews
from scim_app.store.export.shapes import entra_review_history, table, vanta_user_accounts

app = typer.Typer(help="Evidence packs and exports.", no_args_is_help=True)

COLUMNS = ("organization", "report", "period", "events", "files", "path")
_TABLES = {"users": USER_COLUMNS, "team_members": TEAM_MEMBER_COLUMNS, "effective_access": EFFECTIVE_ACCESS_COLUMNS}


class Shape(StrEnum):
    """What an export looks like."""

    ENTRA = "entra-review-history"
    """Every access of every review, as Entra ID's access review history (CSV)."""
    VANTA = "vanta-user-accounts"
    """Every account, as Vanta's `UserAccount` resources (JSON)."""
    USERS = "users"
    MEMBERS = "team_members"
    ACCESS = "effective_access"


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the evidence packs, with where each is."""
    rows = [
        {
            **{name: evidence[name] for name in ("organization", "report", "period")},
            "events": f"{evidence['log']['first_event']}-{evidence['log']['last_event']}",
            "files": len(evidence["files"]),
            "path": str(pack),
        }
        for pack in packs(Settings().reports_path)
        for evidence in [read_manifest(pack)["evidence"]]
    ]
    show(COLUMNS, rows, as_json=as_json)


@app.command("verify")
def verify_pack(pack: Annotated[Path, typer.Argument(help="Folder of an evidence pack.")]) -> None:
    """Prove that neither a pack nor the log behind it was changed; exit status 1 when one was."""
    with _export() as export:
        problems = verify(pack, export)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    log = read_manifest(pack)["evidence"]["log"]
    typer.echo(
        f"The pack holds: every file is as it was written, and the log is whole up to event {log['last_event']}."
    )


@app.command()
def export(
    org: Organization,
    shape: Annotated[Shape, typer.Argument(help="What it looks like.")],
    to: Annotated[Path | None, typer.Option(help="File to write; stdout without it.")] = None,
) -> None:
    """Write an organization's reviews or accounts in the shape of another tool, as they stand now."""
    with _export() as store:
        head = _head(store, org)
        content = _content(store, head, shape)
    if to is None:
        sys.stdout.buffer.write(content)
    else:
        to.write_bytes(content)


def _content(store: Export, head: Head, shape: Shape) -> bytes:
    if shape is Shape.ENTRA:
        found = read_reviews(Settings().store_url).get(head.org_id, {})
        return entra_review_history(found.get("campaigns", []), found.get("review_items", []))
    snapshot = store.snapshot(head.org_id, head.last_seq)
    if shape is Shape.VANTA:
        base_url = f"{Settings().base_url}/{head.slug}/settings"
        return vanta_user_accounts(snapshot.users, snapshot.effective_access, base_url)
    return table([column.name for column in _TABLES[shape]], getattr(snapshot, shape.value))


def _head(export: Export, slug: str) -> Head:
    for head in export.heads():
        if head.slug == slug:
            return head
    raise NotFound(f"there is no organization {slug!r}; `dagster-scim org list` shows those there are")


@contextmanager
def _export() -> Generator[Export]:
    settings = Settings()
    migrate.require_current(settings.store_url)
    export = Export(settings.store_url)
    try:
        yield export
    finally:
        export.close()
