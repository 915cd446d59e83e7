"""Requests that the OpenAPI document allows, and ones that it forbids: every answer is one that it tells of."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import make
import pytest
import requests
import schemathesis
from asgi import Client
from attacks import Attack
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.modes import GenerationMode
from sending import problem, rarer, send

from scim_app.app import create_app
from scim_app.protocol import openapi

SEED = 20_261_126
REPEATABLE = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
AUTHENTICATED = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})


SHARES = {200: 0.15, 201: 0.01, 400: 0.3, 404: 0.1, 412: 0.005}
"""What part of the answers have a status at least."""


def _drawn(operation: Any, mode: GenerationMode, count: int) -> list[schemathesis.Case]:
    """Cases of an operation, the same every time."""
    found: list[schemathesis.Case] = []
    strategy = operation.as_strategy(mode, feedback=NO_FEEDBACK, path_parameters={"org": "acme"})

    @settings(REPEATABLE, max_examples=count)
    @given(strategy)
    def draw(case: schemathesis.Case) -> None:
        found.append(case)

    draw()
    return found


def _plain(shape: Any) -> Any:
    """A document that allows less: what it names, no cursors, and of alternatives not the last, which is any other.

    What else is allowed is refused more often than not, such as a filter that is any text.
    """
    if isinstance(shape, list):
        return [_plain(one) for one in shape if not (isinstance(one, dict) and one.get("name") == "cursor")]
    if not isinstance(shape, dict):
        return shape
    kept = {name: _plain(one[:-1] if name == "anyOf" else one) for name, one in shape.items() if name != "cursor"}
    return kept | ({"additionalProperties": False} if isinstance(shape.get("properties"), dict) else {})


def _attack(case: schemathesis.Case) -> Attack:
    request = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
    target = urlsplit(str(request.url))
    path = target.path.removeprefix(openapi.BASE.format(org="acme")) + (f"?{target.query}" if target.query else "")
    body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
    return Attack(str(request.method), path, body, dict(request.headers))


@pytest.fixture(scope="module")
def attacks(pytestconfig: pytest.Config) -> list[tuple[str, Attack]]:
    """Requests and the routes that they are for, allowed ones and forbidden ones in an order by chance."""
    documents = {GenerationMode.POSITIVE: _plain(openapi.description()), GenerationMode.NEGATIVE: openapi.description()}
    drawn = [
        (operation.ok(), mode)
        for mode, document in documents.items()
        for operation in schemathesis.openapi.from_dict(document, config=AUTHENTICATED).get_all_operations()
    ]
    # Where nothing is asked for but an id, nothing is forbidden.
    drawn = [(one, mode) for one, mode in drawn if mode is GenerationMode.POSITIVE or one.query or one.body]
    each = max(1, int(pytestconfig.getoption("--requests")) // 4 // len(drawn))
    cases = [case for one, mode in drawn for case in _drawn(one, mode, each)]
    random.Random(SEED).shuffle(cases)
    return [(case.path, _attack(case)) for case in cases]


def _answers_told(route: str, method: str) -> set[str]:
    return set(openapi.description()["paths"][route][method.lower()]["responses"])


async def _storm(app: FastAPI, organization: make.Organization, attacks: list[tuple[str, Attack]]) -> Counter[int]:
    """Send requests one after the other, most to resources that are there; any wrong answer ends it."""
    client, chance = Client(app, organization), random.Random(SEED)
    ids: dict[str, list[str]] = {}
    for endpoint, body in {"Users": make.user("ada"), "Groups": make.group("analysts")}.items():
        ids[f"{openapi.BASE}/{endpoint}"] = [(await client("POST", f"/{endpoint}", body)).json()["id"]]
    statuses: Counter[int] = Counter()
    for route, attack in attacks:
        known = ids.get(route.removesuffix("/{id}"), [])
        if route.endswith("/{id}") and known and chance.random() < 0.8:
            place = route.removeprefix(openapi.BASE).format(id=chance.choice(known))
            attack = replace(attack, path=f"{place}?{urlsplit(attack.path).query}")
        answer = await send(app, organization, attack)
        wrong = problem(attack, answer)
        assert wrong is None, wrong
        assert answer.status >= 400 or str(answer.status) in _answers_told(route, attack.method), attack.told
        statuses[answer.status] += 1
        if answer.status == 201:
            known.append(answer.json()["id"])
    return statuses


@pytest.mark.rfc("errors", "limits")
def test_whatever_is_described_is_answered_as_told(folder: Path, attacks: list[tuple[str, Attack]]) -> None:
    settings = make.settings(folder)
    organization = make.organization(settings)
    statuses = asyncio.run(_storm(create_app(settings), organization, attacks))
    assert sum(statuses.values()) == len(attacks)
    assert rarer(statuses, SHARES) == {}, statuses
    with organization.export() as export:
        assert export.first_break(organization.id) is None
        assert export.unexplained(organization.id) == []


def test_the_description_is_open_to_all_and_can_be_used(folder: Path) -> None:
    make.organization(make.settings(folder))
    answer = TestClient(create_app(make.settings(folder))).get("/openapi.json")
    assert answer.json() == openapi.description()
    schema = schemathesis.openapi.from_dict(answer.json())
    schema.validate()
