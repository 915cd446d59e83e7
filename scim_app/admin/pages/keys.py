"""Keys of the JSON API: made with scopes and shown once, revoked."""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from scim_app.admin.guard import PageRoute
from scim_app.admin.pages.shown import with_makers
from scim_app.admin.visits import Visit, allowed
from scim_app.directory.permissions import SCOPES, Permission
from scim_app.store.credentials import api_keys
from scim_app.store.credentials.api_keys import ApiKey
from scim_app.store.db.stamps import now

SCOPE_WORDS = {
    "directory:read": "See users, teams, grants, deployments and settings",
    "directory:write": "Add, change, remove and restore users and teams that hold less than Admin",
    "roles:write": "Grant roles below Admin and revoke any; add and remove deployments and code locations",
    "scim:write": "Switch SCIM; see and describe SCIM tokens; read the request log",
    "settings:write": "Change the settings",
    "audit:read": "Read the audit log",
}

router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.MANAGE_API_KEYS)]
Manage = Annotated[Visit, allowed(Permission.MANAGE_API_KEYS, recent=True)]


@router.get("/{org}/settings/keys")
def show_keys(visit: See) -> Response:
    """Show the keys, without their secrets."""
    return _page(visit)


@router.post("/{org}/settings/keys")
def create_key(visit: Manage) -> Response:
    """Make a key and show it, this once."""
    scopes = [scope for scope in SCOPES if visit.field(f"scope {scope}")]

    def make(unit: Any) -> tuple[ApiKey, str]:
        lifetime = visit.lifetime(api_keys.LIFETIME)
        described = visit.field("description")[:200]
        return api_keys.create(unit, scopes, description=described, pepper=visit.site.key, lifetime=lifetime)

    made, problem = visit.attempt(make)
    return _page(visit, problem=problem) if made is None else _page(visit, shown=made[1])


@router.post("/{org}/settings/keys/{key_id}/revoke")
def revoke_key(visit: Manage, key_id: str) -> Response:
    """Revoke a key, after asking."""
    key = visit.read(lambda db: api_keys.get(db, visit.org.id, key_id))
    if not visit.confirmed:
        told = ["The next request with it is refused, and a revoked key can't be given back."]
        back = ("keys", "API keys")
        return visit.confirm(f"Revoke {_label_of(key)}?", "Revoke", told, section="keys", back=back)
    visit.write(lambda unit: api_keys.revoke(unit, key_id))
    return visit.go("keys", f"{_label_of(key)} is revoked.")


def _label_of(key: ApiKey) -> str:
    return key.description or f"key_{key.id}"


def _page(visit: Visit, *, shown: str = "", problem: str = "") -> Response:
    found, at = visit.read(lambda db: with_makers(db, visit.org, api_keys.listing(db, visit.org.id))), now()
    live = [one for one in found if one.revoked_at is None and one.expires_at > at]
    context = {
        "shown": shown,
        "problem": problem,
        "api_url": f"{visit.site.settings.base_url}/{visit.org.slug}/api",
        "live": live,
        "dead": [one for one in found if one not in live],
        "scopes": list(SCOPE_WORDS.items()),
        "label_of": _label_of,
    }
    return visit.page("keys.html", "API keys", "keys", 422 if problem else 200, **context)
