"""Signing in at the identity provider."""

import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from scim_app.admin import emergency, rendering, setup, signed
from scim_app.admin.attempts import Attempts, address_of
from scim_app.admin.entrance import (
    actor_of,
    browser_session,
    end_session_before,
    enter_settings,
    organization_of,
    own_path,
    sign_in_page,
    signs_in_again,
)
from scim_app.admin.failures import PageProblem
from scim_app.admin.guard import PageRoute
from scim_app.admin.oidc import Identity, SignInRefused
from scim_app.admin.site import Here, Site
from scim_app.errors import Conflict, DirectoryError, NotFound
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials import sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.db.stamps import instant
from scim_app.store.log.event_log import Unit
from scim_app.store.sign_in import identities, identity_requests
from scim_app.store.sign_in.identities import ConfirmationNeeded
from scim_app.store.sign_in.recognition import Person

FLOW_SECONDS = 600
NOT_A_MEMBER = "You are known to the identity provider, but you are not an active member of this organization."

router = APIRouter(route_class=PageRoute)
router.include_router(setup.router)
router.include_router(emergency.router)

starts = Attempts(30, seconds=60)
callbacks = Attempts(60, seconds=60)


@router.get("/{org}/settings/sign-in")
def sign_in(request: Request, site: Here, org: str) -> Response:
    """Show how to sign in."""
    return sign_in_page(request, site, organization_of(site, org))


@router.get("/{org}/settings/sign-in/start")
def start(request: Request, site: Here, org: str) -> Response:
    """Send the browser to the identity provider, and remember in a cookie what its answer must hold."""
    starts.require(address_of(request))
    organization = organization_of(site, org)
    if site.provider is None:
        return sign_in_page(request, site, organization, "No identity provider is set up.", HTTPStatus.NOT_FOUND)
    try:
        url, flow = site.provider.start(site.callback, again=signs_in_again(request))
    except SignInRefused as problem:
        return sign_in_page(request, site, organization, str(problem), HTTPStatus.BAD_GATEWAY)
    response = RedirectResponse(url, HTTPStatus.SEE_OTHER)
    kept = flow | {"org": org, "next": own_path(site, org, request.query_params.get("next"))}
    site.set_cookie(response, "flow", signed.seal(site.key, "flow", kept, seconds=FLOW_SECONDS), FLOW_SECONDS)
    return response


@router.get("/_/callback")
def callback(request: Request, site: Here) -> Response:
    """Take the identity provider's answer: start a session for an active member, and nobody else."""
    callbacks.require(address_of(request))
    flow = signed.unseal(site.key, "flow", request.cookies.get(site.cookie("flow")))
    if flow is None or site.provider is None:
        raise PageProblem(
            HTTPStatus.BAD_REQUEST, "Start again", "This sign-in was not started in this browser, or is too old."
        )
    organization = organization_of(site, flow["org"])
    try:
        identity = site.provider.finish(flow, dict(request.query_params), site.callback)
        admit = lambda db: _admit(db, site, organization, identity, request)  # noqa: E731
        secret = site.store.write(admit, organization.id)
    except ConfirmationNeeded as needed:
        response = _ask(request, site, organization, needed)
    except (SignInRefused, NotFound, Conflict) as problem:
        response = _refused(request, site, organization, problem)
    else:
        response = enter_settings(site, organization, secret, flow["next"])
    site.drop_cookie(response, "flow")
    return response


def _admit(db: Any, site: Site, organization: Organization, identity: Identity, request: Request) -> str:
    unit = Unit.begin(db, organization.id, actor_of(request, identity.email or identity.subject))
    person = Person(identity.issuer, identity.subject, identity.email, identity.external_id)
    session = browser_session(unit.connection, site, organization, request)
    if session is not None and session.kind == SessionKind.SETUP and session.user_id is not None:
        # The link was the operator's confirmation of whoever signs in in this browser.
        identities.bind_where_set_up(unit, session.user_id, person)
    member = identities.member_of(unit, person)
    unit = Unit.begin(db, organization.id, actor_of(request, member.id))  # by id: reports count sign-ins of a user
    end_session_before(unit, site, organization, request)
    told = identity.authenticated_at
    at = instant(datetime.fromtimestamp(min(max(told, 0), time.time()), UTC)) if told is not None else None
    return sessions.start(unit, SessionKind.OIDC, user_id=member.id, name=member.user_name, authenticated_at=at)


def _ask(request: Request, site: Site, organization: Organization, needed: ConfirmationNeeded) -> Response:
    """Let a person wait for the confirmation of an admin, and say so."""
    person = needed.person
    ask = lambda db: identity_requests.ask(  # noqa: E731
        Unit.begin(db, organization.id, actor_of(request, person.email or person.subject)), needed
    )
    site.store.write(ask, organization.id)
    base = site.base(organization.slug)
    shown = {"person": person, "days": identity_requests.LIFETIME.days, "sign_in": f"{base}/sign-in"}
    context = {"title": "Waiting for a confirmation", "org": organization, **shown}
    return rendering.page("waiting.html", context, int(HTTPStatus.FORBIDDEN))


def _refused(request: Request, site: Site, organization: Organization, problem: DirectoryError) -> Response:
    site.refusals.note(organization.id, str(problem), actor_of(request, "nobody"))
    shown = str(problem) if isinstance(problem, SignInRefused) else NOT_A_MEMBER
    return sign_in_page(request, site, organization, shown, HTTPStatus.FORBIDDEN)
