"""The Dagster UI obeys pages of its own address alone: no other Host or Origin, and no mutation by GET."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from dagster_defs.webserver import guarded
from scim_app.settings import Settings

OWN, SOCKET = "http://127.0.0.1:3000", "ws://127.0.0.1:3000/graphql"
MUTATION = 'mutation { shutdownRepositoryLocation(repositoryLocationName: "x") { __typename } }'


async def answer(_: Any) -> PlainTextResponse:
    return PlainTextResponse("reached")


async def accept(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


@pytest.fixture
def client() -> TestClient:
    """A client of a guarded application, reached at `dagster.example.com` through a proxy too."""
    routes = [Route("/graphql", answer, methods=["GET", "POST"]), WebSocketRoute("/graphql", accept)]
    settings = Settings.model_validate(
        {"dagster_url": "https://dagster.example.com", "dagster_hosts": "dagster.internal ::2"}
    )
    return TestClient(guarded(Starlette(routes=routes), settings), base_url=OWN)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:3000", "localhost:3000", "[::1]:3000", "dagster.example.com", "DAGSTER.internal:80", "[::2]:3000"],
)
def test_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/graphql", headers={"Host": host}).text == "reached"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:3000", "", "[", "::1"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_hosts_are_refused(client: TestClient, host: str, method: str) -> None:
    assert client.request(method, "/graphql", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (OWN, 200),
        ("https://dagster.example.com", 200),
        ("http://127.0.0.1:8888", 403),
        ("http://localhost:3000", 403),
        ("https://evil.example", 403),
        ("http://127.0.0.1:3000.evil.example", 403),
        ("null", 403),
    ],
)
def test_pages_of_another_origin_are_refused(client: TestClient, origin: str, status: int) -> None:
    headers = {"Origin": origin}
    assert client.post("/graphql", headers=headers).status_code == status
    assert client.get("/graphql", headers=headers).status_code == status
    if status == 200:
        with client.websocket_connect(SOCKET, headers=headers):
            return
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET, headers=headers):
        pass


def test_websockets_of_another_host_are_refused(client: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(SOCKET, headers={"Host": "evil.example"}),
    ):
        pass


def test_a_form_of_another_site_is_refused_and_a_link_is_not(client: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/graphql", headers=headers).status_code == 403
    assert client.get("/graphql", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (MUTATION, 405),
        ("query A { version } mutation B { x { y } }", 405),
        ("# mutation\n{ version }", 200),
        ("{ version", 200),
    ],
)
def test_no_mutation_by_get(client: TestClient, query: str, status: int) -> None:
    assert client.get("/graphql", params={"query": query}).status_code == status
    assert client.get("/graphql", params=[("query", "{ version }"), ("query", query)]).status_code == status
    assert client.post("/graphql", params={"query": query}).status_code == 200
