"""What all ways of signing in share: whose settings, who asks, where to go afterwards, and the page itself."""

from http import HTTPStatus

import sqlalchemy as sa
from fastapi import Request
from starlette.responses import RedirectResponse, Response

from scim_app.admin import rendering
from scim_app.admin.failures import not_found
from scim_app.admin.site import SETTINGS, Site
from scim_app.admin.viewers import csrf_token
from scim_app.directory.events import Actor
from scim_app.errors import NotFound
from scim_app.store.access import organizations
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials import break_glass, sessions
from scim_app.store.credentials.sessions import Session
from scim_app.store.log.event_log import Unit


def organization_of(site: Site, slug: str) -> Organization:
    """Return the organization of a path; raises `PageProblem` with status 404 when there is none."""
    try:
        return site.store.read(lambda db: organizations.by_slug(db, slug))
    except NotFound as problem:
        raise not_found(f"There is no organization {slug!r} here.") from problem


def actor_of(request: Request, name: str) -> Actor:
    """Return whom the event log names for a request of somebody who has no session yet."""
    path = f"/{SETTINGS}{request.url.path[-40:]}"
    return Actor(name=name, request_id=request.state.request_id, method=request.method, path=path)


def own_path(site: Site, slug: str, path: str | None) -> str:
    """Return a path of an organization's settings: the one asked for, if it is one and nothing else."""
    base = site.base(slug)
    plain = path is not None and path.isascii() and path.isprintable() and "\\" not in path and ".." not in path
    return path if plain and path and (path == base or path.startswith(f"{base}/")) else base


def enter_settings(site: Site, organization: Organization, secret: str, path: str | None = None) -> Response:
    """Return the way into the settings, with the session in the browser."""
    response = RedirectResponse(own_path(site, organization.slug, path), HTTPStatus.SEE_OTHER)
    site.start_session(response, organization.slug, secret)
    return response


def browser_session(
    connection: sa.Connection, site: Site, organization: Organization, request: Request
) -> Session | None:
    """Return the session that the browser holds, None without a valid one."""
    secret = request.cookies.get(site.cookie(f"session_{organization.slug}"), "")
    return sessions.find(connection, organization.id, secret) if secret else None


def end_session_before(unit: Unit, site: Site, organization: Organization, request: Request) -> None:
    """End the session that the browser held until now: signing in again is no second way in."""
    session = browser_session(unit.connection, site, organization, request)
    if session is not None:
        sessions.end(unit, session.id, session.user_name or unit.actor.name, "signed in again")


def sign_in_page(
    request: Request, site: Site, organization: Organization, problem: str = "", status: HTTPStatus = HTTPStatus.OK
) -> Response:
    """Return the page that shows how to sign in, and what went wrong where something did."""
    base = site.base(organization.slug)
    path, again = own_path(site, organization.slug, request.query_params.get("next")), signs_in_again(request)
    context = {
        "title": "Sign in",
        "org": organization,
        "problem": problem,
        "provider": site.provider.name if site.provider else None,
        "again": again,
        "next": path,
        "start": f"{base}/sign-in/start?next={path}{'&again=yes' if again else ''}",
        "break_glass": site.store.read(lambda db: break_glass.find(db, organization.id)),
        "emergency": f"{base}/sign-in/emergency",
        "csrf_token": csrf_token(site, f"sign-in {organization.slug}"),
    }
    return rendering.page("sign_in.html", context, int(status))


def signs_in_again(request: Request) -> bool:
    """Tell whether the person is to prove anew who it is."""
    return request.query_params.get("again") == "yes"
