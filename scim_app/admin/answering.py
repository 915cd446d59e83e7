"""What every answer of pages and API has in common: a request id, the headers of its kind, and one line of log."""

from collections.abc import Awaitable, Callable, Mapping

import structlog
from fastapi import Request, Response

from scim_app.store.db.stamps import new_id

log = structlog.get_logger("settings")


async def answer(
    request: Request,
    handle: Callable[[Request], Awaitable[Response]],
    told: Callable[[Exception, str], Response],
    headers: Mapping[str, str],
) -> Response:
    """Return the answer to a request, whatever goes wrong.

    Args:
        request: it is given an id, which is in the answer and in the log.
        handle: gives the answer, or raises.
        told: gives the answer that tells what was raised.
        headers: what an answer carries unless it says otherwise.
    """
    request.state.request_id = request_id = new_id()
    try:
        response = await handle(request)
    except Exception as problem:
        response = told(problem, request_id)
        if response.status_code >= 500:
            log.error("failed", request_id=request_id, exc_info=problem)
    response.headers["X-Request-Id"] = request_id
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    route = request.scope["route"].path
    log.info("answered", request_id=request_id, method=request.method, route=route, status=response.status_code)
    return response
