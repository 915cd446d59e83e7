"""What stands before every page: who may send a form, and one way for whatever goes wrong."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse

from scim_app.admin.answering import answer
from scim_app.admin.failures import PageProblem, problem_page
from scim_app.admin.rendering import HEADERS
from scim_app.admin.site import Site

SAFE = frozenset({"GET", "HEAD"})
FORM_BYTES = 64 * 1024
FORMS = ("application/x-www-form-urlencoded",)


class SignInNeeded(Exception):
    """Nobody is signed in; carries where to sign in."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class PageRoute(APIRoute):
    """A route of the settings: forms of other sites are refused, and a problem is a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the guard around it."""
        handle = super().get_route_handler()

        async def own(request: Request) -> Response:
            require_own_form(request, request.app.state.site)
            return await handle(request)

        async def guarded(request: Request) -> Response:
            return await answer(request, own, _told, HEADERS)

        return guarded


def require_own_form(request: Request, site: Site) -> None:
    """Refuse a change that another site asks for, or that no form of ours can have sent.

    Raises:
        PageProblem: with status 403, 411, 413 or 415.
    """
    if request.method in SAFE:
        return
    fetched_from, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if fetched_from is not None:
        own = fetched_from == "same-origin"
    else:
        own = origin is not None and origin.casefold() == _origin(site.settings.base_url)
    if not own:
        raise _refused("This form was not sent from a page of these settings.", HTTPStatus.FORBIDDEN)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() not in FORMS:
        raise _refused("Only forms of these pages are read here.", HTTPStatus.FORBIDDEN)
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise _refused("The length of the form is missing.", HTTPStatus.LENGTH_REQUIRED)
    if int(length) > FORM_BYTES:
        raise _refused("The form is too long.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".casefold()


def _refused(text: str, status: HTTPStatus) -> PageProblem:
    return PageProblem(status, "Not accepted", text, link="/", link_label="To the start")


def _told(problem: Exception, request_id: str) -> Response:
    if isinstance(problem, SignInNeeded):
        return RedirectResponse(problem.path, HTTPStatus.SEE_OTHER)
    return problem_page(problem, request_id)
