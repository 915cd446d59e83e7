"""Answers: what was asked for, where it is, which version it has, and how a list is walked."""

from typing import Any

import httpx
import make
import pytest

from scim_app.directory.kinds import KINDS


@pytest.fixture
def ada(scim: httpx.Client) -> dict[str, str]:
    """A user."""
    return scim.post("/Users", json=make.user("ada@example.com", title="Engineer", nickName="Ada")).json()


@pytest.mark.rfc("create")
def test_a_created_resource_says_where_it_is_and_which_version(scim: httpx.Client) -> None:
    answer = scim.post("/Users", json=make.user("Ada@Example.com", externalId="00u1"))
    body = answer.json()
    assert answer.status_code == 201
    assert (
        answer.headers["location"]
        == body["meta"]["location"]
        == str(scim.base_url).rstrip("/") + f"/Users/{body['id']}"
    )
    assert answer.headers["etag"] == body["meta"]["version"]
    assert (body["userName"], body["externalId"], body["active"]) == ("Ada@Example.com", "00u1", True)
    assert body["meta"]["created"] == body["meta"]["lastModified"]
    assert scim.get(f"/Users/{body['id']}").json() == body


@pytest.mark.rfc("etag")
def test_a_write_under_an_old_version_is_refused(scim: httpx.Client, ada: dict[str, str]) -> None:
    path, old = f"/Users/{ada['id']}", ada["meta"]["version"]  # type: ignore[index]
    change = make.patch({"op": "replace", "path": "title", "value": "Lead"})
    assert scim.patch(path, json=change, headers={"If-Match": old}).status_code == 200
    assert scim.patch(path, json=change, headers={"If-Match": old}).status_code == 412
    assert scim.delete(path, headers={"If-Match": old}).status_code == 412
    assert scim.get(path).json()["title"] == "Lead"


@pytest.mark.rfc("etag")
def test_a_read_of_a_version_that_is_known_has_no_body(scim: httpx.Client, ada: dict[str, str]) -> None:
    answer = scim.get(f"/Users/{ada['id']}", headers={"If-None-Match": ada["meta"]["version"]})  # type: ignore[index]
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.rfc("meta")
def test_sending_the_same_again_changes_neither_version_nor_log(scim: httpx.Client, ada: dict[str, str]) -> None:
    again = scim.put(f"/Users/{ada['id']}", json=ada)
    assert again.json() == ada


@pytest.mark.rfc("projection")
@pytest.mark.parametrize(
    ("parameters", "attributes"),
    [
        ({"attributes": "userName"}, {"schemas", "id", "userName"}),
        ({"attributes": "userName,title"}, {"schemas", "id", "userName", "title"}),
        ({"excludedAttributes": "title,nickName"}, {"schemas", "id", "userName", "active", "meta"}),
        ({"excludedAttributes": "id,title,nickName,meta"}, {"schemas", "id", "userName", "active"}),
    ],
)
def test_a_projection_gives_what_was_asked_for(
    scim: httpx.Client, ada: dict[str, str], parameters: dict[str, str], attributes: set[str]
) -> None:
    assert set(scim.get(f"/Users/{ada['id']}", params=parameters).json()) == attributes
    (listed,) = scim.get("/Users", params=parameters).json()["Resources"]
    assert set(listed) == attributes


@pytest.mark.rfc("index")
def test_pages_give_every_resource_once_in_order_of_creation(scim: httpx.Client) -> None:
    names = [f"u{number}" for number in range(7)]
    for name in names:
        scim.post("/Users", json=make.user(name))
    walked: list[str] = []
    while len(walked) < len(names):
        page = scim.get("/Users", params={"startIndex": len(walked) + 1, "count": 3}).json()
        assert (page["totalResults"], page["startIndex"]) == (7, len(walked) + 1)
        assert page["itemsPerPage"] == len(page["Resources"]) <= 3
        walked += [one["userName"] for one in page["Resources"]]
    assert walked == names


@pytest.mark.parametrize("path", dict.fromkeys(one.path for kind in KINDS.values() for one in kind.attributes))
@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_users_and_groups_together_are_sorted_by_what_only_one_of_them_has(
    scim: httpx.Client, path: str, order: str
) -> None:
    made = [scim.post("/Users", json=make.user("ada")), scim.post("/Groups", json=make.group("analysts"))]
    answer = scim.get("/", params={"sortBy": path, "sortOrder": order})
    assert answer.status_code == 200, answer.text
    assert {one["id"] for one in answer.json()["Resources"]} == {one.json()["id"] for one in made}


@pytest.mark.rfc("sort")
@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"sortBy": "userName"}, ["Ada", "bob", "Cid"]),
        ({"sortBy": "userName", "sortOrder": "descending"}, ["Cid", "bob", "Ada"]),
        ({"sortBy": "title"}, ["bob", "Cid", "Ada"]),
        ({"sortBy": "emails.value", "sortOrder": "descending"}, ["bob", "Cid", "Ada"]),
        ({"sortBy": "meta.created", "sortOrder": "descending"}, ["Ada", "Cid", "bob"]),
        ({"sortBy": "schemas"}, ["bob", "Cid", "Ada"]),
    ],
)
def test_a_sorted_list_disregards_case_and_puts_what_is_missing_last(
    scim: httpx.Client, parameters: dict[str, str], names: list[str]
) -> None:
    scim.post("/Users", json=make.user("bob", title="a"))
    scim.post("/Users", json=make.user("Cid", title="B", emails=[{"value": "y@x.example"}]))
    scim.post(
        "/Users", json=make.user("Ada", emails=[{"value": "a@x.example"}, {"value": "Z@x.example", "primary": False}])
    )
    answer = scim.get("/Users", params=parameters)
    assert answer.status_code == 200, answer.text
    found = [one["userName"] for one in answer.json()["Resources"]]
    assert found == names


