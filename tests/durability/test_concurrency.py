"""Many clients at once: nothing is lost, nothing is there twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import make
import pytest
from make import Organization

AT_ONCE = 50


@pytest.mark.rfc("unique")
def test_of_fifty_concurrent_posts_of_one_user_name_exactly_one_is_created(scim: httpx.Client) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: scim.post("/Users", json=make.user("ada@example.com")), range(AT_ONCE)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}
    assert {a.json()["scimType"] for a in answers if a.status_code == 409} == {"uniqueness"}
    assert scim.get("/Users").json()["totalResults"] == 1


@pytest.mark.rfc("members")
def test_of_fifty_concurrent_member_adds_all_are_there(scim: httpx.Client, organization: Organization) -> None:
    people = [scim.post("/Users", json=make.user(f"u{i}@example.com")).json()["id"] for i in range(AT_ONCE)]
    team = scim.post("/Groups", json=make.group("Everyone")).json()["id"]

    def add(person: str) -> int:
        body = make.patch({"op": "add", "path": "members", "value": [{"value": person}]})
        return scim.patch(f"/Groups/{team}", json=body).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(add, people)) <= {200, 204}
    assert {member["value"] for member in scim.get(f"/Groups/{team}").json()["members"]} == set(people)
    added = [event for event in organization.events() if event["type"] == "team.updated"]
    assert len(added) == AT_ONCE
