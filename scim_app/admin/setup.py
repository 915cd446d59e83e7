"""Opening the settings by a link that the machine's operator printed."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from scim_app.admin import rendering
from scim_app.admin.attempts import Attempts, address_of
from scim_app.admin.entrance import actor_of, end_session_before, enter_settings, organization_of
from scim_app.admin.failures import PageProblem, not_found
from scim_app.admin.guard import PageRoute
from scim_app.admin.site import Here, Site
from scim_app.admin.viewers import csrf_token
from scim_app.admin.visits import Sent
from scim_app.store.credentials import sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.log.event_log import Unit
from scim_app.store.sign_in import setup_links
from scim_app.store.sign_in.setup_links import SetupLink

router = APIRouter(route_class=PageRoute)

tries = Attempts(10, seconds=60)
LOCAL = "Local administrator"


@router.get("/{org}/settings/setup")
def setup(site: Here, org: str, code: str = "") -> Response:
    """Ask before the setup link is used up: programs that only look at addresses must not use it."""
    organization = organization_of(site, org)
    link = site.store.read(lambda db: setup_links.find(db, organization.id, code))
    _require_safe(site, link)
    fields = {"code": code, "action": f"{site.base(org)}/setup", "csrf_token": csrf_token(site, code)}
    shown = {"title": "Open the settings", "org": organization, "user_name": link.user_name if link else None}
    return rendering.page("setup.html", {**shown, **fields})


@router.post("/{org}/settings/setup")
def use_setup(request: Request, site: Here, org: str, form: Sent) -> Response:
    """Use the setup link up and start the session of the user that it names, or of the local administrator."""
    tries.require(address_of(request))
    organization, code = organization_of(site, org), str((form or {}).get("code", ""))

    def begin(db: Any) -> str | None:
        unit = Unit.begin(db, organization.id, actor_of(request, LOCAL))
        link = setup_links.use(unit, code)
        _require_safe(site, link)
        if link is None:
            return None
        if link.user_id is not None:
            unit = Unit.begin(db, organization.id, actor_of(request, link.user_id))
        end_session_before(unit, site, organization, request)
        return sessions.start(unit, SessionKind.SETUP, user_id=link.user_id, name=link.user_name or LOCAL)

    secret = site.store.write(begin, organization.id)
    if secret is None:
        reason = "setup link used, replaced or too old"
        site.refusals.note(organization.id, reason, actor_of(request, "nobody"))
        raise PageProblem(
            HTTPStatus.FORBIDDEN,
            "This link is used up",
            "A setup link works once, for an hour, and only the newest one. On the machine that runs this service, "
            f"`dagster-scim setup {org}` prints another.",
        )
    return enter_settings(site, organization, secret)


def _require_safe(site: Site, link: SetupLink | None) -> None:
    """Refuse a link where others could read along, or where one that names nobody comes from elsewhere."""
    named = link is None or link.user_id is not None
    if not (site.settings.local or (site.secure and named)):
        raise not_found("Setup links work by https, or where the service is reached on its own machine.")
