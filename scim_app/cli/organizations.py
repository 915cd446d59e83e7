"""`dagster-scim org`: the organizations that are served."""

from dataclasses import asdict
from typing import Annotated

import typer

from scim_app.cli.opening import CLI, opened_store, show
from scim_app.settings import Settings
from scim_app.store import organizations

app = typer.Typer(help="Organizations.", no_args_is_help=True)


@app.command()
def create(
    slug: Annotated[str, typer.Argument(help="Name in addresses: lower-case letters, digits and hyphens.")],
    name: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Zone in which its day ends (IANA name).")] = None,
) -> None:
    """Set up an organization and print its SCIM base URL."""
    settings = Settings()
    with opened_store(settings) as store:
        zone = time_zone or settings.time_zone
        store.write(lambda db: organizations.create(db, slug, name=name, time_zone=zone, actor=CLI))
    typer.echo(settings.scim_base_url(slug))
    typer.echo(f"Next: `dagster-scim token create {slug}` makes the token for your identity provider.", err=True)


@app.command("list")
def list_all(as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """List the organizations."""
    settings = Settings()
    with opened_store(settings) as store:
        found = store.read(organizations.listing)
    rows = [asdict(one) | {"scim_base_url": settings.scim_base_url(one.slug)} for one in found]
    columns = ("slug", "name", "time_zone", "scim_enabled", "last_seq", "created_at", "scim_base_url")
    show(columns, rows, as_json=as_json)
