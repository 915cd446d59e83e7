"""Code locations are read from what answers as Dagster does, and whatever else answers is told in a sentence."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import make
import pytest

from scim_app.admin.dagster_instance import DagsterUnreadable, read_code_locations

CONNECTION = {"__typename": "Workspace", "locationEntries": [{"name": "etl"}, {"name": "billing"}]}
BROKEN = {"__typename": "PythonError", "message": "No module named 'etl'"}


@contextmanager
def answering(status: int, body: Any, headers: dict[str, str] | None = None) -> Generator[str]:
    """The address of a server that always answers the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))  # what is left unread would reset the connection
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def test_the_names_are_in_order() -> None:
    with answering(200, {"data": {"workspaceOrError": CONNECTION}}) as url:
        assert read_code_locations(url) == ["billing", "etl"]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, {"data": {"workspaceOrError": BROKEN}}, "can't tell its code locations: No module named"),
        (200, {"data": None}, "is not a Dagster instance"),
        (200, b"<html>", "is not a Dagster instance"),
        (200, b"x" * (4 * 1024 * 1024 + 1), "is not a Dagster instance"),
        (404, {}, "status 404"),
        (302, b"", "status 302"),
    ],
)
def test_what_is_not_a_healthy_dagster_is_told_in_a_sentence(status: int, body: Any, said: str) -> None:
    with (
        answering(status, body, {"Location": "http://127.0.0.1:9/"}) as url,
        pytest.raises(DagsterUnreadable, match=said),
    ):
        read_code_locations(url)


@pytest.mark.parametrize(
    "address", [lambda: f"http://127.0.0.1:{make.free_port()}", lambda: "nowhere", lambda: "ftp://x"]
)
def test_where_nothing_answers_one_is_told_to_start_it(address: Callable[[], str]) -> None:
    with pytest.raises(DagsterUnreadable, match="no Dagster answers at"):
        read_code_locations(address())
