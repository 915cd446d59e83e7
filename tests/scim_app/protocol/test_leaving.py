"""Whoever is told to leave has left when the answer is sent, whatever else the request says."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import make
import pytest
from asgi import Client
from make import ACTOR, Organization, deactivate, patch, user
from scim2_server.routing import Operation

from scim_app.app import create_app
from scim_app.protocol.operations import OPERATIONS
from scim_app.store.access import organization_settings
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

LEAVE = {"op": "Replace", "path": "active", "value": "False"}
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
CORP = "urn:ietf:params:scim:schemas:extension:Corp:2.0:User:badge"


@pytest.fixture
def ada(scim: httpx.Client) -> str:
    """The id of an active user."""
    return provisioned(scim, "ada@example.com")


def provisioned(scim: httpx.Client, name: str) -> str:
    """The id of a new active user."""
    return scim.post("/Users", json=user(name, externalId=name)).json()["id"]


def is_active(scim: httpx.Client, user_id: str) -> bool:
    """Whether somebody has access."""
    return scim.get(f"/Users/{user_id}").json()["active"]


def told(organization: Organization, user_id: str) -> list[tuple[str, Any]]:
    """What the log says of somebody after its creation: type, and of a refused write whether it asked to leave."""
    mine = [event for event in organization.events() if event["subject_id"] == user_id][1:]
    return [(event["type"], json.loads(event["change"]).get("asked_to_leave")) for event in mine]


@pytest.mark.parametrize(
    "body",
    [
        patch(LEAVE, {"op": "Add", "path": CORP, "value": "B-7"}),
        patch({"op": "replace", "value": {"active": False, "samAccountName": "aberg"}}),
        patch(LEAVE, {"op": "replace", "path": 'emails[type eq "home"].value', "value": "a@example.com"}),
        patch(LEAVE, {"op": "Add", "path": "roles", "value": [{"id": "06b", "value": "Admin", "displayName": "x"}]}),
        patch({"op": "replace", "path": "profileUrl", "value": 7}, LEAVE),
        patch(LEAVE, {"op": "replace", "path": "id", "value": "7"}),
        patch(LEAVE, {"op": "upsert", "path": "title", "value": "x"}),
        patch(LEAVE, {"op": "replace", "path": "userName", "value": ""}),
        patch(LEAVE, 7),  # type: ignore[arg-type]
        patch(*[LEAVE] * 1001),
        patch({"op": "replace", "path": "active", "value": [{"$ref": None, "value": "False"}]}),
        patch({"op": "replace", "path": "title", "value": "bell \a"}, LEAVE),
        patch({"op": "replace", "path": "title", "value": 2**60}, LEAVE),
        patch({"op": "replace", "path": "title", "value": "x" * 9000}, LEAVE),
        {**deactivate(), "schemas": None},
        {**deactivate(), "schemas": ["urn:nobody"]},
        {**deactivate(), "operations": []},
    ],
    ids=lambda body: json.dumps(body)[-70:],
)
@pytest.mark.rfc("leave-first")
def test_a_patch_that_is_refused_ends_access_all_the_same(
    scim: httpx.Client, organization: Organization, ada: str, body: dict[str, Any]
) -> None:
    scim.headers["User-Agent"] = "okta"
    answer = scim.patch(f"/Users/{ada}", json=body)
    assert answer.status_code in (400, 413)
    assert answer.json()["detail"]
    assert not is_active(scim, ada)
    assert told(organization, ada) == [("user.deactivated", None), ("write.rejected", True)]
    assert scim.patch(f"/Users/{ada}", json=body).status_code == answer.status_code
    assert told(organization, ada)[2:] == [("write.rejected", True)]


@pytest.mark.parametrize(
    "attributes",
    [
        {"profileUrl": 7},
        {"externalId": 4711},
        {"name": "Ada"},
        {"emails": "ada@example.com"},
        {"userName": ""},
        {"userName": None},
        {"schemas": ["urn:nobody"]},
        {"title": "bell \a"},
        {"roles": [7]},
    ],
    ids=json.dumps,
)
def test_a_put_that_is_refused_ends_access_all_the_same(
    scim: httpx.Client, organization: Organization, ada: str, attributes: dict[str, Any]
) -> None:
    answer = scim.put(f"/Users/{ada}", json={**user("ada@example.com"), "active": "no", **attributes})
    assert answer.status_code == 400
    assert not is_active(scim, ada)
    assert told(organization, ada) == [("user.deactivated", None), ("write.rejected", True)]


def test_the_same_attribute_twice_another_media_type_and_a_foreign_query_keep_nobody_inside(
    scim: httpx.Client, organization: Organization
) -> None:
    ids = [provisioned(scim, f"{n}@example.com") for n in range(3)]
    twice = '{"Operations": [{"op": "replace", "value": {"active": false, "title": "a", "Title": "b"}}]}'
    json_text = json.dumps(deactivate())
    answers = [
        scim.patch(f"/Users/{ids[0]}", content=twice),
        scim.patch(f"/Users/{ids[1]}", content=json_text, headers={"Content-Type": "text/plain"}),
        scim.patch(f"/users/{ids[2]}", content=json_text, params={"attributes": "a", "excludedAttributes": "b"}),
    ]
    assert [answer.status_code for answer in answers] == [400, 415, 400]
    for user_id in ids:
        assert not is_active(scim, user_id)
        assert told(organization, user_id) == [("user.deactivated", None), ("write.rejected", True)]


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_who_is_told_to_leave_under_a_condition_that_fails_leaves(
    scim: httpx.Client, organization: Organization, ada: str, method: str
) -> None:
    body = deactivate() if method == "PATCH" else user("ada@example.com", active=False, title="Lead")
    content = None if method == "DELETE" else json.dumps(body)
    answer = scim.request(method, f"/Users/{ada}", content=content, headers={"If-Match": 'W/"7"'})
    assert answer.status_code == 412
    shown = scim.get(f"/Users/{ada}").json()
    assert (shown["active"], "title" in shown) == (False, False)
    assert told(organization, ada) == [("user.deactivated", None), ("write.rejected", True)]


def test_of_two_statements_the_last_one_counts(scim: httpx.Client, organization: Organization, ada: str) -> None:
    back = {"op": "replace", "path": "active", "value": True}
    wrong = {"op": "replace", "path": "nobody", "value": 1}
    assert scim.patch(f"/Users/{ada}", json=patch(LEAVE, back, wrong)).status_code == 400
    assert is_active(scim, ada)
    assert told(organization, ada) == [("write.rejected", False)]


def test_a_refused_write_that_tells_nobody_to_leave_changes_nothing(
    scim: httpx.Client, organization: Organization, ada: str
) -> None:
    assert scim.patch(f"/Users/{ada}", json=patch({"op": "add", "path": CORP, "value": "B-7"})).status_code == 400
    assert is_active(scim, ada)
    assert told(organization, ada) == [("write.rejected", False)]


def test_whoever_leaves_without_a_fault_in_the_request_leaves_by_one_event(
    scim: httpx.Client, organization: Organization, ada: str
) -> None:
    assert scim.put(f"/Users/{ada}", json=user("ada@example.com", active=False, title="Lead")).status_code == 200
    assert told(organization, ada) == [("user.deactivated", None)]


def test_an_organization_that_does_not_provision_by_scim_is_not_told(
    scim: httpx.Client, organization: Organization, ada: str
) -> None:
    store = Store(organization.settings.store_url)
    for on in (False, True):
        store.write(lambda db, on=on: organization_settings.switch_scim(Unit.begin(db, organization.id, ACTOR), on=on))
        if not on:
            assert scim.delete(f"/Users/{ada}").status_code == 403
    store.close()
    assert is_active(scim, ada)


def bulk(*operations: Any, **more: Any) -> dict[str, Any]:
    """A bulk request."""
    return {"schemas": [BULK], "Operations": list(operations), **more}


def leaving(user_id: str, **more: Any) -> dict[str, Any]:
    """The operation that tells somebody to leave."""
    return {"method": "PATCH", "path": f"/Users/{user_id}", "data": deactivate(), **more}


WRONG = {"method": "PATCH", "path": "/Users/nobody", "data": {}}


@pytest.mark.parametrize(
    ("make_bulk", "status"),
    [
        (lambda one: bulk(WRONG, leaving(one), failOnErrors=1), 200),
        (lambda one: bulk(leaving(one, version='W/"7"')), 200),
        (lambda one: bulk(WRONG, {"METHOD": "delete", "PATH": f"Users/{one}", "version": 'W/"7"'}), 200),
        (lambda one: bulk({**leaving(one), "data": patch(LEAVE, {"op": "add", "path": CORP, "value": 1})}), 200),
        (lambda one: bulk(leaving(one), failOnErrors=0), 400),
        (lambda one: {"Operations": [7, leaving(one)]}, 400),
        (lambda one: bulk(leaving(one), *[WRONG] * 1000), 413),
        (lambda one: bulk(leaving(one), {**WRONG, "data": {"title": "bell \a"}}), 400),
    ],
    ids=["after failOnErrors", "version", "DELETE", "bad attribute", "bad failOnErrors", "no bulk", "too many", "text"],
)
def test_each_operation_of_a_bulk_request_ends_access_on_its_own(
    scim: httpx.Client, organization: Organization, ada: str, make_bulk: Any, status: int
) -> None:
    bob = provisioned(scim, "bob@example.com")
    answer = scim.post("/Bulk", json=make_bulk(ada))
    assert answer.status_code == status
    assert (is_active(scim, ada), is_active(scim, bob)) == (False, True)
    assert told(organization, ada)[0] == ("user.deactivated", None)
    with organization.export() as export:
        assert export.first_break(organization.id) is None
        assert export.unexplained(organization.id) == []


async def _asked(folder: Path, seconds: float) -> tuple[int, dict[str, Any]]:
    """Return the status of a request to leave, and the user once it is inactive, or some seconds later."""
    settings = make.settings(folder, request_seconds=seconds)
    organization = make.organization(settings)
    client = Client(create_app(settings), organization)
    made = (await client("POST", "/Users", user("ada@example.com"))).json()["id"]
    answer = await client("PATCH", f"/Users/{made}", deactivate())
    for _ in range(200):
        shown = (await client("GET", f"/Users/{made}")).json()
        if not shown["active"]:
            break
        await asyncio.sleep(0.05)
    return answer.status, shown


async def _failing(_store: Store, _call: Any) -> Any:
    raise RuntimeError


async def _endless(_store: Store, _call: Any) -> Any:
    await asyncio.Event().wait()


@pytest.mark.rfc("leave-first")
@pytest.mark.parametrize(("work", "status"), [(_failing, 500), (_endless, 503)], ids=["a fault", "out of time"])
def test_neither_a_fault_of_ours_nor_the_deadline_keeps_anybody_inside(
    folder: Path, monkeypatch: pytest.MonkeyPatch, work: Any, status: int
) -> None:
    monkeypatch.setitem(OPERATIONS, Operation.patch, work)
    answered, shown = asyncio.run(_asked(folder, 2))
    assert (answered, shown["active"]) == (status, False)
