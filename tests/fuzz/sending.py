"""Hostile requests given to the application, and what is wrong with its answers."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import make
import orjson
from asgi import Answer
from attacks import Attack
from fastapi import FastAPI
from scim2_server.responses import SCIM_MEDIA_TYPE

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


async def send(app: FastAPI, organization: make.Organization, attack: Attack) -> Answer:
    """Give a request to the application as a server does."""
    path, _, query = f"/{organization.slug}/scim/v2{attack.path}".partition("?")
    headers = {
        "authorization": f"Bearer {organization.token}",
        "content-type": "application/scim+json",
        **{name.lower(): value for name, value in attack.headers.items()},
    }
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": attack.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1", "replace"),
        "root_path": "",
        "query_string": query.encode("latin-1", "replace"),
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": attack.body, "more_body": False}

    async def take(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, take)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(int(sent[0]["status"]), told, b"".join(message.get("body", b"") for message in sent[1:]))


def problem(attack: Attack, answer: Answer) -> str | None:
    """What is wrong with an answer."""
    status, body = answer.status, answer.body
    if status >= 500 and status != 501:
        return f"{status} to {attack.told}"
    if body and answer.headers.get("content-type") != SCIM_MEDIA_TYPE:
        return f"{answer.headers} to {attack.told}"
    if status >= 400 and attack.method != "HEAD":
        try:
            error = orjson.loads(body)
            fine = (error["status"], error["schemas"], bool(error["detail"])) == (str(status), [ERROR], True)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            fine = False
        return None if fine else f"no SCIM error: {body[:200]!r} to {attack.told}"
    return None


def rarer(statuses: Counter[int], shares: Mapping[int, float]) -> dict[int, int]:
    """Return the statuses that are seen less often than they should be, each with how often it is seen."""
    return {status: statuses[status] for status, share in shares.items() if statuses[status] < share * statuses.total()}
