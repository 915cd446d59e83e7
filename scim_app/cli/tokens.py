"""`dagster-scim token`: the SCIM tokens of an organization."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from scim_app.cli.opening import AsJson, Organization, acting, show, told
from scim_app.directory.permissions import SCOPES
from scim_app.directory.providers import IdentityProvider
from scim_app.settings import Settings
from scim_app.store.credentials import api_keys, tokens

app = typer.Typer(help="SCIM tokens.", no_args_is_help=True)

TokenId = Annotated[str, typer.Argument(help="Id, as `token list` shows it.")]
Days = Annotated[int, typer.Option(min=1, max=730, help="For how many days it is valid.")]


@app.command()
def create(
    org: Organization,
    description: Annotated[str, typer.Option(help="What the token is for.")] = "",
    idp: Annotated[IdentityProvider | None, typer.Option(help="Identity provider that will use it.")] = None,
    days: Days = 365,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, alone, on stdout. It is shown this once."""
    settings = Settings()
    pepper = settings.read_pepper()
    with acting(org) as desk:
        made = desk.write(tokens.create, description=description, idp=idp, pepper=pepper, lifetime=timedelta(days=days))
    _hand_over(*made, org, settings, as_json=as_json)


@app.command("list")
def list_all(org: Organization, as_json: AsJson = False) -> None:
    """List an organization's tokens, without their secrets; `warning` says that at most so many days are left."""
    with acting(org) as desk:
        found = desk.read(tokens.listing)
    rows = [asdict(one) | {"state": one.state, "warning": one.warning} for one in found]
    short = ("id", "description", "idp", "state", "created_at", "created_by", "expires_at", "warning", "last_used_at")
    rest = ("last_used_ip", "last_used_agent", "revoked_at", "replaced_by")
    show((*short, *rest) if as_json else short, rows, as_json=as_json)


@app.command()
def describe(
    org: Organization,
    token_id: TokenId,
    description: Annotated[str, typer.Argument(help="What the token is for.")],
    as_json: AsJson = False,
) -> None:
    """Say anew what a token is for."""
    with acting(org) as desk:
        token = desk.write(tokens.describe, token_id, description)
    told({"id": token.id, "description": token.description}, f"Token {token_id}: {description}", as_json=as_json)


@app.command()
def rotate(
    org: Organization,
    token_id: TokenId,
    overlap_hours: Annotated[int, typer.Option(min=0, max=720, help="How long the old one stays valid.")] = 24,
    days: Days = 365,
    as_json: AsJson = False,
) -> None:
    """Make a token in the place of another and print it, alone, on stdout; both are valid for the overlap."""
    settings = Settings()
    pepper, overlap = settings.read_pepper(), timedelta(hours=overlap_hours)
    with acting(org) as desk:
        made = desk.write(tokens.rotate, token_id, pepper=pepper, overlap=overlap, lifetime=timedelta(days=days))
    _hand_over(*made, org, settings, as_json=as_json)
    typer.echo(f"Token {token_id} stays valid for {overlap_hours} hours.", err=True)


@app.command()
def revoke(org: Organization, token_id: TokenId, as_json: AsJson = False) -> None:
    """Revoke a token: the next request with it is refused."""
    with acting(org) as desk:
        desk.write(tokens.revoke, token_id)
    told({"id": token_id}, f"Token {token_id} is revoked.", as_json=as_json)


def _hand_over(token: tokens.Token, text: str, org: str, settings: Settings, *, as_json: bool) -> None:
    told(asdict(token) | {"token": text}, "Keep it now: it is not shown again.", as_json=as_json)
    if not as_json:
        typer.echo(text)
        typer.echo(
            f"Token {token.id} for {settings.scim_base_url(org)}, valid until {token.expires_at[:10]}.", err=True
        )


@app.command("create-key")
def create_key(
    org: Organization,
    scope: Annotated[list[str], typer.Option(help=f"What the key may do, once or more: {', '.join(SCOPES)}.")],
    description: Annotated[str, typer.Option(help="What the key is for.")] = "",
    days: Days = 365,
    as_json: AsJson = False,
) -> None:
    """Make a key of the JSON API and print it, alone, on stdout. It is shown this once."""
    pepper, lifetime = Settings().read_pepper(), timedelta(days=days)
    with acting(org) as desk:
        key, text = desk.write(api_keys.create, scope, description=description, pepper=pepper, lifetime=lifetime)
    told(asdict(key) | {"key": text}, f"Key {key.id}; keep it now: it is not shown again.", as_json=as_json)
    if not as_json:
        typer.echo(text)


@app.command("keys")
def list_keys(org: Organization, as_json: AsJson = False) -> None:
    """List the keys of the JSON API, without their secrets."""
    with acting(org) as desk:
        found = desk.read(api_keys.listing)
    columns = ("id", "description", "scopes", "created_at", "created_by", "expires_at", "last_used_at", "revoked_at")
    show(columns, map(asdict, found), as_json=as_json)


@app.command("revoke-key")
def revoke_key(
    org: Organization,
    key_id: Annotated[str, typer.Argument(help="Id, as `token keys` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key of the JSON API: the next request with it is refused."""
    with acting(org) as desk:
        desk.write(api_keys.revoke, key_id)
    told({"id": key_id}, f"Key {key_id} is revoked.", as_json=as_json)
