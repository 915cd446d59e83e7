"""Signing in by the emergency password, where it is switched on."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from scim_app.admin import signed
from scim_app.admin.attempts import Attempts, WaitingLine, address_of
from scim_app.admin.entrance import actor_of, end_session_before, enter_settings, organization_of, sign_in_page
from scim_app.admin.failures import forbidden
from scim_app.admin.guard import PageRoute
from scim_app.admin.site import Here
from scim_app.admin.viewers import csrf_token
from scim_app.admin.visits import Sent
from scim_app.store.credentials import break_glass, sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.log.event_log import Unit

router = APIRouter(route_class=PageRoute)

tries = Attempts(5, seconds=60)
comparisons = WaitingLine(8)
"""One password is compared at a time: each takes 64 MiB and a core for as long as it is made to take."""


@router.post("/{org}/settings/sign-in/emergency")
def emergency(request: Request, site: Here, org: str, form: Sent) -> Response:
    """Start a session by the emergency password, where it is switched on."""
    tries.require(address_of(request))
    organization = organization_of(site, org)
    sent = form or {}
    if not signed.same(str(sent.get("csrf", "")), csrf_token(site, f"sign-in {org}")):
        raise forbidden("Reload the page and try again.", f"{site.base(org)}/sign-in")
    with comparisons.turn():
        digest = site.store.read(lambda db: break_glass.find_digest(db, organization.id))
        right = break_glass.matches(digest, str(sent.get("password", "")))
    if not right:
        site.refusals.note(organization.id, "wrong emergency password", actor_of(request, "nobody"))
        return sign_in_page(request, site, organization, "That is not the emergency password.", HTTPStatus.FORBIDDEN)

    def begin(db: Any) -> str | None:
        unit = Unit.begin(db, organization.id, actor_of(request, "Emergency account"))
        if break_glass.find_digest(db, organization.id) != digest:
            return None
        break_glass.note_use(db, organization.id)
        end_session_before(unit, site, organization, request)
        return sessions.start(unit, SessionKind.BREAK_GLASS, user_id=None, name="Emergency account")

    secret = site.store.write(begin, organization.id)
    if secret is None:
        raise forbidden("The emergency password was changed this moment.", f"{site.base(org)}/sign-in")
    return enter_settings(site, organization, secret, str(sent.get("next", "")))
