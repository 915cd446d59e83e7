"""All routes of the settings, and the files they use."""

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from scim_app.admin import sign_in
from scim_app.admin.pages import (
    audit,
    deployments,
    general,
    keys,
    provisioning,
    reports,
    reviews,
    roles,
    start,
    teams,
    tokens,
    users,
)
from scim_app.admin.rendering import STATIC, STATIC_ROOT
from scim_app.admin.site import Site

# Sign-in comes first: its paths must not be taken for those of a section.
ROUTERS: tuple[APIRouter, ...] = (
    *(sign_in.router, start.router, users.router, teams.router, roles.router, deployments.router),
    *(provisioning.router, tokens.router, keys.router, audit.router, reviews.router, reports.router),
    general.router,
)


class _Static(StaticFiles):
    """Files whose address changes with their content, so that browsers keep them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def add_settings(app: FastAPI, site: Site) -> None:
    """Give an application the settings pages of a site."""
    app.state.site = site
    app.mount(STATIC_ROOT, _Static(directory=STATIC))
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)
