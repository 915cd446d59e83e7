"""Whatever is sent, nothing breaks: no answer of 500, every error is SCIM's, and the log still tells the state."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import make
import orjson
import pytest
from attacks import Attack, Attacker
from fastapi import FastAPI

from scim_app.app import create_app

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
SEED = 20_261_125


async def send(app: FastAPI, organization: make.Organization, attack: Attack) -> tuple[int, bytes]:
    """Give a request to the application as a server does, and return the status and the body of its answer."""
    path, _, query = f"/{organization.slug}/scim/v2{attack.path}".partition("?")
    headers = {
        "authorization": f"Bearer {organization.token}",
        "content-type": "application/scim+json",
        **attack.headers,
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
        "headers": [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
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
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return int(sent[0]["status"]), body


def problem(attack: Attack, status: int, body: bytes) -> str | None:
    """What is wrong with an answer."""
    if status >= 500 and status != 501:
        return f"{status} to {attack.told}"
    if status >= 400 and attack.method != "HEAD":
        try:
            error = orjson.loads(body)
            fine = (error["status"], error["schemas"], bool(error["detail"])) == (str(status), [ERROR], True)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            fine = False
        return None if fine else f"no SCIM error: {body[:200]!r} to {attack.told}"
    return None


async def storm(app: FastAPI, organization: make.Organization, count: int, seed: int) -> Counter[int]:
    """Send requests one after the other; any wrong answer ends it."""
    ids: list[str] = []
    attacker = Attacker(seed, ids)
    statuses: Counter[int] = Counter()
    for number in range(count):
        attack = attacker.attack()
        status, body = await send(app, organization, attack)
        wrong = problem(attack, status, body)
        assert wrong is None, f"request {number}: {wrong}"
        statuses[status] += 1
        if status == 201:
            ids.append(orjson.loads(body)["id"])
            del ids[:-40]
    return statuses


@pytest.mark.rfc("errors", "limits")
def test_nothing_that_is_sent_breaks_it(folder: Path, pytestconfig: pytest.Config) -> None:
    settings = make.settings(folder)
    organization = make.organization(settings)
    count = int(pytestconfig.getoption("--requests"))
    statuses = asyncio.run(storm(create_app(settings), organization, count, SEED))
    assert sum(statuses.values()) == count
    # The requests get far enough: many change something, and refusals are of many kinds.
    assert statuses[201] > count / 50, statuses
    assert statuses[200] > count / 20, statuses
    assert {400, 404, 405, 409} <= set(statuses), statuses
    with organization.export() as export:
        assert export.first_break(organization.id) is None
        assert export.unexplained(organization.id) == []
