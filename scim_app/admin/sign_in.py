"""Signing in and out: at the identity provider, by the operator's setup link, or by the emergency password."""

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from scim_app.admin import rendering, signed
from scim_app.admin.attempts import Attempts
from scim_app.admin.failures import PageProblem, forbidden, not_found
from scim_app.admin.guard import PageRoute
from scim_app.admin.oidc import Identity, SignInRefused
from scim_app.admin.site import SETTINGS, Here, Site
from scim_app.admin.viewers import csrf_token
from scim_app.admin.visits import Sent
from scim_app.directory.events import Actor, Event, EventType
from scim_app.errors import Conflict, DirectoryError, NotFound
from scim_app.store import break_glass, identities, organizations, sessions
from scim_app.store.event_log import Unit
from scim_app.store.organizations import Organization
from scim_app.store.sessions import SessionKind
from scim_app.store.stamps import instant

FLOW_SECONDS = 600
NOT_A_MEMBER = "You are known to the identity provider, but you are not an active member of this organization."

log = structlog.get_logger("sign_in")
router = APIRouter(route_class=PageRoute)

starts = Attempts(30, seconds=60)
setup_tries = Attempts(10, seconds=60)
emergency_tries = Attempts(5, seconds=60)
all_emergency_tries = Attempts(60, seconds=60)
callbacks = Attempts(60, seconds=60)


@router.get("/{org}/settings/sign-in")
def sign_in(request: Request, site: Here, org: str) -> Response:
    """Show how to sign in."""
    return _page(request, site, _organization(site, org))


@router.get("/{org}/settings/sign-in/start")
def start(request: Request, site: Here, org: str) -> Response:
    """Send the browser to the identity provider, and remember in a cookie what its answer must hold."""
    starts.require(_client(request))
    organization = _organization(site, org)
    if site.provider is None:
        return _page(request, site, organization, "No identity provider is set up.", HTTPStatus.NOT_FOUND)
    try:
        url, flow = site.provider.start(site.callback, again=_again(request))
    except SignInRefused as problem:
        return _page(request, site, organization, str(problem), HTTPStatus.BAD_GATEWAY)
    response = RedirectResponse(url, HTTPStatus.SEE_OTHER)
    kept = flow | {"org": org, "next": own_path(site, org, request.query_params.get("next"))}
    site.set_cookie(response, "flow", signed.seal(site.key, "flow", kept, seconds=FLOW_SECONDS), FLOW_SECONDS)
    return response


@router.get("/_/callback")
def callback(request: Request, site: Here) -> Response:
    """Take the identity provider's answer: start a session for an active member, and nobody else."""
    callbacks.require(_client(request))
    flow = signed.unseal(site.key, "flow", request.cookies.get(site.cookie("flow")))
    if flow is None or site.provider is None:
        raise PageProblem(
            HTTPStatus.BAD_REQUEST, "Start again", "This sign-in was not started in this browser, or is too old."
        )
    organization = _organization(site, flow["org"])
    try:
        identity = site.provider.finish(flow, dict(request.query_params), site.callback)
        admit = lambda db: _admit(db, site, organization, identity, request)  # noqa: E731
        secret = site.store.write(admit, organization.id)
    except (SignInRefused, NotFound, Conflict) as problem:
        response = _refused(request, site, organization, problem)
    else:
        response = RedirectResponse(own_path(site, organization.slug, flow["next"]), HTTPStatus.SEE_OTHER)
        site.start_session(response, organization.slug, secret)
    site.drop_cookie(response, "flow")
    return response


@router.get("/{org}/settings/setup")
def setup(site: Here, org: str, code: str = "") -> Response:
    """Ask before the setup link is used up: programs that only look at addresses must not use it."""
    organization = _organization(site, org)
    _require_local(site)
    fields = {"code": code, "action": f"{site.base(org)}/setup", "csrf_token": csrf_token(site, code)}
    return rendering.page("setup.html", {"title": "Open the settings", "org": organization, **fields})


@router.post("/{org}/settings/setup")
def use_setup(request: Request, site: Here, org: str, form: Sent) -> Response:
    """Use the setup link up and start the session of the local administrator."""
    setup_tries.require(_client(request))
    organization, code = _organization(site, org), str((form or {}).get("code", ""))
    _require_local(site)

    def begin(db: Any) -> str | None:
        unit = Unit.begin(db, organization.id, _actor(request, "Local administrator"))
        if not sessions.use_link(unit, code):
            return None
        return sessions.start(unit, SessionKind.SETUP, user_id=None, name="Local administrator")

    secret = site.store.write(begin, organization.id)
    if secret is None:
        _note_refusal(site, organization, request, "setup link used, replaced or too old")
        raise PageProblem(
            HTTPStatus.FORBIDDEN,
            "This link is used up",
            "A setup link works once, for an hour, and only the newest one. `dagster-scim org open` prints another.",
        )
    return _begun(site, organization, secret)


