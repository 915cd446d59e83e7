"""The web application: SCIM for every organization, and health for those who run it."""

import gc
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import FastAPI, Request
from scim2_models import SCIMException
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from scim_app.admin.api.router import add_api
from scim_app.admin.failures import problem_page
from scim_app.admin.router import add_settings
from scim_app.admin.site import Site
from scim_app.directory import extensions, kinds
from scim_app.logs import log_as_json
from scim_app.private import keep_private, make_home
from scim_app.protocol import openapi
from scim_app.protocol.health import Drain, add_health
from scim_app.protocol.scim import ScimEndpoint
from scim_app.protocol.wire import scim_service
from scim_app.settings import Settings
from scim_app.store.db import migrate
from scim_app.store.log.readiness import Readiness
from scim_app.store.log.session import Store

GARBAGE = 20_000
"""How many more objects there are before a worker looks for circles among them."""


_SCIM = re.compile(r"/([^/]+)/scim/v2(.*)", re.DOTALL)


class Front(FastAPI):
    """The web application. It spares SCIM requests the framework, which costs as much as all that they need.

    The endpoint finds `org` and `path` in `path_params`, as behind a route.
    """

    scim: ASGIApp
    drain: Drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and (found := _SCIM.fullmatch(scope["path"])):
            scope["path_params"] = {"org": found[1], "path": found[2]}
            await self.scim(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def require_ready(settings: Settings) -> None:
    """Raise what keeps the service from starting.

    Raises:
        LookupError: when there is no pepper.
        Refused: when others can read the home, and it is not ours to mend.
        StoreUnavailable: when the store's schema is not the newest.
    """
    make_home(settings.home)
    settings.read_pepper()
    migrate.require_current(settings.store_url)


def create_app(settings: Settings | None = None) -> Front:
    """Return the application, its store open; raises what `require_ready` raises."""
    settings = settings or Settings()
    require_ready(settings)
    log_as_json()
    kinds.extend(extensions.read(settings.extensions.read_bytes()) if settings.extensions else {})
    store = Store(settings.store_url)
    service = scim_service(settings.read_pepper())
    scim = ScimEndpoint(store, settings, service)
    site = Site.of(store, settings)

    readiness, drain = Readiness(store, settings.store_url), Drain()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        scim.recorder.flush()
        readiness.close()
        site.refusals.close()
        store.close()

    app = Front(title="dagster-scim", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.scim = scim
    app.router.redirect_slashes = False
    app.add_route("/metrics", scim.metrics.page)
    app.drain = drain
    add_health(app, readiness, drain)
    described = cache(openapi.description)
    app.add_api_route("/openapi.json", lambda: JSONResponse(described()))
    add_settings(app, site)
    add_api(app)

    @app.exception_handler(HTTPException)
    def nowhere(request: Request, problem: HTTPException) -> Response:
        if "/scim/" not in request.url.path and "text/html" in request.headers.get("accept", ""):
            return problem_page(problem, "")
        error = SCIMException(detail=problem.detail)
        error.status = problem.status_code
        reply = service.error_response(error)
        return JSONResponse(reply.body, problem.status_code, reply.headers)

    return app


def create_worker() -> Front:
    """Return the application of a worker process. What is there from the start is never looked through for garbage.

    What a request makes goes with it; circles are rare, and looked for after some hundred requests, not after each.
    """
    keep_private()
    settings = Settings()
    app = create_app(settings)
    app.drain.on_signals(settings.drain_seconds)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)
    return app
