"""All routes of the API, and their description: `/api/openapi.json` for programs, `/api/docs` for people."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from scim_app.admin import rendering
from scim_app.admin.api import logs, roles, settings, teams, tokens, users
from scim_app.admin.api.callers import permission_of
from scim_app.directory.permissions import SCOPES

ROUTERS: tuple[APIRouter, ...] = (
    *(users.router, teams.router, roles.router, tokens.router, settings.router, logs.router),
)
_ABOUT = (
    "Users, teams, roles, tokens, settings and logs of one organization. Authenticate with an API key "
    "(`Authorization: Bearer key_…`); SCIM tokens are not valid here. Problems are `application/problem+json`."
)


def add_api(app: FastAPI) -> None:
    """Give an application the API and its description; the site must be there (`add_settings`)."""
    for router in ROUTERS:
        app.include_router(router)
    described = description()
    page = {"groups": _groups(described), "scopes": sorted(SCOPES), "about": _ABOUT}

    @app.get("/api/openapi.json", include_in_schema=False)
    def openapi() -> Response:
        return JSONResponse(described)

    @app.get("/api/docs", include_in_schema=False)
    def docs() -> Response:
        return rendering.page("api.html", page)


def description() -> dict[str, Any]:
    """Return the OpenAPI description of the API; `x-permission` is what a route asks for."""
    routes = [route for router in ROUTERS for route in router.routes]
    described = get_openapi(title="dagster-scim API", version="1", description=_ABOUT, routes=routes)
    described.setdefault("components", {})["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    described["security"] = [{"key": []}]
    for route in routes:
        for needed in route.dependant.dependencies:  # pyright: ignore[reportAttributeAccessIssue]
            if (permission := permission_of(needed.call)) is not None:
                for method in route.methods:  # pyright: ignore[reportAttributeAccessIssue]
                    described["paths"][route.path][method.lower()]["x-permission"] = permission  # pyright: ignore[reportAttributeAccessIssue]
    return described


def _groups(described: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            parameters = [one["name"] for one in told.get("parameters", ()) if one["in"] == "query"]
            body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            fields = described["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], {})
            shown = {"method": method.upper(), "path": path, "says": told.get("description", "")}
            asked = {"query": parameters, "body": fields.get("properties", {}), "needed": fields.get("required", [])}
            found.setdefault(told["tags"][0], []).append({**shown, **asked, "permission": told.get("x-permission", "")})
    return found
