"""An access review over a real store: opened at one event, decided by others than those concerned, closed, verified."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import make
import pytest

from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.directory.reviews import Decision, ReviewScope, digest
from scim_app.directory.roles import ORGANIZATION, Role
from scim_app.errors import Conflict, NotFound
from scim_app.store.access import grants
from scim_app.store.export import Export
from scim_app.store.lifecycle import teams, writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.reviews import campaigns, review_closing

DUE = "2999-01-01T00:00:00.000000Z"
Write = Callable[[Callable[[Unit], Any]], Any]


@pytest.fixture
def write(tmp_path: Path) -> Generator[Write]:
    """Runs a write of a fresh organization; at the end its log is whole and explains its tables."""
    organization = make.organization(make.settings(tmp_path))
    store = Store(organization.settings.store_url)
    yield lambda work: store.write(lambda db: work(Unit.begin(db, organization.id, make.ACTOR)))
    store.close()
    export = Export(organization.settings.store_url)
    assert export.first_break(organization.id) is None
    assert export.unexplained(organization.id) == []
    export.close()


@pytest.fixture
def people(write: Write) -> dict[str, str]:
    """Ada and Bob in the pushed team Data that Ada owns; Bob is an admin by his own grant; Cid is in no team."""
    ids = {
        name: write(lambda unit, name=name: writes.create(unit, USER, make.user(f"{name}@x.org"), MemberDelta())).id
        for name in ("ada", "bob", "cid")
    }
    group = {"schemas": [make.GROUP], "displayName": "Data"}
    delta = MemberDelta.add(ids["ada"], ids["bob"])
    ids["team"] = write(lambda unit: writes.create(unit, TEAM, group, delta)).id
    write(lambda unit: teams.add_owner(unit, ids["team"], ids["ada"]))
    write(lambda unit: grants.grant(unit, "user", ids["ada"], Role.ORGANIZATION_ADMIN, ORGANIZATION, reason="owner"))
    ids["grant"] = write(lambda unit: grants.grant(unit, "user", ids["bob"], Role.ADMIN, ORGANIZATION)).grant_id
    return ids


def opened(write: Write, people: dict[str, str], **values: Any) -> campaigns.Campaign:
    """A review of the whole organization by owners, else by Cid and Ada."""
    asked = {
        "name": "Q4",
        "scope": ReviewScope.ORGANIZATION,
        "due_at": DUE,
        "reviewers": [people["cid"], people["ada"]],
    }
    return write(lambda unit: campaigns.open_campaign(unit, **{**asked, **values}))


def items(write: Write, campaign: campaigns.Campaign) -> list[campaigns.Item]:
    return write(lambda unit: campaigns.items(unit.connection, unit.org_id, campaign.id))


def test_the_population_is_every_access_and_stays_as_it_was(write: Write, people: dict[str, str]) -> None:
    campaign = opened(write, people)
    write(lambda unit: teams.remove_member(unit, people["team"], people["bob"]))
    found = items(write, campaign)
    assert [(one.access.user_name, one.access.access_name, one.reviewer_name) for one in found] == [
        ("ada@x.org", "Organization Admin (organization)", "cid@x.org"),
        ("ada@x.org", "Data", "cid@x.org"),
        ("bob@x.org", "Admin (organization)", "cid@x.org"),
        ("bob@x.org", "Data", "ada@x.org"),
        ("cid@x.org", "account without a team", "ada@x.org"),
    ]
    assert campaign.population_sha256 == digest(one.access for one in found)


def test_privileged_reviews_ask_for_privileged_access_alone(write: Write, people: dict[str, str]) -> None:
    found = items(write, opened(write, people, scope=ReviewScope.PRIVILEGED))
    assert {one.access.role for one in found} == {"admin", "organization_admin"}


def test_what_is_ours_is_revoked_and_what_is_not_becomes_a_task(write: Write, people: dict[str, str]) -> None:
    campaign = opened(write, people)
    for one in items(write, campaign):
        revoke = one.access.user_id == people["bob"]
        decision, reason = (Decision.REVOKE, "left the project") if revoke else (Decision.KEEP, "owns it")
        write(
            lambda unit, one=one, decision=decision, reason=reason: campaigns.decide(
                unit, campaign.id, [one.id], decision, reason, reviewer_id=one.reviewer_id
            )
        )
    assert write(lambda unit: review_closing.close(unit, campaign.id)).closed_at
    role, membership = [one for one in items(write, campaign) if one.decision == "revoke"]
    assert (role.applied_at is not None, role.task) == (True, None)
    assert membership.task == "In Okta, remove bob@x.org from the group 'Data'."

    def there(one: campaigns.Item) -> bool:
        return write(lambda unit: review_closing.still_there(unit.connection, unit.org_id, one.access))

    assert (there(role), there(membership)) == (False, True)
    write(lambda unit: teams.remove_member(unit, people["team"], people["bob"]))
    assert there(membership) is False


def test_the_last_organization_admin_stays_and_the_log_stays_whole(write: Write, people: dict[str, str]) -> None:
    campaign = opened(write, people, scope=ReviewScope.PRIVILEGED)
    last = next(one for one in items(write, campaign) if one.access.role == "organization_admin")
    write(
        lambda unit: campaigns.decide(
            unit, campaign.id, [last.id], Decision.REVOKE, "too much", reviewer_id=last.reviewer_id
        )
    )
    write(lambda unit: review_closing.close(unit, campaign.id))
    (kept,) = [one for one in items(write, campaign) if one.decision == "revoke"]
    assert kept.applied_at is None
    assert "Organization Admin" in (kept.task or "")


def test_a_closed_review_takes_no_decision_and_open_names_are_unique(write: Write, people: dict[str, str]) -> None:
    campaign = opened(write, people)
    with pytest.raises(Conflict, match="'Q4' already"):
        opened(write, people)
    write(lambda unit: review_closing.close(unit, campaign.id))
    with pytest.raises(Conflict, match="was closed"):
        write(lambda unit: campaigns.decide(unit, campaign.id, [1], Decision.KEEP, "x", reviewer_id=people["cid"]))
    assert opened(write, people).name == "Q4"


def test_a_reviewer_without_an_account_is_refused(write: Write, people: dict[str, str]) -> None:
    with pytest.raises(NotFound, match="no active account"):
        opened(write, people, reviewers=["nobody"])
