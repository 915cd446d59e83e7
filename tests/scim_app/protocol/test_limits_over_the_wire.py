"""Each limit at it, one past it and far past it: served, or a SCIM error that names the limit and what to do."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import make
import pytest

from scim_app.protocol import filter_limits, limits

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
SOMEBODY = "somebody"
EMAIL = {"value": "a@example.com", "type": "work"}
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


def _post(path: str, body: dict[str, Any] | bytes) -> httpx.Request:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Request("POST", f"http://x{path}", content=content)


def _nested(depth: int) -> httpx.Request:
    return _post("/Users", b'{"userName":"ada","x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}")


def _values(count: int) -> httpx.Request:
    return _post("/Users", b'{"userName":"ada","x":[' + b",".join([b"1"] * (count - 2)) + b"]}")


def _bulk(count: int) -> httpx.Request:
    one = {"method": "DELETE", "path": "/Users/nobody"}
    return _post("/Bulk", {"schemas": [BULK], "Operations": [one] * count})


def _bulk_bytes(size: int) -> httpx.Request:
    return _post("/Bulk", _bulk(1).read().ljust(size))


def _search(text: str) -> httpx.Request:
    return httpx.Request("GET", "http://x/Users", params={"filter": text})


def _number(size: int) -> httpx.Request:
    return _post("/Users", make.user("ada", x=size))


def _patch(*operations: dict[str, Any]) -> httpx.Request:
    return httpx.Request("PATCH", f"http://x/Users/{SOMEBODY}", content=json.dumps(make.patch(*operations)))


def _path(text: str) -> httpx.Request:
    return _patch({"op": "replace", "path": text, "value": EMAIL})


def _deep(levels: int) -> str:
    return "not (" * levels + "value pr" + ")" * levels


def _terms(parts: int) -> httpx.Request:
    return _search(" or ".join(["id pr"] * (parts - 1)))


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit, how a request of a size is made, and what is answered past it."""

    most: int
    request: Callable[[int], httpx.Request]
    served: int
    refused: int
    advice: str
    far: float = 20


LIMITS = {
    "bytes of a body": Limit(
        limits.RESOURCE.body,
        lambda size: _post("/Users", b'{"userName":"ada"}'.ljust(size)),
        201,
        413,
        "in parts",
    ),
    "values of a body": Limit(limits.RESOURCE.nodes, _values, 201, 413, "in parts", 10),
    "nesting": Limit(limits.DEPTH, _nested, 201, 400, "flatter"),
    "a string": Limit(
        limits.STRING,
        lambda size: _post("/Users", make.user("ada") | {"title": "x" * size}),
        201,
        400,
        "at most",
    ),
    "operations of a bulk request": Limit(limits.BULK_OPERATIONS, _bulk, 200, 413, "split"),
    "bytes of a bulk request": Limit(limits.BULK.body, _bulk_bytes, 200, 413, "in parts", 3),
    "parts of a filter": Limit(filter_limits.FILTER_NODES, _terms, 200, 400, "in parts", 2),
    "depth of a filter": Limit(32, lambda levels: _search(_deep(levels).replace("value", "id")), 200, 400, "in parts"),
    "bytes of a filter": Limit(
        filter_limits.FILTER_BYTES,
        lambda size: _search('title eq "' + "x" * (size - 11) + '"'),
        200,
        400,
        "in parts",
        7,
    ),
    "bytes of a path": Limit(
        filter_limits.FILTER_BYTES,
        lambda size: _path('emails[type pr or value eq "' + "x" * (size - 30) + '"]'),
        200,
        400,
        "several operations",
        2,
    ),
    "parts of the filter in a path": Limit(
        filter_limits.FILTER_NODES,
        lambda parts: _path("emails[" + " or ".join(["type pr"] * (parts - 1)) + "]"),
        200,
        400,
        "in parts",
        1.8,
    ),
    "depth of a path": Limit(32, lambda levels: _path(f"emails[type pr or {_deep(levels - 2)}]"), 200, 400, "in parts"),
    "operations of a PATCH": Limit(
        limits.PATCH_OPERATIONS,
        lambda count: _patch(*[{"op": "replace", "path": "title", "value": "CTO"}] * count),
        200,
        413,
        "split",
        10,
    ),
    "a userName": Limit(limits.NAME, lambda size: _post("/Users", make.user("é" * size)), 201, 400, "at most"),
    "a displayName": Limit(limits.NAME, lambda size: _post("/Groups", make.group("é" * size)), 201, 400, "at most"),
    "a number": Limit(limits.NUMBER, _number, 201, 400, "as a string"),
    "a negative number": Limit(limits.NUMBER, lambda size: _number(-size), 201, 400, "as a string"),
}


def _send(scim: httpx.Client, request: httpx.Request, somebody: str) -> httpx.Response:
    path = request.url.path.replace(SOMEBODY, somebody)
    return scim.request(request.method, path, params=request.url.params, content=request.read())


@pytest.mark.rfc("limits")
@pytest.mark.parametrize("limit", LIMITS.values(), ids=list(LIMITS))
def test_a_limit_is_served_at_it_and_refused_past_it(scim: httpx.Client, limit: Limit) -> None:
    somebody = scim.post("/Users", json=make.user("somebody", emails=[EMAIL])).json()["id"]
    before = scim.get("/").json()
    for size in (limit.most + 1, int(limit.most * limit.far)):
        answer = _send(scim, limit.request(size), somebody)
        body = answer.json()
        assert (answer.status_code, body["status"], body["schemas"]) == (limit.refused, str(limit.refused), [ERROR])
        assert str(limit.most) in body["detail"]
        assert limit.advice in body["detail"]
    assert scim.get("/").json() == before
    answer = _send(scim, limit.request(limit.most), somebody)
    assert answer.status_code == limit.served, answer.text
