"""Ids are worth something only where they belong: not in another organization, and never as another kind of id.

Named after CVE-2025-41115 (an `externalId` taken for an internal id) and CVE-2026-92539 (ids of other organizations).
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import make
import pytest
from make import Organization, Service

UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Place(NamedTuple):
    """A place of a request that takes an id; `{id}` stands for it, `{own}` for one's own group."""

    method: str
    path: str
    body: Any = None
    kind: str = "user"


def _places() -> Iterator[Place]:
    rename = make.patch({"op": "replace", "path": "displayName", "value": "taken over"})
    for kind, path, body in (("user", "/Users", make.user("x@example.com")), ("group", "/Groups", make.group("x"))):
        yield Place("GET", f"{path}/{{id}}", kind=kind)
        yield Place("PUT", f"{path}/{{id}}", body, kind)
        yield Place("PATCH", f"{path}/{{id}}", rename, kind)
        yield Place("DELETE", f"{path}/{{id}}", kind=kind)
        yield Place("GET", f'{path}?filter=id eq "{{id}}"', kind=kind)
        yield Place("POST", f"{path}/.search", {"filter": 'id eq "{id}"'}, kind)
        for method, sent in (("DELETE", None), ("PATCH", rename), ("PUT", body)):
            operation = {"method": method, "path": f"{path}/{{id}}", "data": sent}
            yield Place("POST", "/Bulk", _bulk(operation), kind)
    yield Place("GET", '/Groups?filter=members.value eq "{id}"')
    yield Place("GET", '/Users?filter=groups.value eq "{id}"', kind="group")
    yield Place("GET", f'/Users?filter={make.ENTERPRISE}:manager.value eq "{{id}}"')


def _bulk(*operations: Any) -> Any:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": list(operations)}


def _filled(value: Any, text: str) -> Any:
    """A body with every `{id}` filled in."""
    if isinstance(value, dict):
        return {key: _filled(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, text) for inner in value]
    return value.replace("{id}", text) if isinstance(value, str) else value


def _ask(client: httpx.Client, place: Place, text: str) -> tuple[int, str]:
    answer = client.request(place.method, place.path.replace("{id}", text), json=_filled(place.body, text))
    return answer.status_code, answer.text.replace(text, "{id}")


@pytest.fixture
def theirs(service: Service, home: Path, organization: Organization) -> tuple[Organization, dict[str, str]]:
    """Another organization, and the ids of a user and a group in it."""
    other = make.organization(make.settings(home), f"{organization.slug}-theirs")
    with other.client(service.address) as client:
        user = client.post("/Users", json=make.user("ada@example.com", externalId="ext-ada")).json()["id"]
        group = client.post("/Groups", json=make.group("Data", user, externalId="ext-data")).json()["id"]
        client.post("/Users", json=make.user("eve@example.com", **{make.ENTERPRISE: {"manager": {"value": user}}}))
    return other, {"user": user, "group": group}


def test_an_id_of_another_organization_is_answered_as_one_that_never_was(
    scim: httpx.Client, service: Service, theirs: tuple[Organization, dict[str, str]]
) -> None:
    other, ids = theirs
    before = other.events()
    assert [place for place in _places() if _ask(scim, place, ids[place.kind]) != _ask(scim, place, UNKNOWN)] == []
    assert other.events() == before
    with other.client(service.address) as owner:
        looks = [place for place in _places() if place.method == "GET" or "search" in place.path]
        assert [place for place in looks if _ask(owner, place, ids[place.kind]) == _ask(owner, place, UNKNOWN)] == []


def test_a_member_of_another_organization_is_a_stranger(
    scim: httpx.Client, service: Service, theirs: tuple[Organization, dict[str, str]]
) -> None:
    other, ids = theirs
    before = other.events()
    for number, stranger in enumerate((ids["user"], UNKNOWN)):
        made = scim.post("/Groups", json=make.group(f"Thieves {number}", stranger)).json()
        shown = scim.get(f"/Groups/{made['id']}").json()
        assert "display" not in str(shown.get("members"))
        assert "ada" not in str(shown)
    with other.client(service.address) as client:
        assert [group["value"] for group in client.get(f"/Users/{ids['user']}").json()["groups"]] == [ids["group"]]
    assert other.events() == before


