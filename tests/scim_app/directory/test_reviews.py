"""Who reviews whom, which decisions are lawful, and what the identity provider's admin is asked to do."""

from dataclasses import replace

import pytest

from scim_app.directory.reviews import Access, Decision, assign, digest, require_lawful, task

DATA = Access(
    user_id="ada",
    user_name="ada@example.com",
    display_name="Ada",
    access_kind="team",
    access_id="t1",
    access_name="Data",
    role="editor",
    managed_by="identity_provider",
    privileged=False,
)
BOB = replace(DATA, user_id="bob", user_name="bob@example.com")
ROLE = replace(DATA, access_kind="role", access_id="g1", access_name="Admin", managed_by="dagster-scim")


def test_owners_review_their_teams_but_not_themselves() -> None:
    assert assign([DATA, BOB], {"t1": ["ada"]}, ["cid"]) == [(DATA, "cid"), (BOB, "ada")]


def test_named_people_review_in_turn_what_has_no_owner() -> None:
    assert [reviewer for _, reviewer in assign([ROLE, BOB, ROLE], {}, ["cid", "dan"])] == ["cid", "dan", "cid"]


def test_an_access_that_only_its_holder_could_review_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody can review 'Data' of ada"):
        assign([DATA], {"t1": ["ada"]}, ["ada"])


@pytest.mark.parametrize(
    ("reviewer", "reason", "message"),
    [("ada", "needed", "own access"), ("dan", "needed", "another reviewer"), ("cid", "  ", "reason")],
)
def test_decisions_that_are_worth_nothing_are_refused(reviewer: str, reason: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        require_lawful(Decision.KEEP, reason, reviewer_id=reviewer, access=DATA, assigned_to="cid")
    require_lawful(Decision.KEEP, "needed", reviewer_id="cid", access=DATA, assigned_to="cid")


def test_the_identity_provider_is_asked_by_the_exact_group() -> None:
    assert task(DATA, "okta") == "In Okta, remove ada@example.com from the group 'Data'."
    assert task(ROLE, "okta") is None


def test_the_digest_of_a_population_knows_no_order_but_every_change() -> None:
    assert digest([DATA, BOB]) == digest([BOB, DATA])
    assert digest([DATA]) != digest([replace(DATA, role="admin")])
