"""Opening the settings by a link that the machine's operator printed."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from scim_app.admin import rendering
from scim_app.admin.attempts import Attempts, address_of
from scim_app.admin.entrance import actor_of, begun, organization_of
from scim_app.admin.failures import PageProblem, not_found
from scim_app.admin.guard import PageRoute
from scim_app.admin.site import Here, Site
from scim_app.admin.viewers import csrf_token
from scim_app.admin.visits import Sent
from scim_app.store import sessions
from scim_app.store.event_log import Unit
from scim_app.store.sessions import SessionKind

router = APIRouter(route_class=PageRoute)

tries = Attempts(10, seconds=60)


@router.get("/{org}/settings/setup")
def setup(site: Here, org: str, code: str = "") -> Response:
    """Ask before the setup link is used up: programs that only look at addresses must not use it."""
    organization = organization_of(site, org)
    _require_local(site)
    fields = {"code": code, "action": f"{site.base(org)}/setup", "csrf_token": csrf_token(site, code)}
    return rendering.page("setup.html", {"title": "Open the settings", "org": organization, **fields})


@router.post("/{org}/settings/setup")
def use_setup(request: Request, site: Here, org: str, form: Sent) -> Response:
    """Use the setup link up and start the session of the local administrator."""
    tries.require(address_of(request))
    organization, code = organization_of(site, org), str((form or {}).get("code", ""))
    _require_local(site)

    def begin(db: Any) -> str | None:
        unit = Unit.begin(db, organization.id, actor_of(request, "Local administrator"))
        if not sessions.use_link(unit, code):
            return None
        return sessions.start(unit, SessionKind.SETUP, user_id=None, name="Local administrator")

    secret = site.store.write(begin, organization.id)
    if secret is None:
        site.refusals.note(organization.id, "setup link used, replaced or too old", actor_of(request, "nobody"))
        raise PageProblem(
            HTTPStatus.FORBIDDEN,
            "This link is used up",
            "A setup link works once, for an hour, and only the newest one. `dagster-scim org open` prints another.",
        )
    return begun(site, organization, secret)


def _require_local(site: Site) -> None:
    if not site.settings.local:
        raise not_found("Setup links work only where the service is reached on its own machine.")
