"""A local webhook and a local mail server that keep what they are sent."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from make import free_port


class _Mail:
    def __init__(self, inbox: list[str]) -> None:
        self.inbox = inbox

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=default)
        self.inbox.append(f"{mail['Subject']}\n{mail.get_content()}")
        return "250 OK"


@contextmanager
def inboxes() -> Generator[tuple[str, dict[str, list[str]]]]:
    """Give the setting with both addresses, and what each received; `keys` has those of the findings, by message."""
    received: dict[str, list[str]] = {"webhook": [], "mail": [], "keys": []}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received["webhook"].append(f"{told['title']}\n{told['body']}")
            received["keys"].append("\n".join(f"{told['state']} {key}" for key in told["findings"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    mail = Controller(_Mail(received["mail"]), hostname="127.0.0.1", port=free_port())
    mail.start()
    try:
        webhook = f"webhook+http://127.0.0.1:{web.server_port}/alerts"
        yield f"{webhook} smtp://127.0.0.1:{mail.port}?from=scim@example.com&to=it@example.com", received
    finally:
        mail.stop()
        web.shutdown()
        web.server_close()
