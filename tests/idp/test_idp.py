"""What identity providers send, recorded as data, gets the answers that they need, and the event log tells it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from make import Organization

from scim_app.cli.exchanges import Story, load, play

STORIES = load(Path(__file__).parent)
DEMO = [story for story in STORIES if story.demo]
LEAVING, COMING = ("user.deactivated", "user.deleted"), ("user.reactivated", "user.created")
CAPTURED = re.compile(r"\{\w+\}")


def replay(client: httpx.Client, *stories: Story) -> list[str]:
    """Play stories and return what was answered otherwise than they need."""
    return [
        f"{story.name}, {outcome.step.name}: {outcome.problem}"
        for story in stories
        for outcome in play(story, client)
        if outcome.problem
    ]


def leavers(events: list[dict[str, Any]]) -> list[str]:
    """Names of those who lost access and did not come back, under the same id or the same name."""
    gone: dict[str, str] = {}
    for event in events:
        who, name = event["subject_id"], event["subject_name"]
        if event["type"] in LEAVING:
            gone[who] = name
        elif event["type"] in COMING:
            gone = {key: held for key, held in gone.items() if key != who and held.lower() != name.lower()}
    return sorted(gone.values())


def refused(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Writes that were refused."""
    names = ("method", "path", "status", "scim_type")
    return [{name: event[name] for name in names} for event in events if event["type"] == "write.rejected"]


def is_told(declared: Mapping[str, Any], logged: Mapping[str, Any]) -> bool:
    """Whether a refused write is the declared one; a `{captured}` id in the declared path stands for any id."""
    parts = (re.escape(part) for part in CAPTURED.split(declared["path"]))
    return bool(re.fullmatch("[^/]+".join(parts), logged["path"])) and {**declared, "path": logged["path"]} == logged


def assert_log_tells(organization: Organization, *stories: Story) -> None:
    """The log is whole, explains the live tables, and has the leavers and the refused writes of the stories."""
    events = organization.events()
    assert leavers(events) == sorted(name for story in stories for name in story.leavers)
    declared, logged = [failure for story in stories for failure in story.failures], refused(events)
    assert len(declared) == len(logged), logged
    assert [pair for pair in zip(declared, logged, strict=True) if not is_told(*pair)] == []
    with organization.export() as export:
        assert export.first_break(organization.id) is None
        assert export.unexplained(organization.id) == []


@pytest.mark.rfc("patch-tolerated")
@pytest.mark.parametrize("story", [story for story in STORIES if not story.demo], ids=lambda story: story.name)
def test_an_exchange_is_answered_as_the_identity_provider_needs_it(
    story: Story, scim: httpx.Client, organization: Organization
) -> None:
    assert replay(scim, story) == []
    assert_log_tells(organization, story)


def test_the_demo_is_a_company_with_its_joiners_movers_and_leavers(
    scim: httpx.Client, organization: Organization
) -> None:
    assert replay(scim, *DEMO) == []
    assert_log_tells(organization, *DEMO)
    events = organization.events()
    assert len(leavers(events)) == 4
    assert len(refused(events)) == 3
    assert len([event for event in events if event["type"] == "user.reactivated"]) == 1
    with organization.export() as export:
        counts = export.counts(organization.id)
        snapshot = export.snapshot(organization.id, counts["seq"])
    assert (counts["users"], counts["teams"]) == (24, 6)
    assert sum(user["active"] for user in snapshot.users) == 21


def test_every_story_says_where_it_comes_from() -> None:
    assert [story.name for story in STORIES if not story.source or not story.story.endswith(".")] == []
