"""`dagster-scim token`: the SCIM tokens of an organization."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from scim_app.cli.opening import CLI, opened_store, show
from scim_app.settings import Settings
from scim_app.store import organizations, tokens

app = typer.Typer(help="SCIM tokens.", no_args_is_help=True)

Organization = Annotated[str, typer.Argument(metavar="ORG", help="Slug of the organization.")]


class IdentityProvider(StrEnum):
    """The identity providers whose dialects are known."""

    OKTA = "okta"
    ENTRA = "entra"
    ONELOGIN = "onelogin"
    JUMPCLOUD = "jumpcloud"
    GOOGLE = "google"
    PING = "ping"
    RIPPLING = "rippling"


@app.command()
def create(
    org: Organization,
    description: Annotated[str, typer.Option(help="What the token is for.")] = "",
    idp: Annotated[IdentityProvider | None, typer.Option(help="Identity provider that will use it.")] = None,
) -> None:
    """Make a token and print it, alone, on stdout. It is shown this once."""
    settings = Settings()
    pepper = settings.read_pepper()
    with opened_store(settings) as store:
        organization = store.read(lambda db: organizations.by_slug(db, org))
        token, text = store.write(
            lambda db: tokens.create(db, organization, description=description, idp=idp, pepper=pepper, actor=CLI)
        )
    typer.echo(text)
    typer.echo(f"Token {token.id} for {settings.scim_base_url(org)}, valid until {token.expires_at[:10]}.", err=True)
    typer.echo("Keep it now: it is not shown again.", err=True)


@app.command("list")
def list_all(
    org: Organization, as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False
) -> None:
    """List an organization's tokens, without their secrets."""
    with opened_store(Settings()) as store:
        organization = store.read(lambda db: organizations.by_slug(db, org))
        found = store.read(lambda db: tokens.listing(db, organization.id))
    columns = ("id", "description", "idp", "created_at", "expires_at", "last_used_at", "revoked_at")
    show(columns, map(asdict, found), as_json=as_json)


@app.command()
def revoke(org: Organization, token_id: Annotated[str, typer.Argument(help="Id, as `token list` shows it.")]) -> None:
    """Revoke a token: the next request with it is refused."""
    with opened_store(Settings()) as store:
        organization = store.read(lambda db: organizations.by_slug(db, org))
        store.write(lambda db: tokens.revoke(db, organization, token_id, actor=CLI))
    typer.echo(f"Token {token_id} is revoked.", err=True)
