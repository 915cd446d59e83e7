"""What goes wrong in the API, as problem bodies (RFC 9457) that say what to do."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from scim2_models import SCIMException
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from scim_app.admin.answering import answer
from scim_app.admin.dagster_instance import DagsterUnreadable
from scim_app.errors import (
    RETRY_SECONDS,
    Conflict,
    DirectoryError,
    NotFound,
    NotPermitted,
    Refused,
    StoreUnavailable,
    Unstorable,
)

BODY_BYTES = 64 * 1024
MEDIA_TYPE = "application/problem+json"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class NotAuthenticated(DirectoryError):
    """Nobody known asks: no key, no session, or one that is not valid here."""


class TooFast(DirectoryError):
    """The caller asks more often than it may; carries after how many seconds the next request is served."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many requests; try again in {seconds} s")
        self.seconds = seconds


class TooLarge(DirectoryError):
    """The body is larger than any that the API reads."""


_STATUS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (NotAuthenticated, HTTPStatus.UNAUTHORIZED),
    (NotPermitted, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (TooFast, HTTPStatus.TOO_MANY_REQUESTS),
    (Conflict, HTTPStatus.CONFLICT),
    (Refused, HTTPStatus.CONFLICT),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (Unstorable, HTTPStatus.UNPROCESSABLE_ENTITY),
    (DagsterUnreadable, HTTPStatus.BAD_GATEWAY),
    (StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (ValueError, HTTPStatus.UNPROCESSABLE_ENTITY),
)


class ApiRoute(APIRoute):
    """A route of the API: whatever goes wrong, the answer is a problem body with the request's id."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the guard around it."""
        handle = super().get_route_handler()

        async def small(request: Request) -> Response:
            _require_small(request)
            return await handle(request)

        async def guarded(request: Request) -> Response:
            return await answer(request, small, problem_response, HEADERS)

        return guarded

    def require_known_parameters(self, request: Request) -> None:
        """Refuse a parameter that the route does not read: a filter that is ignored would list everything.

        Raises:
            ValueError: with the parameters that it reads.
        """
        fields = get_flat_params(self.dependant)
        names = sorted(field.alias for field in fields if isinstance(field.field_info, params.Query))
        for name in request.query_params:
            if name not in names:
                raise ValueError(f"there is no query parameter {name!r}; this route reads {', '.join(names) or 'none'}")


def problem_response(problem: Exception, request_id: str) -> Response:
    """Return the body that tells a problem; one of our own is told without a word of it."""
    status, detail, errors = _told(problem)
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": int(status), "detail": detail}
    headers: dict[str, str] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="dagster-scim API"'
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(problem, TooFast):
        headers["Retry-After"] = str(problem.seconds)
    extra = {"errors": errors} if errors else {}
    return JSONResponse({**body, "request_id": request_id, **extra}, status, headers, MEDIA_TYPE)


def _told(problem: Exception) -> tuple[int, str, list[dict[str, str]]]:
    if isinstance(problem, RequestValidationError):
        errors = [{"field": _field(one["loc"]), "message": one["msg"]} for one in problem.errors()]
        return HTTPStatus.UNPROCESSABLE_ENTITY, "the request is not one that this route reads; see errors", errors
    if isinstance(problem, SCIMException):
        return problem.status, str(problem), []
    if isinstance(problem, HTTPException):
        return problem.status_code, str(problem.detail), []
    for kind, status in _STATUS:
        if isinstance(problem, kind):
            return status, str(problem), []
    return HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here; nothing was changed, try again", []


def _field(place: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in place).encode("utf-8", "replace").decode()


def _require_small(request: Request) -> None:
    length = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not length.isdigit() or int(length) > BODY_BYTES:
        raise TooLarge(f"a body has a Content-Length of at most {BODY_BYTES} bytes")
