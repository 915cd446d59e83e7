"""Names from outside are nothing but text in every kind of channel: what each sends is captured at a web server."""

import html
import json
import re
import threading
from collections.abc import Generator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_plus

import markdown
import pytest
import requests

from dagster_defs.alerting import Finding, Links, Message, messages
from dagster_defs.channels import channel
from dagster_defs.inert import inert

OURS = "https://scim.example.com"
CHANNELS = {
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "discord, markdown": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?format=markdown",
    "mattermost": "mmost://chat.example.com/3ccdd113474722377935511fc85d3dd4",
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#it",
    "slack, blocks": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#it?blocks=yes",
    "teams": "workflows://prod.example.com:443/643e8b0e4b1f4ca5b2a4e2c4a5a8f9ad/signature1234",
    "google chat": "gchat://workspace/key/token",
    "rocket.chat": "rocket://token1234/token5678@chat.example.com/#it?mode=webhook",
    "webex": "wxteams://" + "a" * 80,
    "telegram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "telegram, markdown": "tgram://123456789:abcdefg_hijklmnop/12315544/?format=markdown",
    "ntfy": "ntfy://push.example.com/it",
    "ntfy, markdown": "ntfy://push.example.com/it?format=markdown",
    "gotify": "gotify://push.example.com/" + "a" * 15,
    "zulip": "zulip://bot@acme/" + "a" * 32 + "/it",
    "mailgun": "mailgun://scim@example.com/3b1f1ae0ed27d7b8b6c33ed3c5a0ff3e-1/it@example.com",
    "sendgrid": "sendgrid://apikey1234:scim@example.com/it@example.com",
    "pagerduty": "pagerduty://integration@apikey1234",
    "pushover": "pover://" + "u" * 30 + "@" + "a" * 30,
    "lark": "lark://token1234",
    "dingtalk": "dingtalk://" + "a" * 64,
    "json": "json://hooks.example.com/alerts",
    "xml": "xml://hooks.example.com/alerts",
    "form": "form://hooks.example.com/alerts",
}
HOSTILE = (
    "@everyone",
    "x@here",
    "@channel @all @ada",
    "<!channel>",
    "<@U024BE7LH> <users/all> <at>ada</at>",
    "<https://evil.example|Sign in>",
    "[Sign in](https://evil.example)",
    "[Sign in][1] [1]: https://evil.example",
    "![](https://evil.example/pixel)",
    "<b>bold</b><script>alert(1)</script><img src=//evil.example>",
    "**bold** __under__ _it_ ~~gone~~ ||spoiler|| `code`",
    "[url=https://evil.example]x[/url]",
    "www.evil.example evil.example/login https://evil.example",
    "&#64;everyone &lt;!channel&gt;",
    "(met)all(met)",
)
LIVE = re.compile(
    r"""@(everyone|here|channel|all|ada) | <(!|@|users|at>|https|b>bold|script|img) | \]\( | \]\[ | \]:
    | \*\* | __ | ~~ | \|\| | ` | \[/url | www\.evil | evil\.example | ://evil | \(met\)all""",
    re.VERBOSE,
)
"""What a channel would take for markup in one format or another."""

_ANSWER = b'{"ok": true, "result": {}, "errcode": 0, "code": 0, "status": 1}'


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> Generator[list[str]]:
    """Bodies of the requests that Apprise sends, wherever to: a web server here takes them."""
    taken: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok" if "slack" in self.path else _ANSWER)

        do_PUT = do_POST

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asked = requests.Session.request

    def here(session: requests.Session, method: str, url: str, **told: Any) -> requests.Response:
        return asked(session, method, f"http://127.0.0.1:{server.server_port}/?{url}", **told)

    monkeypatch.setattr(requests.Session, "request", here)
    yield taken
    server.shutdown()
    server.server_close()


def message(text: str) -> Message:
    """A message about an account whose name and job hold a text."""
    (told,) = messages(
        [
            Finding(
                key="e6",
                org="acme",
                rule="deprovisioned",
                severity="info",
                title=f"Account deprovisioned: {text}",
                who=text,
                what=f"the account was deactivated. Teams lost: {text}.",
                why="look elsewhere too.",
                occurred_at=datetime(2026, 11, 24, 8),
                user_id="u1",
                asset="deprovisioned_accounts",
            )
        ],
        Links(OURS, "https://dagster.example.com"),
    )
    return told


def texts(body: str) -> list[str]:
    """All texts of a captured body, without Markdown's escapes: as they are, and read as HTML."""
    try:
        found: list[str] = []
        json.loads(body, object_hook=lambda known: found.extend(filter(_is_text, _flat(known))))
    except ValueError:
        found = [unquote_plus(body)]
    return [seen.replace("\\", "") for text in found for seen in (text, html.unescape(text))]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _flat(known: dict[str, Any]) -> list[Any]:
    return [one for value in known.values() for one in (value if isinstance(value, list) else [value])]


@pytest.mark.parametrize("kind", CHANNELS)
def test_what_a_channel_is_sent_holds_no_live_text_from_outside(captured: list[str], kind: str) -> None:
    text = " ".join(HOSTILE)
    channel(CHANNELS[kind]).send(message(text))
    told = [one for body in captured for one in texts(body) if "Sign in" in one]
    assert told, captured
    for one in told:
        assert not LIVE.search(one), one
    captured.clear()
    channel(CHANNELS[kind]).send(message("ada"))
    assert any(OURS in one for body in captured for one in texts(body)), "our own links are links"


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_and_html_make_nothing_of_a_text(text: str) -> None:
    assert not LIVE.search(inert(text)), inert(text)
    rendered = markdown.markdown(f"Who: {inert(text)}")
    assert re.findall(r"<\w+", rendered) == ["<p"], rendered


@pytest.mark.parametrize(
    "text", ["Account deprovisioned: ada@example.com, Data", "snake_case of R&D (50 %), 1.5 hours; 08:00:00 UTC"]
)
def test_plain_names_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


def test_a_text_reads_the_same() -> None:
    assert inert("@everyone").replace("\u200b", "") == "@everyone"
    assert inert("[a](https://evil.example)").replace("\u200b", "") == "[a](https://evil.example)"


def test_a_program_gets_the_text_as_it_is() -> None:
    assert "<b>@everyone</b>" in message("<b>@everyone</b>").text
