"""What identity providers send, recorded as data, gets the answers that they need."""

from pathlib import Path

import httpx
import pytest
from make import Organization

from scim_app.cli.exchanges import Story, load, play

STORIES = load(Path(__file__).parent)
LEAVING, COMING = {"user.deactivated", "user.deleted"}, {"user.reactivated", "user.created"}


def leavers(organization: Organization) -> list[str]:
    """Names of those who lost access and did not come back, by the event log."""
    last: dict[str, tuple[str, str]] = {}
    for event in organization.events():
        if event["type"] in LEAVING | COMING:
            last[event["subject_id"]] = (event["type"], event["subject_name"])
    return sorted(name for type_, name in last.values() if type_ in LEAVING)


def failures(organization: Organization) -> list[tuple[str, int, str | None]]:
    """Writes that were refused, by the event log."""
    refused = [event for event in organization.events() if event["type"] == "write.rejected"]
    return [(event["method"], event["status"], event["scim_type"]) for event in refused]


def declared(*stories: Story) -> list[tuple[str, int, str | None]]:
    """Refused writes as the stories declare them."""
    return [(f["method"], f["status"], f["scim_type"]) for story in stories for f in story.failures]


@pytest.mark.parametrize("story", [story for story in STORIES if not story.demo], ids=lambda story: story.name)
def test_an_exchange_is_answered_as_the_identity_provider_needs_it(
    story: Story, scim: httpx.Client, organization: Organization
) -> None:
    problems = [f"{outcome.step.name}: {outcome.problem}" for outcome in play(story, scim) if outcome.problem]
    assert problems == []
    assert leavers(organization) == sorted(story.leavers)
    assert failures(organization) == declared(story)


def test_the_demo_is_a_company_with_its_joiners_movers_and_leavers(
    scim: httpx.Client, organization: Organization
) -> None:
    stories = [story for story in STORIES if story.demo]
    problems = [f"{s.name}, {o.step.name}: {o.problem}" for s in stories for o in play(s, scim) if o.problem]
    assert problems == []
    assert leavers(organization) == sorted(name for story in stories for name in story.leavers)
    assert len(leavers(organization)) == 4
    assert failures(organization) == declared(*stories)
    assert len(failures(organization)) == 3
    with organization.export() as export:
        counts = export.counts(organization.id)
    assert (counts["users"], counts["teams"]) == (24, 6)


def test_every_story_says_where_it_comes_from() -> None:
    assert [story.name for story in STORIES if not story.source or not story.story.endswith(".")] == []
