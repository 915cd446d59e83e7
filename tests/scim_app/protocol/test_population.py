"""One population: who was there before SCIM is linked, who left comes back, a conflict says with whom."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import make
import pytest
from make import ACTOR, Organization

from scim_app.store.access import organization_settings
from scim_app.store.lifecycle import people, teams
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

T = TypeVar("T")
ADA = "ada@example.com"


def by_hand(organization: Organization, work: Callable[[Unit], T]) -> T:
    """What an admin does on the settings pages."""
    store = Store(organization.settings.store_url)
    try:
        return store.write(lambda db: work(Unit.begin(db, organization.id, ACTOR)))
    finally:
        store.close()


@pytest.fixture
def local(organization: Organization) -> str:
    """The id of a user who was there before SCIM."""

    def work(unit: Unit) -> str:
        organization_settings.switch_scim(unit, on=False)
        made = people.add(unit, ADA, display_name="Ada")
        organization_settings.switch_scim(unit, on=True)
        return made.id

    return by_hand(organization, work)


@pytest.fixture
def team(organization: Organization, local: str) -> str:
    """The id of a team that exists only here, with a member put in by hand."""

    def work(unit: Unit) -> str:
        made = teams.create(unit, "Data")
        teams.add_member(unit, made.id, local)
        return made.id

    return by_hand(organization, work)


def types(organization: Organization, subject: str) -> list[str]:
    """What happened to somebody, from the log."""
    return [event["type"] for event in organization.events() if event["subject_id"] == subject]


@pytest.mark.parametrize(
    "write",
    [
        lambda scim, _: scim.post("/Users", json=make.user("ADA@example.com", externalId="00u1")),
        lambda scim, id_: scim.put(f"/Users/{id_}", json=make.user(ADA, externalId="00u1")),
        lambda scim, id_: scim.patch(
            f"/Users/{id_}", json=make.patch({"op": "add", "path": "externalId", "value": "00u1"})
        ),
    ],
    ids=["POST", "PUT", "PATCH"],
)
def test_a_user_from_before_is_found_and_linked_under_its_id(
    scim: httpx.Client,
    organization: Organization,
    local: str,
    write: Callable[[httpx.Client, str], httpx.Response],
) -> None:
    (found,) = scim.get("/Users", params={"filter": f'userName eq "{ADA}"'}).json()["Resources"]
    assert found["id"] == local
    answer = write(scim, local)
    assert (answer.is_success, answer.json()["id"], answer.json()["externalId"]) == (True, local, "00u1")
    assert types(organization, local)[-1] == "user.linked"


def test_a_team_that_is_not_linked_is_listed_without_its_members(scim: httpx.Client, local: str, team: str) -> None:
    (listed,) = scim.get("/Groups").json()["Resources"]
    assert (listed["id"], listed["displayName"], listed.get("members")) == (team, "Data", None)
    assert "members" not in scim.get(f"/Groups/{team}").json()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_first_write_links_a_team_and_its_members_are_those_of_the_group(
    scim: httpx.Client, organization: Organization, local: str, team: str, method: str
) -> None:
    bob = scim.post("/Users", json=make.user("bob@example.com")).json()["id"]
    members = [{"value": bob}]
    body = (
        make.group("Data", bob) if method == "PUT" else make.patch({"op": "add", "path": "members", "value": members})
    )
    assert scim.request(method, f"/Groups/{team}", json=body).is_success
    assert [one["value"] for one in scim.get(f"/Groups/{team}").json()["members"]] == [bob]
    assert types(organization, team)[-1] == "team.linked"


@pytest.mark.rfc("unique")
def test_a_taken_name_says_whose_it_is_and_how_to_link(scim: httpx.Client, team: str) -> None:
    answer = scim.post("/Groups", json=make.group("DATA"))
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    assert team in answer.json()["detail"]
    assert "PUT or PATCH" in answer.json()["detail"]


def test_a_team_that_is_not_linked_is_not_the_identity_providers_to_delete(scim: httpx.Client, team: str) -> None:
    answer = scim.delete(f"/Groups/{team}")
    assert (answer.status_code, "link it first" in answer.json()["detail"]) == (403, True)
    assert scim.get(f"/Groups/{team}").status_code == 200


def test_who_is_deleted_and_comes_back_is_new_and_the_log_says_who_it_was(
    scim: httpx.Client, organization: Organization
) -> None:
    first = scim.post("/Users", json=make.user(ADA)).json()["id"]
    scim.delete(f"/Users/{first}")
    second = scim.post("/Users", json=make.user("Ada@Example.com")).json()["id"]
    assert second != first
    created = next(event for event in organization.events() if event["subject_id"] == second)
    assert json.loads(created["change"])["former_id"] == first


@pytest.mark.parametrize(
    "body",
    [
        make.deactivate(),
        make.patch({"op": "Add", "path": "active", "value": "False"}),
        make.patch({"op": "Replace", "path": "active", "value": "false"}),
        make.patch(
            {"op": "replace", "path": "userName", "value": f"{'0' * 32}not-an-address"},
            {"op": "replace", "path": "active", "value": False},
        ),
    ],
)
def test_a_deprovision_is_never_refused(
    scim: httpx.Client, organization: Organization, local: str, body: dict[str, Any]
) -> None:
    by_hand(organization, lambda unit: organization_settings.change(unit, user_name_policy="strict", seat_limit=1))
    answer = scim.patch(f"/Users/{local}", json=body)
    assert (answer.status_code, answer.json()["active"]) == (200, False)
    assert types(organization, local)[-1] == "user.deactivated"


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("taken", [{"userName": "BOB@example.com"}, {"externalId": "b"}])
def test_who_leaves_under_a_name_that_is_taken_leaves_under_the_old_one(
    scim: httpx.Client, organization: Organization, taken: dict[str, str], again: bool
) -> None:
    ada = scim.post("/Users", json=make.user(ADA, externalId="a")).json()
    bob = scim.post("/Users", json=make.user("bob@example.com", externalId="b")).json()
    whole = make.user(ADA, externalId="a", title="Gone") | taken | {"active": False}
    bodies = {
        "PUT": whole,
        "PATCH": make.patch({"op": "Replace", "value": {"active": "False", "title": "Gone", **taken}}),
    }
    first, second = ("PATCH", "PUT") if again else ("PUT", "PATCH")
    for method in (first, second):  # the second is told to somebody who has left already: an answer got lost
        answer = scim.request(method, f"/Users/{ada['id']}", json=bodies[method])
        shown = answer.json()
        assert (answer.status_code, shown["active"], shown["title"]) == (200, False, "Gone"), answer.text
        assert (shown["userName"], shown["externalId"]) == (ADA, "a")
    assert scim.get(f"/Users/{bob['id']}").json() == bob
    (left,) = (one for one in organization.events() if one["type"] == "user.deactivated")
    assert json.loads(left["change"])["taken"] == taken
    assert types(organization, ada["id"])[-1] == "user.deactivated"


def test_a_new_name_alone_is_refused_where_it_is_taken_also_to_somebody_who_left(scim: httpx.Client) -> None:
    ada = scim.post("/Users", json=make.user(ADA, active=False)).json()
    scim.post("/Users", json=make.user("bob@example.com"))
    rename = make.patch({"op": "replace", "path": "userName", "value": "bob@example.com"})
    assert scim.patch(f"/Users/{ada['id']}", json=rename).status_code == 409
    back = make.patch({"op": "replace", "value": {"userName": "bob@example.com", "active": True}})
    assert scim.patch(f"/Users/{ada['id']}", json=back).status_code == 409


@pytest.mark.parametrize("name", ["externalId", "userName"])
def test_a_letter_of_two_characters_is_the_letter_of_one(scim: httpx.Client, name: str) -> None:
    one, two = "\u00e9-1", "e\u0301-1"
    made = scim.post("Users", json=make.user("ada@acme.example") | {name: two})
    assert (made.status_code, made.json()[name]) == (201, one)
    for text in (f'{name} eq "{two}"', f'{name} eq "{one}"', f'{name} sw "{one[0]}"', f'{name} sw "{two[:2]}"'):
        assert scim.get("Users", params={"filter": text}).json()["totalResults"] == 1, text
    assert scim.post("Users", json=make.user("bob@acme.example") | {name: one}).status_code == 409
