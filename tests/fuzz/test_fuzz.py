"""Whatever is sent, nothing breaks: no answer of 500, every error is SCIM's, and the log still tells the state."""

import asyncio
from collections import Counter
from pathlib import Path

import make
import pytest
from attacks import Attacker
from fastapi import FastAPI
from sending import problem, rarer, send

from scim_app.app import create_app

SEED = 20_261_125
SHARES = {200: 0.15, 201: 0.04, 204: 0.002, 400: 0.3, 404: 0.05, 405: 0.03, 409: 0.003, 415: 0.01}
"""What part of the answers have a status at least."""


async def storm(app: FastAPI, organization: make.Organization, count: int, seed: int) -> Counter[int]:
    """Send requests one after the other; any wrong answer ends it."""
    ids: list[str] = []
    attacker = Attacker(seed, ids)
    statuses: Counter[int] = Counter()
    for number in range(count):
        attack = attacker.attack()
        answer = await send(app, organization, attack)
        wrong = problem(attack, answer)
        assert wrong is None, f"request {number}: {wrong}"
        statuses[answer.status] += 1
        if answer.status == 201:
            ids.append(answer.json()["id"])
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
    assert rarer(statuses, SHARES) == {}, statuses
    with organization.export() as export:
        assert export.first_break(organization.id) is None
        assert export.unexplained(organization.id) == []
