"""`python -m dagster_defs.webserver`: Dagster's webserver, which obeys pages of its own address alone.

Dagster looks at neither Host nor Origin and runs mutations by GET: any web page that a person has open could command
it. Takes the options of `dagster-webserver`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dagster_webserver import cli
from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.datastructures import Headers, QueryParams
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from scim_app.settings import LOOPBACK, Settings

_FOREIGN_HOST = "The Dagster UI is not reached by this name: DAGSTER_SCIM_DAGSTER_HOSTS lists further ones.\n"
_FOREIGN_ORIGIN = "Pages of another address may not use this Dagster.\n"
_BY_GET = "Mutations are sent by POST.\n"


@dataclass(frozen=True, slots=True)
class Guard:
    """An ASGI application that passes on what comes from pages of its own address, and from programs."""

    app: ASGIApp
    hosts: frozenset[str]
    """Names that the application is reached by, without ports."""
    address: str
    """Host and port that browsers see, as before a proxy that ends TLS."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it: 403 for another host or origin, 405 for a mutation by GET."""
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1].strip()})
        else:
            status, text = refusal
            headers = {"Allow": "POST"} if status == 405 else None
            await PlainTextResponse(text, status, headers)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or _name(hosts[0]) not in self.hosts:
            return 403, _FOREIGN_HOST
        own = {_netloc(hosts[0]), self.address}
        if any(_netloc(origin.partition("://")[2]) not in own for origin in origins):
            return 403, _FOREIGN_ORIGIN
        reads = scope["type"] == "websocket" or scope["method"] in ("GET", "HEAD", "OPTIONS")
        if not origins and not reads and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return 403, _FOREIGN_ORIGIN
        if scope["type"] == "http" and scope["method"] == "GET" and _mutates(scope):
            return 405, _BY_GET
        return None


def _name(host: str) -> str:
    """Return the name of a `Host` header, empty when it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _netloc(host: str) -> str:
    """Return name and port as compared: in small letters, without the ports that schemes imply."""
    text = host.lower()
    return text.removesuffix(":80").removesuffix(":443")


def _mutates(scope: Scope) -> bool:
    """Tell whether the query of an address is a GraphQL document with a mutation."""
    for document in QueryParams(scope["query_string"]).getlist("query"):
        try:
            operations = [node for node in parse(document).definitions if isinstance(node, OperationDefinitionNode)]
        except GraphQLError:
            continue
        if any(operation.operation == OperationType.MUTATION for operation in operations):
            return True
    return False


def guarded(app: ASGIApp, settings: Settings) -> Guard:
    """Return an application that is reached by the names of this machine and those of the settings."""
    address = settings.dagster_url
    names: Sequence[str | None] = (*LOOPBACK, address.host, *settings.dagster_hosts)
    hosts = frozenset(_name(name if "[" in name or ":" not in name else f"[{name}]") for name in names if name)
    return Guard(app, hosts, _netloc(urlsplit(str(address)).netloc))


def main() -> None:
    """Run Dagster's own command with the application that it makes behind the guard."""
    command: Any = cli
    build = command.create_app_from_workspace_process_context  # fails, and nothing is served, if Dagster renames it

    def build_guarded(*args: Any, **options: Any) -> Guard:
        return guarded(build(*args, **options), Settings())

    command.create_app_from_workspace_process_context = build_guarded
    command.main()


if __name__ == "__main__":
    main()
