"""Where alerts go, and how a message gets there: Apprise, plain SMTP, signed webhooks. Addresses never show."""

import hashlib
import hmac
import json
import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import apprise
import httpx

from dagster_defs.alerting import Message, Severity

TIMEOUT_SECONDS = 10
SIGNATURE = "X-Scim-Signature"
"""Header of a signed webhook: `t=SECONDS,v1=HMAC-SHA256 of "SECONDS.BODY"` in hexadecimal digits."""


class ChannelRefused(Exception):
    """A channel did not take a message; the text says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One place that alerts go to."""

    name: str
    """Its kind and a digest of its address: enough to tell it apart, nothing to sign in with."""
    severity: Severity
    """It takes findings from this severity on."""
    _address: str = field(repr=False)
    _secret: bytes = field(default=b"", repr=False)
    person: str | None = None
    """Of a channel to one person: their address."""

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            ChannelRefused: when the channel did not take it.
        """
        try:
            scheme = urlsplit(self._address).scheme
            _SENDERS.get(scheme, _by_apprise)(self._address, message, self._secret)
        except (smtplib.SMTPException, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            # The text of these errors may quote the address.
            raise ChannelRefused(type(error).__name__) from None


def channel(setting: str, secret: bytes = b"") -> Channel:
    """Return the channel of a setting: an address, or `SEVERITY=ADDRESS` for one that takes that severity and above.

    Raises:
        ValueError: when the severity is none.
    """
    severity, separator, address = setting.partition("=")
    if not separator or ":" in severity:
        severity, address = "info", setting
    if severity.upper() not in Severity.__members__:
        known = ", ".join(name.lower() for name in Severity.__members__)
        raise ValueError(f"{severity!r} is not a severity of an alert channel; use one of {known}")
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    return Channel(f"{address.split(':')[0]}-{digest}", Severity.of(severity), address, secret)


def mailbox(server: str, person: str) -> Channel:
    """Return the channel to one person's mailbox; `server` is `smtp://…?from=…` without `to`."""
    address = f"{server}{'&' if '?' in server else '?'}{urlencode({'to': person})}"
    digest = hashlib.sha256(person.encode()).hexdigest()[:8]
    return Channel(f"mailbox-{digest}", Severity.INFO, address, person=person)


def _by_apprise(address: str, message: Message, _secret: bytes) -> None:
    # A digest is longer than some channels take: these would refuse it again and again.
    cut = "" if "overflow=" in address else f"{'&' if '?' in address else '?'}overflow=truncate"
    sender = apprise.Apprise()
    if not sender.add(f"{address}{cut}"):
        raise ChannelRefused("Apprise does not understand the address")
    # Said to be text, so that Apprise escapes what a channel takes for HTML.
    if not sender.notify(title=message.inert_title, body=message.inert_text, body_format=apprise.NotifyFormat.TEXT):
        raise ChannelRefused("Apprise could not deliver it")


def _by_smtp(address: str, message: Message, _secret: bytes) -> None:
    """Send mail by `smtp://[USER:PASSWORD@]HOST[:PORT]?from=…&to=…`; `smtps` is TLS, `smtp+starttls` turns to it."""
    parts = urlsplit(address)
    asked = parse_qs(parts.query)
    if not asked.keys() >= {"from", "to"}:
        raise ChannelRefused("its address lacks from= or to=")
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.inert_title, asked["from"][0], ", ".join(asked["to"])
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=asked["from"][0].rpartition("@")[2])
    mail["X-Priority"] = "1" if message.severity is Severity.CRITICAL else "3"
    mail.set_content(message.inert_text)
    opened = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with opened(parts.hostname or "localhost", parts.port or 0, timeout=TIMEOUT_SECONDS) as server:
        if parts.scheme == "smtp+starttls":
            server.starttls()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(mail)


def _by_webhook(address: str, message: Message, secret: bytes) -> None:
    body = json.dumps(
        {
            "state": message.state,
            "severity": message.severity.name.lower(),
            "title": message.title,
            "body": message.text,
            "findings": list(message.keys),
        }
    ).encode()
    moment = int(time.time())
    once = hashlib.sha256("\n".join((message.state, *message.keys)).encode()).hexdigest()
    headers = {"Content-Type": "application/json", "Idempotency-Key": once, SIGNATURE: sign(body, secret, moment)}
    url = address.removeprefix("webhook+")
    answer = httpx.post(url, content=body, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False)
    if not answer.is_success:
        raise ChannelRefused(f"it answered {answer.status_code}")


def sign(body: bytes, secret: bytes, moment: int) -> str:
    """Return the signature of a webhook's body at a moment (seconds since 1970), as the header has it."""
    digest = hmac.new(secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


_SENDERS: dict[str, Callable[[str, Message, bytes], None]] = {
    **dict.fromkeys(("smtp", "smtps", "smtp+starttls"), _by_smtp),
    **dict.fromkeys(("webhook+http", "webhook+https"), _by_webhook),
}
