"""SCIM tokens: made and shown once, described, rotated, revoked."""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from scim_app.admin.guard import PageRoute
from scim_app.admin.happenings import IDPS
from scim_app.admin.pages.shown import with_makers
from scim_app.admin.visits import Visit, allowed
from scim_app.directory.permissions import Permission
from scim_app.store.credentials import tokens
from scim_app.store.credentials.tokens import Token

router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.MANAGE_SCIM)]
Manage = Annotated[Visit, allowed(Permission.MANAGE_CREDENTIALS, recent=True)]


@router.get("/{org}/settings/tokens")
def show_tokens(visit: See) -> Response:
    """Show the tokens, without their secrets."""
    return _page(visit)


@router.post("/{org}/settings/tokens")
def create_token(visit: Manage) -> Response:
    """Make a token and show it, this once."""
    idp = visit.field("idp")

    def make(unit: Any) -> tuple[Token, str]:
        if idp and idp not in IDPS:
            raise ValueError(f"{idp!r} is not an identity provider that is known here")
        lifetime = visit.lifetime(tokens.LIFETIME)
        described = visit.field("description")[:200]
        return tokens.create(unit, description=described, idp=idp or None, pepper=visit.site.key, lifetime=lifetime)

    made, problem = visit.attempt(make)
    return _page(visit, problem=problem) if made is None else _page(visit, shown=made[1])


@router.get("/{org}/settings/tokens/{token_id}")
def show_token(visit: See, token_id: str) -> Response:
    """Show the form that describes a token."""
    token = visit.read(lambda db: tokens.get(db, visit.org.id, token_id))
    return visit.page("token.html", label_of(token), "tokens", token=token, label=label_of(token))


@router.post("/{org}/settings/tokens/{token_id}/describe")
def describe_token(visit: See, token_id: str) -> Response:
    """Say anew what a token is for."""
    visit.write(lambda unit: tokens.describe(unit, token_id, visit.field("description")[:200]))
    return visit.go("tokens", "The description is saved.")


@router.post("/{org}/settings/tokens/{token_id}/rotate")
def rotate_token(visit: Manage, token_id: str) -> Response:
    """Make a token in the place of another and show it, this once; both work for a day."""
    token = visit.read(lambda db: tokens.get(db, visit.org.id, token_id))
    hours = int(tokens.OVERLAP.total_seconds() // 3600)
    if not visit.confirmed:
        told = [
            f"You get a new token. The old one, {label_of(token)}, stays valid for {hours} hours,"
            " so that no push is lost while you change it in the identity provider.",
        ]
        back = ("tokens", "Tokens")
        return visit.confirm("Rotate this token?", "Rotate", told, section="tokens", back=back, danger=False)
    made, problem = visit.attempt(lambda unit: tokens.rotate(unit, token_id, pepper=visit.site.key))
    return _page(visit, problem=problem) if made is None else _page(visit, shown=made[1])


@router.post("/{org}/settings/tokens/{token_id}/revoke")
def revoke_token(visit: Manage, token_id: str) -> Response:
    """Revoke a token, after asking."""
    token = visit.read(lambda db: tokens.get(db, visit.org.id, token_id))
    if not visit.confirmed:
        told = [
            "The next request with it is refused, and a revoked token can't be given back.",
            "Make the next token first, if the identity provider still uses this one.",
        ]
        back = ("tokens", "Tokens")
        return visit.confirm(f"Revoke {label_of(token)}?", "Revoke", told, section="tokens", back=back)
    visit.write(lambda unit: tokens.revoke(unit, token_id))
    return visit.go("tokens", f"{label_of(token)} is revoked.")


def label_of(token: Token) -> str:
    """Return what people call a token."""
    return token.description or f"scim_{token.id}"


def _page(visit: Visit, *, shown: str = "", problem: str = "") -> Response:
    found = visit.read(lambda db: with_makers(db, visit.org, tokens.listing(db, visit.org.id)))
    context = {
        "shown": shown,
        "problem": problem,
        "scim_url": visit.site.settings.scim_base_url(visit.org.slug),
        "live": [one for one in found if one.state in ("valid", "replaced")],
        "dead": [one for one in found if one.state not in ("valid", "replaced")],
        "warned": [one for one in found if one.warning],
        "idps": list(IDPS.items()),
        "label_of": label_of,
    }
    return visit.page("tokens.html", "Tokens", "tokens", 422 if problem else 200, **context)
