"""Whatever is wrong with a request, the answer is a SCIM error that says what, and nothing has changed."""

from typing import Any

import httpx
import make
import pytest
from make import Organization, Service

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
SCIM = "application/scim+json"


def refused(answer: httpx.Response, status: int, scim_type: str | None = None) -> str:
    """Check the form of a SCIM error and return its detail."""
    body = answer.json()
    assert (answer.status_code, body["status"], body["schemas"]) == (status, str(status), [ERROR]), answer.text
    assert body.get("scimType") == scim_type
    assert answer.headers["content-type"].startswith(SCIM)
    assert answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return body["detail"]


@pytest.mark.rfc("errors")
@pytest.mark.parametrize(
    ("content", "headers", "status", "scim_type"),
    [
        (b"", {}, 400, "invalidSyntax"),
        (b"{", {}, 400, "invalidSyntax"),
        (b"[]", {}, 400, "invalidSyntax"),
        (b'"text"', {}, 400, "invalidSyntax"),
        (b'{"userName": NaN}', {}, 400, "invalidSyntax"),
        (b'{"userName": "\xff"}', {}, 400, "invalidSyntax"),
        (b"{}", {"Content-Type": "text/xml"}, 415, None),
        (b"{}", {"Content-Encoding": "gzip"}, 415, None),
        (b" " * (16 * 1024 * 1024 + 1), {}, 413, None),
        (b"{}", {}, 400, "invalidValue"),
        (b'{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}', {}, 400, "invalidValue"),
        (b'{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": ""}', {}, 400, "invalidValue"),
    ],
)
def test_a_body_that_is_no_user_is_refused(
    scim: httpx.Client, content: bytes, headers: dict[str, str], status: int, scim_type: str | None
) -> None:
    answer = scim.post("/Users", content=content, headers={"Content-Type": SCIM, **headers})
    assert refused(answer, status, scim_type)
    assert scim.get("/Users").json()["totalResults"] == 0


@pytest.mark.rfc("errors")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Nothing", 404),
        ("GET", "/Users/none", 404),
        ("GET", "/Users/none/more", 404),
        ("PUT", "/Users", 405),
        ("DELETE", "/Users", 405),
        ("POST", "/Users/none", 405),
        ("PATCH", "/Schemas", 405),
        ("GET", "/Schemas/urn:none", 404),
        ("GET", "/ResourceTypes/None", 404),
        ("GET", "/Me", 501),
        ("PATCH", "/Me", 501),
    ],
)
def test_what_is_not_there_is_told(scim: httpx.Client, method: str, path: str, status: int) -> None:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": []}
    assert refused(scim.request(method, path, json=body if method != "GET" else None), status)


@pytest.mark.rfc("filter-invalid")
@pytest.mark.parametrize(
    ("parameters", "scim_type"),
    [
        ({"filter": "userName eq"}, "invalidFilter"),
        ({"filter": "nothing eq 1"}, "invalidFilter"),
        ({"filter": 'userName xx "a"'}, "invalidFilter"),
        ({"filter": "active gt true"}, "invalidFilter"),
        ({"filter": 'meta.created gt "0001-01-01T00:00:00+14:00"'}, "invalidFilter"),
        ({"filter": 'meta.created lt "9999-12-31T23:59:59-14:00"'}, "invalidFilter"),
        ({"count": "many"}, "invalidValue"),
        ({"startIndex": "first"}, "invalidValue"),
        ({"sortBy": "nothing"}, "invalidPath"),
    ],
)
def test_a_search_that_can_not_be_meant_is_refused(
    scim: httpx.Client, parameters: dict[str, str], scim_type: str
) -> None:
    assert refused(scim.get("/Users", params=parameters), 400, scim_type)


@pytest.mark.rfc("patch-refused")
@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "replace", "path": "nothing", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "name.nothing", "value": "x"}, "invalidPath"),
        ({"op": "replace", "value": {"nothing": "x"}}, "invalidValue"),
        ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "jump", "path": "title", "value": "x"}, "invalidValue"),
        ({"op": "replace", "path": 'emails[type eq "work"', "value": "x"}, "invalidPath"),
        ({"op": "remove", "path": "userName"}, "mutability"),
        ({"op": "replace", "path": {"": "title"}, "value": "x"}, "invalidValue"),
    ],
)
def test_a_patch_that_can_not_be_done_is_refused_and_remembered(
    scim: httpx.Client, organization: Organization, operation: dict[str, Any], scim_type: str
) -> None:
    ada = scim.post("/Users", json=make.user("ada@example.com", title="Engineer")).json()
    detail = refused(scim.patch(f"/Users/{ada['id']}", json=make.patch(operation)), 400, scim_type)
    assert scim.get(f"/Users/{ada['id']}").json() == ada
    last = organization.events()[-1]
    assert (last["type"], last["status"], last["scim_type"]) == ("write.rejected", 400, scim_type)
    assert (last["subject_id"], last["subject_name"], last["detail"]) == (ada["id"], "ada@example.com", detail)


@pytest.mark.rfc("password")
def test_a_refused_write_is_remembered_without_its_password(scim: httpx.Client, organization: Organization) -> None:
    scim.post("/Users", json=make.user("ada@example.com"))
    scim.post("/Users", json=make.user("ada@example.com", password="s3cret!"))
    assert organization.events()[-1]["type"] == "write.rejected"
    assert all("s3cret!" not in str(event) for event in organization.events())


@pytest.mark.rfc("auth")
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer  x", "Basic YTpi", "Bearer scim_x_y", "Bearer scim_aaaaaaaaaaaa_" + "b" * 49, "Bearer ünï"],
)
def test_without_a_valid_token_nothing_is_said(
    service: Service, organization: Organization, authorization: str
) -> None:
    with httpx.Client(base_url=f"{service.address}/{organization.slug}/scim/v2", trust_env=False) as client:
        answer = client.get("/Users", headers={"Authorization": authorization.encode()} if authorization else {})
    assert refused(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.rfc("auth")
def test_a_token_of_one_organization_opens_no_other(service: Service, organization: Organization, home: Any) -> None:
    other = make.organization(make.settings(home), f"{organization.slug}-other")
    headers = {"Authorization": f"Bearer {organization.token}"}
    with httpx.Client(base_url=f"{service.address}/{other.slug}/scim/v2", headers=headers, trust_env=False) as client:
        assert refused(client.get("/Users"), 401)
    with httpx.Client(base_url=f"{service.address}/nobody/scim/v2", headers=headers, trust_env=False) as client:
        assert refused(client.get("/Users"), 401)


@pytest.mark.rfc("errors")
def test_outside_of_scim_too_the_error_is_scims(service: Service) -> None:
    answer = httpx.get(f"{service.address}/nothing/here", trust_env=False)
    assert (answer.status_code, answer.json()["schemas"]) == (404, [ERROR])


@pytest.mark.rfc("media-type")
@pytest.mark.parametrize("path", ["/Users", "/Users/none", "/Schemas", "/ServiceProviderConfig", "/Nothing", "/Me"])
def test_every_answer_has_one_media_type(scim: httpx.Client, path: str) -> None:
    types = [value for name, value in scim.get(path).headers.multi_items() if name.lower() == "content-type"]
    assert types == [SCIM]
