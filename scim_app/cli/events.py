"""`dagster-scim events`: the event log, and the proof that nobody changed it."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import orjson
import typer

from scim_app.cli.opening import AsJson, Organization, acting, opened_store, show
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.export import Export, derived
from scim_app.store.views import event_list
from scim_app.store.views.event_list import EventQuery

app = typer.Typer(help="The event log.", no_args_is_help=True)

_SHORT = ("seq", "occurred_at", "type", "subject_name", "actor", "status", "detail")
_WHOLE = (
    *("seq", "id", "occurred_at", "type", "subject_kind", "subject_id", "subject_name", "actor", "idp", "request_id"),
    *("method", "path", "status", "scim_type", "detail", "change", "document", "prev_hash", "hash"),
)


@app.command("list")
def list_all(
    org: Organization,
    after: Annotated[int, typer.Option(min=0, help="Begin behind this sequence number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most events to list.")] = 100,
    kind: Annotated[str, typer.Option("--type", help="Only those of a type, such as `role.granted`.")] = "",
    actor: Annotated[str, typer.Option(help="Only those of an actor: a token's id, a user name, or `cli`.")] = "",
    subject: Annotated[str, typer.Option(help="Only those about a user, team or token, by name or id.")] = "",
    since: Annotated[str, typer.Option(help="Only those from a moment on (ISO 8601, UTC).")] = "",
    until: Annotated[str, typer.Option(help="Only those before a moment (ISO 8601, UTC).")] = "",
    as_json: AsJson = False,
) -> None:
    """List events, the oldest first."""
    query = EventQuery(type=kind, actor=actor, subject=subject, since=since, until=until)
    with acting(org) as desk:
        found = desk.read(event_list.events_after, query, after=after, limit=limit)
    rows = [{"occurred_at": row["at"], **row} for row in found]
    if as_json:
        rows = [row | {name: orjson.loads(row[name] or "null") for name in ("change", "document")} for row in rows]
    show(_WHOLE if as_json else _SHORT, rows, as_json=as_json)


@app.command()
def verify(
    org: Organization,
    repair: Annotated[bool, typer.Option("--repair", help="Compute derived data again where it is wrong.")] = False,
) -> None:
    """Check the hash chain over the whole log, and what is derived from it; exit status 1 when something is wrong.

    Derived data is what makes reading quick: member counts, counts of lists, the index of e-mail addresses, columns.
    """
    with _export(org) as (export, org_id):
        broken = export.first_break(org_id)
        last_seq = export.counts(org_id)["seq"]
    if broken:
        typer.echo(f"The event log of {org} is broken: {broken}.", err=True)
        raise typer.Exit(1)
    typer.echo(f"The event log of {org} is whole: {last_seq} events, each chained to the one before.")
    with acting(org) as desk:
        wrong = desk.write(derived.repair) if repair else desk.read(derived.differences)
    for difference in wrong:
        typer.echo(f"{'Repaired' if repair else 'Wrong'}: {difference}.", err=True)
    if wrong and not repair:
        typer.echo(f"Run `dagster-scim events verify {org} --repair` to compute it again.", err=True)
        raise typer.Exit(1)


@contextmanager
def _export(slug: str) -> Generator[tuple[Export, str]]:
    settings = Settings()
    with opened_store(settings) as store:
        organization = store.read(lambda db: organizations.by_slug(db, slug))
    export = Export(settings.store_url)
    try:
        yield export, organization.id
    finally:
        export.close()
