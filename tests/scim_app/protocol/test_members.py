"""What a PATCH says about members happens to those members and to nobody else."""

from typing import Any

import httpx
import make
import pytest

from scim_app.protocol.writing import GROUP_SHOWN

GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"


@pytest.fixture
def people(scim: httpx.Client) -> dict[str, str]:
    """Ids of four users by name."""
    return {name: scim.post("/Users", json=make.user(name)).json()["id"] for name in ("ada", "bob", "cid", "dee")}


def filled(value: Any, people: dict[str, str]) -> Any:
    """Replace names by ids."""
    if isinstance(value, dict):
        return {key: filled(held, people) for key, held in value.items()}
    if isinstance(value, list):
        return [filled(held, people) for held in value]
    for name, key in people.items():
        value = value.replace(f"<{name}>", key) if isinstance(value, str) else value
    return value


BOB = {"value": "<bob>"}


@pytest.mark.rfc("members")
@pytest.mark.parametrize(
    ("operations", "members"),
    [
        ([{"op": "add", "path": "members", "value": [BOB]}], "ada bob cid"),
        ([{"op": "add", "path": "members", "value": BOB}], "ada bob cid"),
        ([{"op": "Add", "path": f"{GROUP_URN}:members", "value": [BOB]}], "ada bob cid"),
        ([{"op": "add", "value": {"members": [BOB]}}], "ada bob cid"),
        ([{"op": "add", "path": "members", "value": [{"value": "<ada>"}]}], "ada cid"),
        ([{"op": "add", "path": "members", "value": []}], "ada cid"),
        ([{"op": "replace", "path": "members", "value": [BOB]}], "bob"),
        ([{"op": "replace", "path": "members", "value": []}], ""),
        ([{"op": "replace", "value": {"displayName": "New", "members": [BOB]}}], "bob"),
        ([{"op": "remove", "path": "members"}], ""),
        ([{"op": "remove", "path": "members", "value": [{"value": "<ada>"}]}], "cid"),
        ([{"op": "remove", "path": 'members[value eq "<ada>"]'}], "cid"),
        ([{"op": "remove", "path": 'members[value eq "<ada>" or value eq "<cid>"]'}], ""),
        ([{"op": "remove", "path": 'members[value eq "<ada>" and type eq "User"]'}], "cid"),
        ([{"op": "remove", "path": 'members[value ne "<ada>"]'}], "ada"),
        ([{"op": "remove", "path": 'members[value eq "<bob>"]'}], "ada cid"),
        (
            [
                {"op": "remove", "path": 'members[value eq "<ada>"]'},
                {"op": "add", "path": "members", "value": [{"value": "<dee>"}, BOB]},
            ],
            "bob cid dee",
        ),
        (
            [
                {"op": "add", "path": "members", "value": [BOB]},
                {"op": "remove", "path": 'members[value eq "<bob>"]'},
            ],
            "ada cid",
        ),
    ],
)
def test_members_change_as_the_operations_say(
    scim: httpx.Client, people: dict[str, str], operations: list[dict[str, Any]], members: str
) -> None:
    team = scim.post("/Groups", json=make.group("Data", people["ada"], people["cid"])).json()["id"]
    answer = scim.patch(f"/Groups/{team}", json=make.patch(*filled(operations, people)))
    assert answer.status_code == 200, answer.text
    names = {key: name for name, key in people.items()}
    found = scim.get(f"/Groups/{team}").json().get("members", [])
    assert " ".join(sorted(names[member["value"]] for member in found)) == members


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "add", "path": "members", "value": [{"display": "no id"}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [{"value": 7}]}, "invalidValue"),
        ({"op": "add", "path": 'members[value eq "<ada>"]', "value": [BOB]}, "mutability"),
        ({"op": "replace", "path": 'members[value eq "<ada>"].value', "value": "x"}, "mutability"),
        ({"op": "replace", "path": 'members[value eq "<bob>"].display', "value": "x"}, "noTarget"),
        ({"op": "replace", "path": 'members[type eq "Group"]', "value": BOB}, "noTarget"),
        ({"op": "remove", "path": 'members[nothing eq "<ada>"]'}, "invalidFilter"),
        ({"op": "replace", "path": "members.value", "value": "x"}, "mutability"),
        ({"op": "remove", "path": 'members[value eq "<ada>"].value'}, "mutability"),
        ({"op": "remove", "path": 'members[value eq "<ada>"]', "value": [BOB]}, "invalidPath"),
        ({"op": "jump", "path": "members", "value": [BOB]}, "invalidValue"),
    ],
)
def test_what_can_not_be_meant_of_members_is_refused_and_changes_nothing(
    scim: httpx.Client, people: dict[str, str], operation: dict[str, Any], scim_type: str
) -> None:
    team = scim.post("/Groups", json=make.group("Data", people["ada"])).json()
    answer = scim.patch(f"/Groups/{team['id']}", json=make.patch(filled(operation, people)))
    assert (answer.status_code, answer.json()["scimType"]) == (400, scim_type), answer.text
    assert scim.get(f"/Groups/{team['id']}").json() == team


