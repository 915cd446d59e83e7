"""Requests given to the application in this process, as a server gives them, without a socket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode

import orjson
from fastapi import FastAPI
from make import Organization


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True)
class Client:
    """A SCIM client of an organization."""

    app: FastAPI
    organization: Organization

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask for a path below the SCIM base."""
        whole = f"/{self.organization.slug}/scim/v2{path}"
        content = b"" if body is None else orjson.dumps(body)
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def take(message: Any) -> None:
            sent.append(message)

        await self.app(self._scope(method, whole, content, query or {}, headers or {}), receive, take)
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(int(sent[0]["status"]), told, b"".join(message.get("body", b"") for message in sent[1:]))

    def _scope(
        self, method: str, path: str, content: bytes, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        own = {
            "authorization": f"Bearer {self.organization.token}",
            "content-type": "application/scim+json",
            "content-length": str(len(content)),
        }
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": quote(path, safe="/%").encode(),
            "root_path": "",
            "query_string": urlencode(query).encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in (own | dict(headers)).items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
