"""What identity providers send, replayed against a running service; the event log must tell the same story."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from make import Organization

from scim_app.cli.exchanges import Story, load, play

STORIES = load(Path(__file__).parent)
DEMO = [story for story in STORIES if story.demo]


def problems(stories: Iterable[Story], client: httpx.Client) -> list[str]:
    """What went otherwise than the stories say, one sentence each."""
    return [
        f"{story.name}, {outcome.step.name}: {outcome.problem}"
        for story in stories
        for outcome in play(story, client)
        if outcome.problem
    ]


def leavers(organization: Organization) -> list[str]:
    """The people who lost access and did not get it back, by their last userName, as the log tells it."""
    gone: dict[str, str] = {}
    for event in organization.events():
        if event["type"] in ("user.deactivated", "user.deleted"):
            gone[event["subject_id"]] = event["subject_name"]
        elif event["type"] == "user.reactivated":
            gone.pop(event["subject_id"], None)
    return sorted(gone.values())


def refused(organization: Organization) -> list[dict[str, Any]]:
    """The writes that were refused, in order, as the log tells it."""
    return [
        {name: event[name] for name in ("method", "path", "status", "scim_type")}
        for event in organization.events()
        if event["type"] == "write.rejected"
    ]


def is_told(declared: dict[str, Any], logged: dict[str, Any]) -> bool:
    """Whether a refused write is the declared one; a `{captured}` id in its path stands for any."""
    path = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(declared["path"]))
    return bool(re.fullmatch(path, logged["path"])) and declared | {"path": logged["path"]} == logged


def assert_log_tells(stories: list[Story], organization: Organization) -> None:
    """Leavers and refused writes of the stories are those of the event log, no more and no fewer."""
    assert leavers(organization) == sorted(name for story in stories for name in story.leavers)
    declared = [dict(failure) for story in stories for failure in story.failures]
    logged = refused(organization)
    assert len(logged) == len(declared), logged
    assert [pair for pair in zip(declared, logged, strict=True) if not is_told(*pair)] == []


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_service_answers_as_the_identity_provider_needs(
    story: Story, scim: httpx.Client, organization: Organization
) -> None:
    assert problems([story], scim) == []
    assert_log_tells([story], organization)


def test_the_demo_stories_together_make_one_small_company(scim: httpx.Client, organization: Organization) -> None:
    assert problems(DEMO, scim) == []
    assert_log_tells(DEMO, organization)
    with organization.export() as export:
        snapshot = export.snapshot(organization.id, export.counts(organization.id)["seq"])
        assert export.unexplained(organization.id) == []
        assert export.first_break(organization.id) is None
    inactive = sorted(user["user_name"] for user in snapshot.users if not user["active"])
    assert (len(snapshot.users), len(snapshot.teams)) == (24, 6)
    assert inactive == ["diego.fernandez@example.com", "ethan.clarke@example.com", "lucia.moreno@example.com"]
    assert leavers(organization) == sorted(["ben.turner@example.com", *inactive])
    assert [failure["status"] for failure in refused(organization)] == [409, 400, 409]


def test_the_demo_has_a_mover_and_a_rejoiner(scim: httpx.Client, organization: Organization) -> None:
    assert problems(DEMO, scim) == []
    events = organization.events()
    people = {event["subject_id"]: event["subject_name"] for event in events if event["subject_kind"] == "user"}
    moves = [
        (event["subject_name"], how, people[member])
        for event in events
        if event["type"] == "team.updated"
        for how, members in orjson.loads(event["change"]).get("members", {}).items()
        for member in members
        if people[member] == "jonas.weber@example.com"
    ]
    back = [event["subject_name"] for event in events if event["type"] == "user.reactivated"]
    assert [(team, how) for team, how, _ in moves] == [
        ("Analytics Engineering", "added"),
        ("Analytics Engineering", "removed"),
        ("Data Platform", "added"),
    ]
    assert back == ["daniel.novak@example.com"]
