"""Walking a list by cursor (RFC 9865): forwards and back, whatever comes and goes meanwhile."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import make
import pytest
import time_machine
from fastapi.testclient import TestClient
from make import Organization, Service

from scim_app.app import create_app


def pages(scim: httpx.Client, path: str = "/Users", **parameters: Any) -> Iterator[dict[str, Any]]:
    """All pages from the first on."""
    cursor = ""
    while True:
        page = scim.get(path, params={"cursor": cursor, **parameters}).json()
        yield page
        if "nextCursor" not in page:
            return
        cursor = page["nextCursor"]


def names(*found: dict[str, Any]) -> list[str]:
    """The names on pages."""
    return [one.get("userName") or one["displayName"] for page in found for one in page["Resources"]]


@pytest.fixture
def people(scim: httpx.Client) -> list[str]:
    """Names of seven users; some have a title, some are active."""
    made = [f"user-{number}" for number in range(7)]
    for number, name in enumerate(made):
        titles = {"title": f"T{number % 2}"} if number % 3 else {}
        scim.post("/Users", json=make.user(name, **titles) | {"active": number % 2 == 0})
    return made


@pytest.mark.rfc("cursor-next", "cursor-previous")
@pytest.mark.parametrize(
    "order",
    [
        {},
        {"sortBy": "title"},
        {"sortBy": "title", "sortOrder": "descending"},
        {"sortBy": "active"},
        {"sortBy": "active", "sortOrder": "descending"},
    ],
)
def test_a_walk_meets_everyone_once_and_finds_its_way_back(
    scim: httpx.Client, people: list[str], order: dict[str, str]
) -> None:
    whole = names(scim.get("/Users", params=order).json())
    there = list(pages(scim, count=3, **order))
    assert [names(page) for page in there] == [whole[:3], whole[3:6], whole[6:]]
    steps = [scim.get("/Users", params={"startIndex": start, "count": 3, **order}).json() for start in (1, 4, 7)]
    assert [names(page) for page in steps] == [names(page) for page in there]
    assert "previousCursor" not in there[0]
    assert "startIndex" not in there[0]
    assert {page["totalResults"] for page in there} == {7}
    back = scim.get("/Users", params={"cursor": there[2]["previousCursor"], "count": 3, **order}).json()
    assert names(back) == whole[3:6]
    first = scim.get("/Users", params={"cursor": back["previousCursor"], "count": 3, **order}).json()
    assert names(first) == whole[:3]
    assert "previousCursor" not in first
    assert names(scim.get("/Users", params={"cursor": first["nextCursor"], "count": 3, **order}).json()) == whole[3:6]


@pytest.mark.rfc("cursor-stable")
def test_who_stays_is_met_once_though_others_come_and_go(scim: httpx.Client, people: list[str]) -> None:
    ids = {one["userName"]: one["id"] for one in scim.get("/Users").json()["Resources"]}
    walk = pages(scim, count=2)
    met = names(next(walk))
    for gone in people[:3]:
        scim.delete(f"/Users/{ids[gone]}")
    scim.post("/Users", json=make.user("newcomer"))
    met += names(*walk)
    assert met == [people[0], people[1], *people[3:], "newcomer"]


@pytest.mark.rfc("cursor-next")
def test_users_and_groups_are_walked_together_at_the_root(scim: httpx.Client, people: list[str]) -> None:
    scim.post("/Groups", json=make.group("a-team"))
    scim.post("/Users", json=make.user("last"))
    assert names(*pages(scim, "/", count=4)) == [*people, "a-team", "last"]
    by_name = list(pages(scim, "/", count=4, sortBy="id", sortOrder="descending"))
    assert names(*by_name) == ["last", "a-team", *reversed(people)]


@pytest.mark.rfc("cursor-invalid")
@pytest.mark.parametrize("cursor", ["made-up", "AQ", "a b", "%00", "a" * 5_000])
def test_a_cursor_that_was_not_given_out_is_refused(scim: httpx.Client, cursor: str) -> None:
    answer = scim.get("/Users", params={"cursor": cursor, "count": 2})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidCursor")


@pytest.mark.rfc("cursor-invalid", "cursor-count")
def test_a_cursor_serves_the_search_it_was_given_out_for(scim: httpx.Client, people: list[str]) -> None:
    cursor = scim.get("/Users", params={"cursor": "", "count": 2}).json()["nextCursor"]
    other = scim.get("/Users", params={"cursor": cursor, "count": 2, "filter": "title pr"})
    assert (other.status_code, other.json()["scimType"]) == (400, "invalidCursor")
    more = scim.get("/Users", params={"cursor": cursor, "count": 3})
    assert (more.status_code, more.json()["scimType"]) == (400, "invalidCount")
    word = scim.get("/Users", params={"cursor": cursor, "count": "two"})
    assert (word.status_code, word.json()["scimType"]) == (400, "invalidCount")
    assert scim.get("/Users", params={"cursor": cursor, "count": 2, "startIndex": 1}).status_code == 400


@pytest.mark.rfc("cursor-invalid")
def test_a_cursor_of_another_organization_is_refused(
    scim: httpx.Client, people: list[str], service: Service, home: Any, organization: Organization
) -> None:
    cursor = scim.get("/Users", params={"cursor": "", "count": 2}).json()["nextCursor"]
    other = make.organization(make.settings(home), f"{organization.slug}-cursor")
    with other.client(service.address) as client:
        answer = client.get("/Users", params={"cursor": cursor, "count": 2})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidCursor")


@pytest.mark.rfc("cursor-expired")
def test_an_old_cursor_has_expired(scim: httpx.Client, organization: Organization) -> None:
    for name in ("a", "b", "c"):
        scim.post("/Users", json=make.user(name))
    headers = {"Authorization": f"Bearer {organization.token}"}
    with TestClient(create_app(organization.settings), f"http://test/{organization.slug}/scim/v2/") as client:
        config = client.get("ServiceProviderConfig").json()["pagination"]
        cursor = client.get("Users", params={"cursor": "", "count": 1}, headers=headers).json()["nextCursor"]
        asked = {"cursor": cursor, "count": 1}
        with time_machine.travel(time.time() + config["cursorTimeout"] - 60, tick=True):
            assert client.get("Users", params=asked, headers=headers).status_code == 200
        with time_machine.travel(time.time() + config["cursorTimeout"] + 60, tick=True):
            late = client.get("Users", params=asked, headers=headers)
    assert (late.status_code, late.json()["scimType"]) == (400, "expiredCursor")


@pytest.mark.rfc("cursor-announced")
def test_both_ways_of_paging_are_announced_and_the_index_is_the_default(scim: httpx.Client, people: list[str]) -> None:
    pagination = scim.get("/ServiceProviderConfig").json()["pagination"]
    assert (pagination["cursor"], pagination["index"], pagination["defaultPaginationMethod"]) == (True, True, "index")
    assert scim.get("/Users").json()["startIndex"] == 1
    assert scim.get("/Users", params={"cursor": "", "count": 0}).json()["totalResults"] == 7
