"""Where a fast path replaces the library, the two give the same answer: status, headers and body."""

# ruff: noqa: E501

import asyncio
from pathlib import Path
from typing import Any

import make
import pytest
from asgi import Answer, Client

from scim_app.app import create_app
from scim_app.protocol import hot

NAMES = ["ada@example.com", "Straße@Example.com", "ÅSA@example.com", 'odd "name"\\', "plain"]
ADDRESSES: list[list[dict[str, Any]]] = [
    [{"value": NAMES[0], "type": "work"}, {"value": "Shared@example.com", "type": "home"}],
    [{"value": NAMES[1]}],
    [{"value": "shared@example.com", "type": "work", "primary": True}, {"value": "x" * 999, "type": "home"}],
    [{"value": "shared@example.com", "type": "Work", "display": "shared@example.com"}],
    [],
]
TEAMS = ["Data", "Ünïcode", "Empty"]
EMAILS = [
    "shared@example.com",
    "SHARED@example.com",
    "Straße@Example.com",
    "ADA@example.com",
    "nobody@example.com",
    "x" * 999,
]
EMAIL_FILTERS = [
    *('emails eq "{}"', 'emails.value eq "{}"', 'Emails.Value EQ "{}"', 'emails.value eq "{}"]', 'emails[value eq "{}"]'),
    *('emails[type eq "work"].value eq "{}"', 'emails[type eq "WORK" and value eq "{}"]', 'emails[type eq "home"].value eq "{}"'),
    *('emails[type eq "work"].value eq "{}"]', 'emails[type eq "work" and value eq "{}"', 'emails[type eq "work"] eq "{}"'),
    *('active eq true and emails.value eq "{}"', 'not (emails.value eq "{}")', 'emails.display eq "{}"'),
]  # fmt: skip
LISTS: list[dict[str, Any]] = [
    *({"filter": f'userName eq "{name}"'} for name in (*NAMES, "ADA@EXAMPLE.COM", "STRASSE@example.com", "nobody", "")),
    *({"filter": f'{name} eq "{value}"'} for name in ("externalId", "EXTERNALID") for value in ("e0", "E0", "none")),
    *({"filter": f'displayName eq "{name}"'} for name in (*TEAMS, "data", "nothing")),
    *({"filter": f'displayName eq "{name}"', "excludedAttributes": "members"} for name in (*TEAMS, "nothing")),
    *({"startIndex": start, "count": count} for start in (0, 1, 2, 5, 6, 99) for count in (-1, 0, 1, 3, 5, 200, 201)),
    *({"filter": text.format(value)} for text in EMAIL_FILTERS for value in EMAILS),
    *({"filter": text.format(EMAILS[0]), "count": count} for text in EMAIL_FILTERS for count in (0, 1, 2)),
    {},
    {"count": "x"},
    {"startIndex": "1.0"},
    {"startIndex": " 2"},
    {"filter": 'userName eq "plain"', "startIndex": 2},
    {"filter": 'userName eq "plain"', "count": 0},
    {"filter": 'userName eq "plain" or title pr'},
    {"filter": "userName eq plain"},
    {"filter": 'nonsense eq "x"'},
    {"filter": 'userName eq "plain"', "attributes": "userName"},
    {"excludedAttributes": "members"},
    {"excludedAttributes": "Members"},
    {"excludedAttributes": "members,displayName"},
    {"excludedAttributes": "userName"},
    {"sortBy": "userName"},
    {"unknown": "x"},
]


async def _populate(client: Client) -> list[str]:
    """Make users and teams and return the paths of all of them, and of none."""
    users = [
        (await client("POST", "/Users", make.user(name, externalId=f"e{number}", title="T", emails=emails))).json()[
            "id"
        ]
        for number, (name, emails) in enumerate(zip(NAMES, ADDRESSES, strict=True))
    ]
    gone = (await client("POST", "/Users", make.user("gone"))).json()["id"]
    await client("DELETE", f"/Users/{gone}")
    held = [users[:3], [users[0], "pending-1", 'pending "2"'], []]
    teams = [
        (await client("POST", "/Groups", make.group(name, *members))).json()["id"]
        for name, members in zip(TEAMS, held, strict=True)
    ]
    nested = (await client("POST", "/Groups", make.group("Nested", teams[0], users[1]))).json()["id"]
    there = [f"/Users/{one}" for one in users] + [f"/Groups/{one}" for one in (*teams, nested)]
    return [*there, f"/Users/{gone}", "/Users/none", "/Groups/none", f"/Groups/{users[0]}", "/Users/a/b"]


def _told(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    return answer.status, {n: v for n, v in answer.headers.items() if n != "x-request-id"}, answer.body


async def _answers(client: Client, paths: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in paths:
        for query in ({}, {"excludedAttributes": "members"}, {"attributes": "id"}, {"count": 1}):
            found[f"{path} {query}"] = _told(await client("GET", path, query=query))
        found[f"{path} If-None-Match"] = _told(await client("GET", path, headers={"If-None-Match": 'W/"1"'}))
    for endpoint in ("/Users", "/Groups"):
        for query in LISTS:
            found[f"{endpoint} {query}"] = _told(await client("GET", endpoint, query=query))
    return found


async def _both(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], dict[str, Any], int]:
    settings = make.settings(folder)
    client = Client(organization=make.organization(settings), app=create_app(settings))
    paths = await _populate(client)
    recognised: list[hot.Question] = []
    read = hot.read

    def counting(*arguments: Any) -> hot.Question | None:
        question = read(*arguments)
        recognised.extend([question] if question else [])
        return question

    monkeypatch.setattr(hot, "read", counting)
    fast = await _answers(client, paths)
    monkeypatch.setattr(hot, "read", lambda *_: None)
    return fast, await _answers(client, paths), len(recognised)


def test_hot_reads_are_answered_as_the_library_answers_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, slow, recognised = asyncio.run(_both(folder, monkeypatch))
    assert {key: (fast[key], slow[key]) for key in fast if fast[key] != slow[key]} == {}
    assert recognised > 100