@router.post("/{org}/settings/sign-in/emergency")
def emergency(request: Request, site: Here, org: str, form: Sent) -> Response:
    """Start a session by the emergency password, where it is switched on."""
    organization = _organization(site, org)
    emergency_tries.require(f"{org} {_client(request)}")
    all_emergency_tries.require(org)
    password = str((form or {}).get("password", ""))
    if not signed.same(str((form or {}).get("csrf", "")), csrf_token(site, f"sign-in {org}")):
        raise forbidden("Reload the page and try again.", f"{site.base(org)}/sign-in")
    if not site.store.read(lambda db: break_glass.verify(db, organization.id, password)):
        _note_refusal(site, organization, request, "wrong emergency password")
        return _page(request, site, organization, "That is not the emergency password.", HTTPStatus.FORBIDDEN)

    def begin(db: Any) -> str:
        unit = Unit.begin(db, organization.id, _actor(request, "Emergency account"))
        break_glass.note_use(db, organization.id)
        _end_the_one_before(unit, site, organization, request)
        return sessions.start(unit, SessionKind.BREAK_GLASS, user_id=None, name="Emergency account")

    secret = site.store.write(begin, organization.id)
    return _begun(site, organization, secret, str((form or {}).get("next", "")))


def own_path(site: Site, slug: str, path: str | None) -> str:
    """Return a path of an organization's settings: the one asked for, if it is one and nothing else."""
    base = site.base(slug)
    plain = path is not None and path.isascii() and path.isprintable() and "\\" not in path and ".." not in path
    return path if plain and path and (path == base or path.startswith(f"{base}/")) else base


def _begun(site: Site, organization: Organization, secret: str, path: str = "") -> Response:
    response = RedirectResponse(own_path(site, organization.slug, path), HTTPStatus.SEE_OTHER)
    site.start_session(response, organization.slug, secret)
    return response


def _admit(db: Any, site: Site, organization: Organization, identity: Identity, request: Request) -> str:
    unit = Unit.begin(db, organization.id, _actor(request, identity.email or identity.subject))
    member = identities.member_of(unit, identity.issuer, identity.subject, identity.email)
    unit = Unit.begin(db, organization.id, _actor(request, member.id))  # by id: reports count sign-ins of a user
    _end_the_one_before(unit, site, organization, request)
    told = identity.authenticated_at
    at = instant(datetime.fromtimestamp(min(max(told, 0), time.time()), UTC)) if told is not None else None
    return sessions.start(unit, SessionKind.OIDC, user_id=member.id, name=member.user_name, authenticated_at=at)


def _end_the_one_before(unit: Unit, site: Site, organization: Organization, request: Request) -> None:
    """End the session that the browser held until now: signing in again is no second way in."""
    secret = request.cookies.get(site.cookie(f"session_{organization.slug}"), "")
    held = sessions.find(unit.connection, organization.id, secret) if secret else None
    if held is not None:
        sessions.end(unit, held.id, held.user_name or unit.actor.name, "signed in again")


def _refused(request: Request, site: Site, organization: Organization, problem: DirectoryError) -> Response:
    _note_refusal(site, organization, request, str(problem))
    shown = str(problem) if isinstance(problem, SignInRefused) else NOT_A_MEMBER
    return _page(request, site, organization, shown, HTTPStatus.FORBIDDEN)


def _note_refusal(site: Site, organization: Organization, request: Request, why: str) -> None:
    def note(db: Any) -> None:
        event = Event(
            type=EventType.SIGN_IN_REFUSED,
            subject_kind="session",
            subject_id=None,
            status=int(HTTPStatus.FORBIDDEN),
            detail=why,
        )
        Unit.begin(db, organization.id, _actor(request, "nobody")).record(event)

    log.warning("refused", request_id=request.state.request_id)
    site.store.write(note, organization.id)


def _page(
    request: Request, site: Site, organization: Organization, problem: str = "", status: HTTPStatus = HTTPStatus.OK
) -> Response:
    base = site.base(organization.slug)
    wanted = own_path(site, organization.slug, request.query_params.get("next"))
    context = {
        "title": "Sign in",
        "org": organization,
        "problem": problem,
        "provider": site.provider.name if site.provider else None,
        "again": _again(request),
        "next": wanted,
        "start": f"{base}/sign-in/start?next={wanted}{'&again=yes' if _again(request) else ''}",
        "break_glass": site.store.read(lambda db: break_glass.find(db, organization.id)),
        "emergency": f"{base}/sign-in/emergency",
        "csrf_token": csrf_token(site, f"sign-in {organization.slug}"),
    }
    return rendering.page("sign_in.html", context, int(status))


def _organization(site: Site, slug: str) -> Organization:
    try:
        return site.store.read(lambda db: organizations.by_slug(db, slug))
    except NotFound as problem:
        raise not_found(f"There is no organization {slug!r} here.") from problem


def _require_local(site: Site) -> None:
    if not site.settings.local:
        raise not_found("Setup links work only where the service is reached on its own machine.")


def _again(request: Request) -> bool:
    return request.query_params.get("again") == "yes"


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _actor(request: Request, name: str) -> Actor:
    return Actor(
        name=name,
        request_id=request.state.request_id,
        method=request.method,
        path=f"/{SETTINGS}{request.url.path[-40:]}",
    )
