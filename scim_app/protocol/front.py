"""What stands before the web framework: SCIM requests go straight to their endpoint, everything else goes on."""

import re

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from scim_app.protocol.health import Drain

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
