"""Templates to pages: one environment, everything escaped, and the headers every page carries."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.responses import HTMLResponse

from scim_app.admin import happenings, wording

HERE = Path(__file__).parent
STATIC = HERE / "static"
STATIC_ROOT = "/_/static"
"""Below `/_/`, which no organization's slug can be."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer of the settings carries; ADR *Settings pages* says why."""


@cache
def templates() -> jinja2.Environment:
    """Return the template environment: autoescape on, a missing name is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("ago", "breakable", "clock", "initials", "plural", "words", "scalar"):
        environment.filters[name] = getattr(wording, name)
    for name in ("idp_name", "actor_name", "attribute_name"):
        environment.filters[name] = getattr(happenings, name)
    environment.globals["static"] = static
    return environment


@cache
def static(name: str) -> str:
    """Return the address of a static file; it changes with the content, so that browsers may keep it."""
    return f"{STATIC_ROOT}/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def page(name: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Return a rendered template with the headers of every page."""
    return HTMLResponse(templates().get_template(name).render(context), status, headers=HEADERS)
