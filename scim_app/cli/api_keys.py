"""`dagster-scim token keys|create-key|revoke-key`: keys of the JSON API."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from scim_app.cli.opening import AsJson, Organization, acting, show, told
from scim_app.cli.tokens import Days
from scim_app.directory.permissions import SCOPES
from scim_app.settings import Settings
from scim_app.store.credentials import api_keys


def create(
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


def list_all(org: Organization, as_json: AsJson = False) -> None:
    """List the keys of the JSON API, without their secrets."""
    with acting(org) as desk:
        found = desk.read(api_keys.listing)
    columns = ("id", "description", "scopes", "created_at", "created_by", "expires_at", "last_used_at", "revoked_at")
    show(columns, map(asdict, found), as_json=as_json)


def revoke(
    org: Organization,
    key_id: Annotated[str, typer.Argument(help="Id, as `token keys` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key of the JSON API: the next request with it is refused."""
    with acting(org) as desk:
        desk.write(api_keys.revoke, key_id)
    told({"id": key_id}, f"Key {key_id} is revoked.", as_json=as_json)
