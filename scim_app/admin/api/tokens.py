"""SCIM tokens and API keys in the API. Secrets are in the answer that makes them, and in no other."""

from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter

from scim_app.admin.api.bodies import Description, NewKey, NewToken, Rotation
from scim_app.admin.api.callers import Caller, needs
from scim_app.admin.api.problems import ApiRoute
from scim_app.directory.permissions import Permission
from scim_app.store.credentials import api_keys, tokens
from scim_app.store.credentials.tokens import Token

router = APIRouter(prefix="/{org}/api", tags=["tokens"], route_class=ApiRoute)
See = Annotated[Caller, needs(Permission.MANAGE_SCIM)]
Manage = Annotated[Caller, needs(Permission.MANAGE_CREDENTIALS, recent=True)]
SeeKeys = Annotated[Caller, needs(Permission.MANAGE_API_KEYS)]
Keys = Annotated[Caller, needs(Permission.MANAGE_API_KEYS, recent=True)]


@router.get("/tokens")
def list_tokens(caller: See) -> dict[str, Any]:
    """List the SCIM tokens without their secrets; `warning` says that at most so many days are left."""
    return {"tokens": [_shown(one) for one in caller.read(tokens.listing)]}


@router.post("/tokens", status_code=HTTPStatus.CREATED)
def create_token(caller: Manage, body: NewToken) -> dict[str, Any]:
    """Make a SCIM token; `token` is its text, which is shown this once."""
    lifetime = timedelta(days=body.days)
    made, text = caller.write(
        tokens.create, description=body.description, idp=body.idp, pepper=caller.site.key, lifetime=lifetime
    )
    return _shown(made) | {"token": text}


@router.patch("/tokens/{token_id}")
def describe_token(caller: See, token_id: str, body: Description) -> dict[str, Any]:
    """Say anew what a token is for."""
    return _shown(caller.write(tokens.describe, token_id, body.description))


@router.post("/tokens/{token_id}/rotate", status_code=HTTPStatus.CREATED)
def rotate_token(caller: Manage, token_id: str, body: Rotation) -> dict[str, Any]:
    """Make a token in the place of another; both are valid until the overlap ends."""
    made, text = caller.write(
        tokens.rotate,
        token_id,
        pepper=caller.site.key,
        overlap=timedelta(hours=body.overlap_hours),
        lifetime=timedelta(days=body.days),
    )
    return _shown(made) | {"token": text}


@router.delete("/tokens/{token_id}", status_code=HTTPStatus.NO_CONTENT)
def revoke_token(caller: Manage, token_id: str) -> None:
    """Revoke a token: the next request with it is refused."""
    caller.write(tokens.revoke, token_id)


@router.get("/keys")
def list_keys(caller: SeeKeys) -> dict[str, Any]:
    """List the API keys without their secrets."""
    return {"keys": [asdict(one) for one in caller.read(api_keys.listing)]}


@router.post("/keys", status_code=HTTPStatus.CREATED)
def create_key(caller: Keys, body: NewKey) -> dict[str, Any]:
    """Make an API key; `key` is its text, which is shown this once."""
    made, text = caller.write(
        api_keys.create,
        body.scopes,
        description=body.description,
        pepper=caller.site.key,
        lifetime=timedelta(days=body.days),
    )
    return asdict(made) | {"key": text}


@router.delete("/keys/{key_id}", status_code=HTTPStatus.NO_CONTENT)
def revoke_key(caller: Keys, key_id: str) -> None:
    """Revoke an API key: the next request with it is refused."""
    caller.write(api_keys.revoke, key_id)


def _shown(token: Token) -> dict[str, Any]:
    return asdict(token) | {"state": token.state, "warning": token.warning}
