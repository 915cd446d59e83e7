"""`dagster-scim org open`: a link that opens the settings pages once, on this machine."""

from typing import Annotated

import typer

from scim_app.cli.opening import opened_store
from scim_app.errors import Refused
from scim_app.settings import Settings
from scim_app.store import organizations, sessions
from scim_app.store.session import Store


def open_settings(org: Annotated[str, typer.Argument(metavar="ORG", help="Slug of the organization.")]) -> None:
    """Print a link that makes its reader the local administrator: once, within an hour, on this machine."""
    settings = Settings()
    if not settings.local:
        raise Refused(
            f"a link opens the settings only where DAGSTER_SCIM_PUBLIC_URL is this machine, not {settings.base_url}: "
            f"grant the role instead, with `dagster-scim role grant {org}`, and sign in at the identity provider"
        )
    with opened_store(settings) as store:
        typer.echo(setup_link(settings, store, org))
    typer.echo("It works once and for an hour; links printed before work no more.", err=True)


def setup_link(settings: Settings, store: Store, org: str) -> str:
    """Return a new setup link of an organization."""
    organization = store.read(lambda db: organizations.by_slug(db, org))
    code = store.write(lambda db: sessions.make_link(db, organization.id))
    return f"{settings.base_url}/{org}/settings/setup?code={code}"
