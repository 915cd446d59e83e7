"""The way in: `/`, `/{org}/settings`, and signing out."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from scim_app.admin import rendering
from scim_app.admin.guard import PageRoute
from scim_app.admin.site import Here
from scim_app.admin.visits import Visit, allowed
from scim_app.directory.permissions import Permission
from scim_app.store.access import organizations
from scim_app.store.credentials import sessions

router = APIRouter(route_class=PageRoute)
Anybody = Annotated[Visit, allowed(Permission.SEE_USERS)]


@router.get("/")
def start(site: Here, organization: str = "") -> Response:
    """Lead to the only organization's settings, or ask for the organization; which there are is not told."""
    slugs = [one.slug for one in site.store.read(organizations.listing)]
    wanted = organization.strip().lower()
    if wanted in slugs or len(slugs) == 1:
        return RedirectResponse(site.base(wanted if wanted in slugs else slugs[0]), HTTPStatus.SEE_OTHER)
    problem = f"There is no organization {wanted!r} here." if wanted else ""
    shown = {"title": "Settings", "org": None, "organization": wanted, "problem": problem}
    return rendering.page("organizations.html", shown, HTTPStatus.NOT_FOUND if wanted else HTTPStatus.OK)


@router.get("/{org}/settings")
def settings(visit: Anybody) -> Response:
    """Lead to the first section."""
    return visit.go("users")


@router.post("/{org}/settings/sign-out")
def sign_out(visit: Anybody) -> Response:
    """End this session."""
    viewer = visit.viewer
    visit.write(lambda unit: sessions.end(unit, viewer.session.id, viewer.user_name))
    response = RedirectResponse(f"{visit.base}/sign-in", HTTPStatus.SEE_OTHER)
    visit.site.drop_cookie(response, f"session_{visit.org.slug}")
    return response
