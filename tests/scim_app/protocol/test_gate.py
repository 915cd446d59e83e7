"""The gate: without one valid token nothing passes, whatever the path looks like; slow clients are let go."""

# ruff: noqa: E501

import asyncio
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import httpx
import make
import pytest
import uvicorn
from make import Organization, Service

from scim_app.app import create_app
from scim_app.protocol.patience import PatientProtocol

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PLACES = ["Users", "Groups", "Users/{id}", "Bulk", ".search", "Schemas", "ResourceTypes", "Me", ""]
VARIANTS = [
    *("/{org}/scim/v2/{place}", "/{org}/scim/v2//{place}", "//{org}/scim/v2/{place}", "/{org}/scim/v2/./{place}"),
    *("/{org}/scim/v2/x/../{place}", "/{org}/scim/v2/%2e%2e/v2/{place}", "/{org}/scim/v2%2F{place}", "/{org}%2Fscim/v2/{place}"),
    *("/{org}/scim/v2/{place}/", "/{org}/scim/v2/{place}%2F", "/{org}/scim/v2/{place}%252F", "/{org}/scim/v2/{place};x=1"),
    *("/{org}/scim/v2/{place}%00", "/{org}/scim/v2/{place}?access_token={token}", "/{org}/SCIM/V2/{place}", "/{org}/scim/v2/{place}%20"),
    *("/{org}/scim/v2\\{place}", "/{org}/scim/v2/ServiceProviderConfig/../{place}", "/{org}/scim/v2/ServiceProviderConfig%2F..%2F{place}"),
    *("/{org}/scim/v2/\uff0f{place}", "/{org}/scim/v2.json/{place}", "/{org}/scim/v2/{place}.json", "/{org}/scim/v2/{place}#/ServiceProviderConfig"),
]  # fmt: skip


@pytest.mark.rfc("auth")
def test_no_form_of_a_path_gets_past_the_gate(service: Service, organization: Organization) -> None:
    passed = []
    for variant, place, method in product(VARIANTS, PLACES, ["GET", "POST", "DELETE"]):
        path = variant.format(org=organization.slug, place=place, token=organization.token).replace("{id}", "1")
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n"
        head += "X-HTTP-Method-Override: GET\r\nX-Original-URL: /\r\nCookie: session=1\r\n\r\n{}"
        status = make.raw(service.address, head.encode("utf-8")).split(b" ", 2)[1]
        if status.startswith(b"2"):
            passed.append((method, path, status))
    assert passed == []


@pytest.mark.rfc("auth")
@pytest.mark.parametrize(
    "headers",
    [
        ["Authorization: Bearer {token}", "Authorization: Bearer {token}"],
        ["Authorization: Bearer {token}", "Authorization: Basic YTpi"],
        ["Authorization: Bearer {token}, Bearer {token}"],
        ["Authorization: Bearer {token}x"],
        ["Authorization: Bearer Bearer"],
        ["Authorization: {token} {token}"],
        ["Authorization: Basic {token}"],
        ["Authorization: Bearer null"],
        ["Authorization: Bearer undefined"],
        ["Authorization: Bearer"],
        ["Authorization:"],
        ["Cookie: Authorization=Bearer {token}"],
        ["X-Authorization: Bearer {token}"],
        ["Proxy-Authorization: Bearer {token}"],
    ],
)
def test_one_authorization_header_with_one_token_is_asked_for(
    service: Service, organization: Organization, headers: list[str]
) -> None:
    lines = "\r\n".join(headers).format(token=organization.token)
    request = f"GET /{organization.slug}/scim/v2/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n\r\n"
    assert make.raw(service.address, request.encode()).startswith(b"HTTP/1.1 401 ")


@pytest.mark.rfc("auth")
def test_a_path_that_a_proxy_might_read_otherwise_is_nobodys(scim: httpx.Client) -> None:
    ada = scim.post("/Users", json=make.user("ada")).json()["id"]
    assert scim.get(f"/Users/{ada}").status_code == 200
    for path in (f"/Users%2F{ada}", f"//Users/{ada}", f"/Users/{ada};x=1", f"/Users/{ada}%00", "/Users/x/%2e%2e"):
        assert scim.get(path).status_code == 404, path


class Hasty(PatientProtocol):
    """The server's protocol with less patience, so that the test need not have it."""

    header_seconds = 0.4
    body_seconds = 0.8


@contextmanager
def hasty_service(home: Path, **values: float) -> Generator[tuple[str, Organization]]:
    """A service in a thread that waits less than a second for a request."""
    settings = make.settings(home, **values)
    organization, port = make.organization(settings), make.free_port()
    config = uvicorn.Config(create_app(settings), port=port, http=Hasty, log_config=None, loop="asyncio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),))
    thread.start()
    try:
        make.until(lambda: server.started, what="the start")
        yield f"http://127.0.0.1:{port}", organization
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.mark.rfc("limits", "rate")
def test_slow_clients_are_let_go_while_others_are_served(tmp_path: Path) -> None:
    with hasty_service(tmp_path, rate_limit=0.01, rate_burst=30) as (address, organization):
        host, port = address.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port)), timeout=20) for _ in range(60)]
        for number, connection in enumerate(slow):
            head = f"POST /{organization.slug}/scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
            connection.sendall((head if number % 2 else f"{head}\r\n" + "{").encode())
        with organization.client(address) as client:
            begun = time.monotonic()
            served = [client.get("/Users").status_code for _ in range(30)]
            limited = client.get("/Users")
            assert time.monotonic() - begun < 15
        assert served == [200] * 30
        assert (limited.status_code, limited.json()["schemas"]) == (429, [ERROR])
        assert 1 <= int(limited.headers["retry-after"]) <= 100
        answers = [b"".join(make.received(connection)) for connection in slow]
    late = [answer for answer in answers if answer.startswith(b"HTTP/1.1 408 ")]
    refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 401 ")]
    assert len(late) + len(refused) == 60
    assert len(late) >= 30
    assert all(ERROR.encode() in answer for answer in answers)


@pytest.mark.rfc("errors", "limits")
def test_what_takes_too_long_is_told_to_come_again(tmp_path: Path) -> None:
    with hasty_service(tmp_path, request_seconds=0.000001) as (address, organization), organization.client(address) as client:  # fmt: skip
        answer = client.post("/Users", json=make.user("ada"))
    assert (answer.status_code, answer.json()["status"], answer.json()["schemas"]) == (503, "503", [ERROR])
    assert int(answer.headers["retry-after"]) >= 1
