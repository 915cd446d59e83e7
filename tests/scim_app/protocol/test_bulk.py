"""Bulk requests: many writes in one transaction, each with an outcome of its own (RFC 7644 §3.7)."""

from typing import Any

import httpx
import make
import pytest
from make import Organization

from scim_app.protocol.bulk import TOGETHER
from scim_app.protocol.bulk_order import in_order

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
Operation = dict[str, Any]


def post(path: str, bulk_id: str | None, data: dict[str, Any]) -> Operation:
    """A creation."""
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data}


def send(scim: httpx.Client, *operations: Operation, **more: Any) -> httpx.Response:
    """Send a bulk request."""
    return scim.post("/Bulk", json={"schemas": [BULK], "Operations": list(operations), **more})


def outcomes(answer: httpx.Response) -> list[dict[str, Any]]:
    """The outcomes of a bulk request that ran."""
    assert answer.status_code == 200, answer.text
    return answer.json()["Operations"]


def statuses(answer: httpx.Response) -> list[str]:
    """The statuses of a bulk request that ran."""
    return [one["status"] for one in outcomes(answer)]


def resource(scim: httpx.Client, outcome: dict[str, Any]) -> dict[str, Any]:
    """What is at an outcome's location."""
    return scim.get(outcome["location"]).json()


@pytest.mark.rfc("bulk-outcomes", "bulk-bulkid")
def test_a_reference_by_bulk_id_is_resolved_whatever_the_order(scim: httpx.Client) -> None:
    group = post("/Groups", "g", make.group("Team", "bulkId:u"))
    answer = send(scim, group, post("/Users", "u", make.user("ada")))
    made = outcomes(answer)
    assert [(one["method"], one["bulkId"], one["status"]) for one in made] == [
        ("POST", "g", "201"),
        ("POST", "u", "201"),
    ]
    team, user = resource(scim, made[0]), resource(scim, made[1])
    assert [member["value"] for member in team["members"]] == [user["id"]]
    assert made[1]["version"] == user["meta"]["version"]


def test_an_outcome_names_the_place_that_a_reference_stands_for(scim: httpx.Client) -> None:
    made, gone = outcomes(
        send(scim, post("/Users", "u", make.user("ada")), {"method": "DELETE", "path": "/Users/bulkId:u"})
    )
    assert (gone["status"], gone["location"]) == ("204", made["location"])


@pytest.mark.rfc("bulk-circular")
def test_references_that_go_round_in_a_circle_are_resolved(scim: httpx.Client) -> None:
    answer = send(
        scim, post("/Groups", "a", make.group("A", "bulkId:b")), post("/Groups", "b", make.group("B", "bulkId:a"))
    )
    a, b = (resource(scim, one) for one in outcomes(answer))
    assert [member["value"] for member in a["members"]] == [b["id"]]
    assert [member["value"] for member in b["members"]] == [a["id"]]


@pytest.mark.rfc("bulk-circular")
def test_a_circle_with_a_failing_part_is_refused_whole_and_leaves_nothing(
    scim: httpx.Client, organization: Organization
) -> None:
    answer = send(
        scim,
        post("/Groups", "a", make.group("A", "bulkId:b")),
        post("/Groups", "b", make.group("", "bulkId:a")),
        post("/Groups", "c", make.group("C")),
    )
    assert statuses(answer) == ["409", "409", "201"]
    assert [one["displayName"] for one in scim.get("/Groups").json()["Resources"]] == ["C"]
    refused = [event for event in organization.events() if event["type"] == "write.rejected"]
    assert [event["path"] for event in refused] == ["/Groups", "/Groups"]
    with organization.export() as export:
        assert export.first_break(organization.id) is None
        assert export.unexplained(organization.id) == []


@pytest.mark.rfc("bulk-bulkid")
def test_a_reference_to_what_was_not_made_is_a_conflict(scim: httpx.Client) -> None:
    answer = send(
        scim,
        post("/Users", "u", {"schemas": [make.USER]}),
        post("/Groups", "g", make.group("Team", "bulkId:u")),
        post("/Groups", "h", make.group("Other", "bulkId:nobody")),
    )
    assert statuses(answer) == ["400", "409", "409"]


@pytest.mark.rfc("bulk-goes-on")
def test_a_failing_operation_undoes_itself_alone(scim: httpx.Client) -> None:
    ada = scim.post("/Users", json=make.user("ada")).json()
    title = make.patch({"op": "add", "value": {"title": "CTO"}})
    answer = send(
        scim,
        post("/Users", "x", make.user("ada")),
        {"method": "PATCH", "path": f"/Users/{ada['id']}", "data": title},
        {"method": "PUT", "path": "/Users/none", "data": make.user("none")},
        {"method": "DELETE", "path": f"/Users/{ada['id']}"},
        {"method": "GET", "path": "/Users"},
        {"method": "POST", "path": "/Users", "data": make.user("without-bulk-id")},
        {"method": "PATCH", "path": f"/Users/{ada['id']}"},
    )  # fmt: skip
    made = outcomes(answer)
    assert statuses(answer) == ["409", "200", "404", "204", "400", "400", "400"]
    assert made[0]["response"]["scimType"] == "uniqueness"
    assert "location" not in made[0]
    assert made[2]["location"].endswith("/Users/none")
    assert all(one["response"]["status"] == one["status"] for one in made if int(one["status"]) >= 400)
    assert scim.get("/Users").json()["totalResults"] == 0


