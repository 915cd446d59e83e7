"""What stands before the web framework: SCIM requests go straight to their endpoint, everything else goes on."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

_SCIM = re.compile(r"/(?P<org>[^/]+)/scim/v2(?P<path>.*)", re.DOTALL)


class ScimFirst:
    """Middleware that spares SCIM requests the framework's routing; it costs as much as all that they need.

    The endpoint finds `org` and `path` in `path_params`, as behind a route.
    """

    def __init__(self, app: ASGIApp, endpoint: ASGIApp) -> None:
        self._app = app
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and (found := _SCIM.fullmatch(scope["path"])):
            await self._endpoint({**scope, "path_params": found.groupdict()}, receive, send)
        else:
            await self._app(scope, receive, send)
