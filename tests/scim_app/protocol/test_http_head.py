"""The head of a request: long ones are served to a limit, then refused with a SCIM error, whatever arrives after it."""

import json
from collections.abc import Callable
from typing import Any

import make
import pytest
from make import Organization, Service

from scim_app.protocol.http_head import ADDRESS, HEADERS

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def _get(organization: Organization, query: str = "", more: str = "") -> bytes:
    head = f"GET /{organization.slug}/scim/v2/Users{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    return f"{head}Authorization: Bearer {organization.token}\r\n{more}\r\n".encode()


def _address(organization: Organization, size: int) -> bytes:
    shortest = len(_get(organization, "?q=").split(b" ")[1])
    return _get(organization, "?q=" + "x" * (size - shortest))


def _one_header(organization: Organization, size: int) -> bytes:
    shortest = _size_of_headers(_get(organization, more="X: \r\n"))
    return _get(organization, more=f"X: {'x' * (size - shortest)}\r\n")


def _many_headers(organization: Organization, size: int) -> bytes:
    many, rest = divmod(size - _size_of_headers(_get(organization)), 16)
    return _get(organization, more="X-Y: 0123456789\r\n"[1:] * (many - 1) + f"X: {'x' * (rest + 11)}\r\n")


def _size_of_headers(head: bytes) -> int:
    return len(head.split(b"\r\n", 1)[1]) - 2


def _answer(service: Service, request: bytes) -> tuple[int, dict[str, Any]]:
    head, body = make.raw(service.address, request).split(b"\r\n\r\n", 1)
    assert b"content-type: application/scim+json" in head
    return int(head.split(b" ")[1]), json.loads(body)


@pytest.mark.rfc("limits")
@pytest.mark.parametrize(
    ("most", "request_of", "refused", "advice"),
    [
        (ADDRESS, _address, 414, "POST to /.search"),
        (HEADERS, _one_header, 431, "fewer or shorter"),
        (HEADERS, _many_headers, 431, "fewer or shorter"),
    ],
    ids=["address", "one header", "many headers"],
)
def test_a_head_is_served_up_to_its_limits(
    service: Service,
    organization: Organization,
    most: int,
    request_of: Callable[[Organization, int], bytes],
    refused: int,
    advice: str,
) -> None:
    for size in (most + 1, 100_000, 100 * most):
        status, error = _answer(service, request_of(organization, size))
        assert (status, error["status"], error["schemas"]) == (refused, str(refused), [ERROR])
        assert str(most) in error["detail"]
        assert advice in error["detail"]
    status, page = _answer(service, request_of(organization, most))
    assert (status, page["totalResults"]) == (200, 0)


@pytest.mark.rfc("limits", "errors")
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"\x00\x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX Y: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_scim_error(service: Service, request_bytes: bytes) -> None:
    status, error = _answer(service, request_bytes)
    assert (status, error["status"], error["schemas"]) == (400, "400", [ERROR])
    assert "check how" in error["detail"]


def test_headers_after_a_body_are_limited_too(service: Service, organization: Organization) -> None:
    head = _get(organization, more="Transfer-Encoding: chunked\r\n").replace(b"GET", b"POST", 1)
    status, error = _answer(service, head + b"1\r\n{\r\n0\r\nX: " + b"x" * 10_000_000)
    assert (status, error["status"]) == (431, "431")


def test_an_earlier_request_gets_its_own_answer_when_the_next_one_is_refused(
    service: Service, organization: Organization
) -> None:
    first = _get(organization).replace(b"Connection: close\r\n", b"")
    answer = make.raw(service.address, first + b"nonsense\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"totalResults":0' in answer