def test_those_around_a_failing_operation_are_done_once_and_in_order(
    scim: httpx.Client, organization: Organization
) -> None:
    names = [f"p{number:02d}" for number in range(2 * TOGETHER + 3)]
    operations = [post("/Users", name, make.user(name)) for name in names]
    wrong = TOGETHER + 7
    operations[wrong]["data"]["userName"] = names[0]
    operations.append(post("/Groups", "g", make.group("Team", f"bulkId:{names[1]}", f"bulkId:{names[-1]}")))
    answer = send(scim, *operations)
    made = outcomes(answer)
    assert statuses(answer) == [*("409" if index == wrong else "201" for index in range(len(names))), "201"]
    assert [one["value"] for one in resource(scim, made[-1])["members"]] == sorted(
        resource(scim, made[index])["id"] for index in (1, -2)
    )
    written = [(event["type"], event["subject_name"]) for event in organization.events() if event["method"] == "POST"]
    refused = [("write.rejected", names[0]) if one == names[wrong] else ("user.created", one) for one in names]
    assert written == [*refused, ("team.created", "Team")]
    with organization.export() as export:
        assert export.first_break(organization.id) is None
        assert export.unexplained(organization.id) == []


@pytest.mark.rfc("bulk-fail-on-errors")
def test_it_stops_after_as_many_errors_as_were_asked_for(scim: httpx.Client) -> None:
    wrong = {"schemas": [make.USER]}
    operations = [post("/Users", "a", wrong), post("/Users", "b", make.user("b")), post("/Users", "c", wrong)]
    answer = send(scim, *operations, post("/Users", "d", make.user("d")), failOnErrors=2)
    assert statuses(answer) == ["400", "201", "400"]
    assert [one["userName"] for one in scim.get("/Users").json()["Resources"]] == ["b"]


@pytest.mark.rfc("bulk-version")
def test_a_version_is_a_condition(scim: httpx.Client) -> None:
    ada = scim.post("/Users", json=make.user("ada")).json()
    change = {"method": "PATCH", "path": f"/Users/{ada['id']}", "version": ada["meta"]["version"]}
    patches = [change | {"data": make.patch({"op": "add", "value": {"title": title}})} for title in ("One", "Two")]
    assert statuses(send(scim, *patches)) == ["200", "412"]
    assert scim.get(f"/Users/{ada['id']}").json()["title"] == "One"


@pytest.mark.rfc("bulk-limits")
def test_more_than_is_announced_is_refused_and_not_cut(scim: httpx.Client) -> None:
    limits = scim.get("/ServiceProviderConfig").json()["bulk"]
    delete = {"method": "DELETE", "path": "/Users/none"}
    assert statuses(send(scim, *[delete] * limits["maxOperations"])) == ["404"] * limits["maxOperations"]
    over = send(scim, *[delete] * (limits["maxOperations"] + 1))
    assert (over.status_code, over.json()["status"]) == (413, "413")
    assert "maxOperations" in over.json()["detail"]
    big = scim.post("/Bulk", content=b" " * (limits["maxPayloadSize"] + 1))
    assert (big.status_code, big.json()["status"]) == (413, "413")


@pytest.mark.parametrize(
    "body",
    [
        {"schemas": [BULK], "Operations": []},
        {"schemas": [BULK]},
        {"schemas": [BULK], "Operations": ["DELETE /Users/1"]},
        {"schemas": [make.PATCH], "Operations": [{"method": "DELETE", "path": "/Users/1"}]},
        {"schemas": [BULK], "Operations": [{"method": "DELETE", "path": "/Users/1"}], "failOnErrors": 0},
        {"schemas": [BULK], "Operations": [{"method": "DELETE", "path": "/Users/1"}], "failOnErrors": True},
    ],
)
def test_what_is_no_bulk_request_is_refused(scim: httpx.Client, body: dict[str, Any]) -> None:
    answer = scim.post("/Bulk", json=body)
    assert (answer.status_code, answer.json()["status"]) == (400, "400")


def test_one_request_is_one_commit_with_all_its_events(scim: httpx.Client, organization: Organization) -> None:
    send(scim, post("/Users", "a", make.user("a")), post("/Users", "b", make.user("b")))
    events = [event for event in organization.events() if event["type"] == "user.created"]
    assert len({event["request_id"] for event in events}) == 1
    assert [event["path"] for event in events] == ["/Users", "/Users"]


def test_a_long_chain_of_references_needs_no_deep_stack() -> None:
    chain = [
        {"method": "POST", "bulkid": str(n), "path": "/Groups", "data": {"members": [{"value": f"bulkId:{n + 1}"}]}}
        for n in range(5_000)
    ]
    assert in_order(chain) == list(reversed(range(5_000)))