def test_an_etag_or_a_cursor_of_another_organization_is_worth_nothing(
    scim: httpx.Client, service: Service, theirs: tuple[Organization, dict[str, str]]
) -> None:
    other, ids = theirs
    with other.client(service.address) as client:
        etag = client.get(f"/Users/{ids['user']}").headers["etag"]
        for name in ("b@example.com", "c@example.com"):
            client.post("/Users", json=make.user(name))
        cursor = client.get("/Users", params={"cursor": "", "count": 1}).json()["nextCursor"]
    assert scim.delete(f"/Users/{ids['user']}", headers={"If-Match": etag}).status_code == 404
    assert scim.get("/Users", params={"cursor": cursor, "count": 1}).json()["scimType"] == "invalidCursor"


def test_an_external_id_is_never_taken_for_an_id(scim: httpx.Client, organization: Organization) -> None:
    admin = scim.post("/Users", json=make.user("admin@example.com", externalId="ext-admin")).json()
    seen = scim.get(f"/Users/{admin['id']}").json()
    texts = (admin["id"], "1", "0", "\u0661", organization.id)
    forms = ("{}", " {}", "{}.0", "0{}")
    for number, (text, form) in enumerate(product(texts, forms)):
        external = form.format(text)
        answer = scim.post("/Users", json=make.user(f"u{number}@example.com", externalId=external))
        assert answer.status_code == 201, answer.text
        made = answer.json()["id"]
        assert made not in (admin["id"], external)
        change = make.patch({"op": "replace", "value": {"externalId": f"{external}#", "id": admin["id"]}})
        assert scim.patch(f"/Users/{made}", json=change).status_code in (200, 400)
    assert scim.get(f"/Users/{admin['id']}").json() == seen
    assert scim.get("/Users", params={"filter": 'externalId eq "ext-admin"'}).json()["totalResults"] == 1


def test_an_external_id_is_a_text_or_refused(scim: httpx.Client) -> None:
    for external in (1, 1.0, True, ["1"], {"value": "1"}):
        answer = scim.post("/Users", json=make.user("ada@example.com", externalId=external))
        assert (answer.status_code, answer.json().get("scimType")) == (400, "invalidValue"), external


def test_what_only_the_service_knows_can_not_be_sent(scim: httpx.Client) -> None:
    for number, attribute in enumerate(("org_id", "isAdmin", "role", "synced", "origin", "password_hash", "deletedAt")):
        answer = scim.post("/Users", json=make.user(f"u{number}@example.com", **{attribute: "x"}))
        if answer.status_code == 201:
            assert attribute not in scim.get(f"/Users/{answer.json()['id']}").json()
        else:
            assert answer.json()["scimType"] in ("invalidSyntax", "invalidValue", "mutability"), attribute


def test_what_the_server_owns_is_the_servers(scim: httpx.Client) -> None:
    sent = make.user("ada@example.com", id="mine", meta={"version": "1", "created": "1999-01-01T00:00:00Z"})
    made = scim.post(
        "/Users", json={**sent, "groups": [{"value": UNKNOWN}], "roles": [{"value": "organization_admin"}]}
    )
    shown = made.json()
    assert shown["id"] != "mine"
    assert not shown["meta"]["created"].startswith("1999")
    assert "groups" not in shown


def test_a_name_that_is_sent_twice_in_another_case_is_refused(scim: httpx.Client) -> None:
    body = f'{{"schemas":["{make.USER}"],"userName":"ada@example.com","active":true,"Active":false}}'
    answer = scim.post("/Users", content=body)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax")
