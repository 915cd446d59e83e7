"""A group has a most of members, however they come: the last one that fits is served, the next one is refused whole."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import make
import pytest
from asgi import Answer, Client

from scim_app.app import create_app
from scim_app.directory import membership

MOST = 40

Request = Callable[[str, int], tuple[str, str, Any]]
"""Gives method, path and body of what makes a group of five have so many members."""


def _names(count: int, start: int = 0) -> list[str]:
    return [f"m{number}" for number in range(start, count)]


def _post(_team: str, count: int) -> tuple[str, str, Any]:
    return "POST", "/Groups", make.group("New", *_names(count))


def _put(team: str, count: int) -> tuple[str, str, Any]:
    return "PUT", f"/Groups/{team}", make.group("Old", *_names(count))


def _add(team: str, count: int) -> tuple[str, str, Any]:
    value = [{"value": name} for name in _names(count, start=3)]  # two of them are there already
    return "PATCH", f"/Groups/{team}", make.patch({"op": "add", "path": "members", "value": value})


def _add_one_by_one(team: str, count: int) -> tuple[str, str, Any]:
    added = [{"op": "add", "path": "members", "value": [{"value": name}]} for name in _names(count, start=5)]
    return "PATCH", f"/Groups/{team}", make.patch(*added)


def _exchange(team: str, count: int) -> tuple[str, str, Any]:
    value = [{"value": f"n{number}"} for number in range(count - 4)]
    gone = {"op": "remove", "path": 'members[value eq "m0"]'}
    return "PATCH", f"/Groups/{team}", make.patch({"op": "add", "path": "members", "value": value}, gone)


def _replace(team: str, count: int) -> tuple[str, str, Any]:
    value = [{"value": name} for name in _names(count)]
    return "PATCH", f"/Groups/{team}", make.patch({"op": "replace", "value": {"members": value}})


def _bulk(team: str, count: int) -> tuple[str, str, Any]:
    method, path, data = _add(team, count)
    operation = {"method": method, "path": path, "data": data}
    schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
    return "POST", "/Bulk", {"schemas": schemas, "Operations": [operation]}


async def _size(client: Client, team: str) -> int:
    return len((await client("GET", f"/Groups/{team}")).json().get("members", []))


async def _asked(client: Client, request: Request, count: int) -> tuple[int, int]:
    """Return the status of a request to a fresh group of five, and the group's size afterwards."""
    team = (await client("POST", "/Groups", make.group("Old", *_names(5)))).json()["id"]
    answer = await client(*request(team, count))
    status = _status(answer)
    made = answer.json().get("id", team) if answer.status in (200, 201) else team
    size = await _size(client, made)
    for one in {team, made}:
        await client("DELETE", f"/Groups/{one}")
    return status, size


def _status(answer: Answer) -> int:
    body = answer.json() if answer.body else {}
    return int(body["Operations"][0]["status"]) if "Operations" in body else answer.status


@pytest.mark.rfc("limits", "members")
@pytest.mark.parametrize("request_of", [_post, _put, _add, _add_one_by_one, _exchange, _replace, _bulk])
def test_a_group_is_filled_to_its_limit_and_not_beyond(
    folder: Path, monkeypatch: pytest.MonkeyPatch, request_of: Request
) -> None:
    monkeypatch.setattr(membership, "TEAM_MEMBERS", MOST)
    settings = make.settings(folder)
    client = Client(organization=make.organization(settings), app=create_app(settings))

    async def ask() -> list[tuple[int, int]]:
        return [await _asked(client, request_of, count) for count in (MOST - 1, MOST, MOST + 1, MOST * 20)]

    below, at, beyond, far = asyncio.run(ask())
    assert (below[0] < 300, below[1]) == (True, MOST - 1)
    assert (at[0] < 300, at[1]) == (True, MOST)
    assert beyond == far == (413, 5)
    with client.organization.export() as export:
        assert export.unexplained(client.organization.id) == []


@pytest.mark.rfc("limits", "members")
def test_a_full_group_takes_members_again_once_some_have_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "TEAM_MEMBERS", 5)
    settings = make.settings(folder)
    client = Client(organization=make.organization(settings), app=create_app(settings))

    async def statuses() -> list[int]:
        ada = (await client("POST", "/Users", make.user("ada"))).json()["id"]
        team = (await client("POST", "/Groups", make.group("Full", ada, *_names(4)))).json()["id"]
        adding = ("PATCH", f"/Groups/{team}", make.patch({"op": "add", "path": "members", "value": [{"value": "x"}]}))
        again = ("PATCH", f"/Groups/{team}", make.patch({"op": "add", "path": "members", "value": [{"value": "m1"}]}))
        steps = [await client(*adding), await client(*again), await client("DELETE", f"/Users/{ada}")]
        return [one.status for one in [*steps, await client(*adding)]]

    assert asyncio.run(statuses()) == [413, 200, 204, 200]