@pytest.mark.rfc("filter", "meta")
@pytest.mark.parametrize("comparison", ["eq", "sw", "co", "ew", "ge"])
def test_a_resource_is_found_by_where_it_is(scim: httpx.Client, ada: dict[str, Any], comparison: str) -> None:
    found = scim.get("/Users", params={"filter": f'meta.location {comparison} "{ada["meta"]["location"]}"'}).json()
    assert [one["id"] for one in found["Resources"]] == [ada["id"]]


@pytest.mark.rfc("search")
def test_a_search_by_post_answers_as_the_query_does(scim: httpx.Client, ada: dict[str, str]) -> None:
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": 'userName eq "ADA@example.com"',
        "attributes": ["userName"],
    }
    expected = scim.get("/Users", params={"filter": body["filter"], "attributes": "userName"}).json()
    assert scim.post("/Users/.search", json=body).json() == expected
    assert expected["totalResults"] == 1


@pytest.mark.rfc("filter-root")
def test_a_search_at_the_root_finds_users_and_groups(scim: httpx.Client, ada: dict[str, str]) -> None:
    scim.post("/Groups", json=make.group("ada@example.com"))
    assert scim.get("/", params={"filter": 'userName eq "ada@example.com"'}).json()["totalResults"] == 1
    assert scim.get("/").json()["totalResults"] == 2


@pytest.mark.rfc("discovery")
def test_discovery_needs_no_guessing(scim: httpx.Client) -> None:
    config = scim.get("/ServiceProviderConfig").json()
    assert (config["patch"], config["bulk"]["supported"], config["filter"]["maxResults"]) == (
        {"supported": True},
        True,
        200,
    )
    assert {one["name"] for one in scim.get("/ResourceTypes").json()["Resources"]} == {"User", "Group"}
    schemas = {one["id"]: one for one in scim.get("/Schemas").json()["Resources"]}
    assert set(schemas) == {make.USER, make.GROUP, make.ENTERPRISE}
    for urn, schema in schemas.items():
        assert scim.get(f"/Schemas/{urn}").json() == schema


def test_discovery_tells_clients_without_a_token_how_to_get_in(scim: httpx.Client) -> None:
    answer = httpx.get(f"{scim.base_url}ServiceProviderConfig", trust_env=False)
    assert answer.json()["authenticationSchemes"][0]["type"] == "oauthbearertoken"


def test_a_post_for_an_inactive_account_restores_it_under_its_id(scim: httpx.Client, ada: dict[str, str]) -> None:
    scim.patch(f"/Users/{ada['id']}", json=make.deactivate())
    again = scim.post("/Users", json=make.user("ada@example.com", displayName="Ada"))
    assert (again.status_code, again.json()["id"], again.json()["active"]) == (201, ada["id"], True)


@pytest.mark.rfc("delete")
def test_a_deleted_name_is_free_for_a_new_id(scim: httpx.Client, ada: dict[str, str]) -> None:
    assert scim.delete(f"/Users/{ada['id']}").status_code == 204
    assert scim.get(f"/Users/{ada['id']}").status_code == 404
    assert scim.post("/Users", json=make.user("ada@example.com")).json()["id"] != ada["id"]


@pytest.mark.rfc("replace")
def test_a_replacement_clears_what_it_leaves_out_and_never_creates(scim: httpx.Client, ada: dict[str, str]) -> None:
    replaced = scim.put(f"/Users/{ada['id']}", json=make.user("ada@example.com", displayName="Ada")).json()
    assert (replaced["displayName"], replaced["active"]) == ("Ada", True)
    assert not {"title", "nickName"} & replaced.keys()
    assert scim.put("/Users/none", json=make.user("none")).status_code == 404


@pytest.mark.rfc("read")
def test_an_id_is_of_one_kind(scim: httpx.Client, ada: dict[str, str]) -> None:
    assert scim.get(f"/Users/{ada['id']}").json() == ada
    assert scim.get(f"/Groups/{ada['id']}").status_code == 404
    assert scim.delete(f"/Groups/{ada['id']}").status_code == 404


@pytest.mark.rfc("me")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_token_stands_for_no_user(scim: httpx.Client, method: str) -> None:
    answer = scim.request(method, "/Me", json=make.user("me") if method != "GET" else None)
    assert (answer.status_code, answer.json()["status"]) == (501, "501")


@pytest.mark.rfc("index")
def test_a_walk_by_index_misses_nobody_and_repeats_nobody_though_others_leave(scim: httpx.Client) -> None:
    ids = {f"u{number}": scim.post("/Users", json=make.user(f"u{number}")).json()["id"] for number in range(9)}
    walked: list[str] = []
    while True:
        page = scim.get("/Users", params={"startIndex": len(walked) + 1, "count": 2}).json()
        walked += [one["userName"] for one in page["Resources"]]
        if len(walked) >= page["totalResults"]:
            break
        for gone in walked[-2:]:
            assert scim.delete(f"/Users/{ids[gone]}").status_code == 204
    assert walked == sorted(ids)
    assert scim.get("/Users").json()["totalResults"] == 1
