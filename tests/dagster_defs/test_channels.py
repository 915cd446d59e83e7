"""Alerts arrive at a real mail server and a real web server; what refuses them is told without its secrets."""

import hashlib
import hmac
import json
import threading
from collections.abc import Generator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import make
import pytest
from aiosmtpd.controller import Controller

from dagster_defs.alerting import Message, Severity
from dagster_defs.channels import SIGNATURE, ChannelRefused, channel

MESSAGE = Message("[acme] Account deprovisioned: ada", "Who: Ada\nWhat: gone", Severity.INFO, ("e6",), "opened")


@pytest.fixture
def web() -> Generator[tuple[int, list[Any]]]:
    """A web server: its port, and the requests that it took. It refuses /broken and sends /elsewhere on."""
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.path, dict(self.headers), body))
            self.send_response({"/broken": 500, "/elsewhere": 302}.get(self.path, 200))
            self.send_header("Location", "/alerts")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, taken
    server.shutdown()
    server.server_close()


def test_a_webhook_is_signed_and_can_be_told_from_its_repetition(web: tuple[int, list[Any]]) -> None:
    port, taken = web
    for _ in range(2):
        channel(f"webhook+http://127.0.0.1:{port}/alerts", b"secret").send(MESSAGE)
    (path, headers, body), (_, again, _) = taken
    assert path == "/alerts"
    told = json.loads(body)
    assert (told["title"], told["severity"], told["findings"]) == (MESSAGE.title, "info", ["e6"])
    moment, signature = (part.split("=")[1] for part in headers[SIGNATURE].split(","))
    assert signature == hmac.new(b"secret", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["Idempotency-Key"] == again["Idempotency-Key"]


@pytest.fixture
def mails() -> Generator[tuple[int, list[Any]]]:
    """A mail server: its port, and the recipients and the text of each mail that it took."""
    taken: list[Any] = []

    class Inbox:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
            taken.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
            return "250 OK"

    server = Controller(Inbox(), hostname="127.0.0.1", port=make.free_port())
    server.start()
    yield server.port, taken
    server.stop()


def test_a_mail_has_the_title_and_says_the_rest(mails: tuple[int, list[Any]]) -> None:
    port, taken = mails
    channel(f"smtp://127.0.0.1:{port}?from=scim@example.com&to=it@example.com&to=sec@example.com").send(MESSAGE)
    ((recipients, mail),) = taken
    assert recipients == ["it@example.com", "sec@example.com"]
    assert mail["Subject"] == MESSAGE.title
    assert mail.get_content().split() == MESSAGE.body.split()
    assert mail["Date"].datetime is not None
    assert mail["Message-ID"].endswith("@example.com>")


def test_mail_is_plain_text_and_a_message_is_as_long_as_a_channel_takes(
    mails: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, taken = mails
    message = replace(MESSAGE, body="Who: <!channel> <https://evil.example|Sign in>\nWhat: <b>gone</b>")
    channel(f"mailto://127.0.0.1:{port}?mode=insecure&from=scim@example.com&to=it@example.com").send(message)
    ((_, mail),) = taken
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == message.inert_text.splitlines()
    sent: list[str] = []
    monkeypatch.setattr(
        "requests.Session.request", lambda *_, data, **__: sent.append(data) or httpx.Response(200, text="ok")
    )
    channel("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js").send(replace(MESSAGE, body="x" * 10_000))
    assert len(json.loads(sent[0])["content"]) <= 2000


@pytest.mark.parametrize(
    "address", ["smtp://127.0.0.1?to=it@example.com", "smtp://127.0.0.1:x?from=a&to=b", "webhook+https://[/"]
)
def test_an_address_that_is_none_is_refused_like_a_channel_that_does_not_answer(address: str) -> None:
    with pytest.raises(ChannelRefused):
        channel(address).send(MESSAGE)


def test_apprise_addresses_work_too(web: tuple[int, list[Any]]) -> None:
    port, taken = web
    channel(f"json://127.0.0.1:{port}/alerts").send(MESSAGE)
    assert json.loads(taken[0][2])["title"] == MESSAGE.title


@pytest.mark.parametrize(
    "address",
    [
        "webhook+http://user:hunter2@127.0.0.1:{port}/broken",
        "json://user:hunter2@127.0.0.1:{port}/broken",
        "webhook+http://user:hunter2@127.0.0.1:1/nobody",
        "smtp://user:hunter2@127.0.0.1:1?from=a@example.com&to=b@example.com",
        "nothing://hunter2",
    ],
)
def test_a_refusal_is_told_without_secrets(web: tuple[int, list[Any]], address: str) -> None:
    refusing = channel(address.format(port=web[0]))
    with pytest.raises(ChannelRefused) as refused:
        refusing.send(MESSAGE)
    assert "hunter2" not in f"{refused.value} {refusing!r} {refusing.name}"


def test_a_webhook_that_leads_elsewhere_is_refused(web: tuple[int, list[Any]]) -> None:
    port, taken = web
    with pytest.raises(ChannelRefused, match="302"):
        channel(f"webhook+http://127.0.0.1:{port}/elsewhere").send(MESSAGE)
    assert [path for path, _, _ in taken] == ["/elsewhere"]


def test_an_address_may_ask_for_what_matters_more() -> None:
    assert channel("critical=json://one.example").severity is Severity.CRITICAL
    assert channel("json://one.example?x=y").severity is Severity.INFO
    with pytest.raises(ValueError, match="use one of info, warning, critical"):
        channel("urgent=json://one.example")