def test_a_patch_shows_a_small_group_and_a_large_one_to_those_who_ask(
    scim: httpx.Client, people: dict[str, str]
) -> None:
    team = scim.post("/Groups", json=make.group("Data", people["ada"])).json()
    address = f"/Groups/{team['id']}"
    adding = make.patch({"op": "add", "path": "members", "value": [{"value": people["bob"]}]})
    assert len(scim.patch(address, json=adding).json()["members"]) == 2
    entra = scim.patch(address, json=adding, headers={"User-Agent": "Microsoft-AAD/1.0"})
    assert (entra.status_code, entra.content, entra.headers["etag"]) == (204, b"", 'W/"2"')
    many = [{"value": f"later-{number}"} for number in range(GROUP_SHOWN - 2)]
    filling = make.patch({"op": "add", "path": "members", "value": many})
    assert len(scim.patch(address, json=filling).json()["members"]) == GROUP_SHOWN
    larger = make.patch({"op": "add", "path": "members", "value": [{"value": people["cid"]}]})
    silent = scim.patch(address, json=larger)
    assert (silent.status_code, silent.content, silent.headers["etag"]) == (204, b"", 'W/"4"')
    asked = scim.patch(f"{address}?attributes=displayName", json=larger)
    assert (asked.status_code, asked.json()["displayName"], "members" in asked.json()) == (200, "Data", False)
    assert len(scim.patch(f"{address}?attributes=members", json=larger).json()["members"]) == GROUP_SHOWN + 1


@pytest.mark.rfc("members")
def test_a_member_that_is_not_provisioned_yet_joins_when_it_is(scim: httpx.Client, people: dict[str, str]) -> None:
    team = scim.post("/Groups", json=make.group("Data", "someone-later")).json()
    assert team["members"] == [{"value": "someone-later"}]
    assert scim.get(f"/Groups/{team['id']}").json()["members"] == [{"value": "someone-later"}]


@pytest.mark.rfc("members")
def test_a_deleted_user_leaves_every_team(scim: httpx.Client, people: dict[str, str]) -> None:
    team = scim.post("/Groups", json=make.group("Data", people["ada"], people["bob"])).json()["id"]
    scim.delete(f"/Users/{people['ada']}")
    assert [member["value"] for member in scim.get(f"/Groups/{team}").json()["members"]] == [people["bob"]]


@pytest.mark.rfc("groups")
def test_a_user_shows_its_teams(scim: httpx.Client, people: dict[str, str]) -> None:
    team = scim.post("/Groups", json=make.group("Data", people["ada"])).json()
    (shown,) = scim.get(f"/Users/{people['ada']}").json()["groups"]
    assert (shown["value"], shown["display"], shown["$ref"]) == (team["id"], "Data", team["meta"]["location"])


def test_members_show_what_they_are_and_their_name_on_request(scim: httpx.Client, people: dict[str, str]) -> None:
    team = scim.post("/Groups", json=make.group("Data", people["ada"])).json()
    (member,) = team["members"]
    assert (member["type"], member["$ref"].rpartition("/")[2], "display" in member) == ("User", people["ada"], False)
    (named,) = scim.get(f"/Groups/{team['id']}", params={"attributes": "members.display"}).json()["members"]
    assert named["display"] == "ada"
