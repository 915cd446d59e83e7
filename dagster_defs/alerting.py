"""What is worth an alert, and the words of the messages. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from dagster_defs.inert import inert

DIGEST_FROM = 20
"""More findings than this go out as one message."""
DIGEST_LISTS = 50
"""Findings that a digest lists one by one."""
TITLE_LENGTH, LINE_LENGTH = 150, 500
"""Characters of a title and of a line: a name may be long, a leaver may have had hundreds of teams, and a channel that
takes little (Discord 2,000 characters) would refuse the message for ever. The asset's page has all of it."""


class Severity(IntEnum):
    """How much a finding matters; a channel takes those from its own severity on."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2

    @classmethod
    def of(cls, name: str) -> "Severity":
        """Return the severity of a name such as `warning`."""
        return cls[name.upper()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something a person should know of, told once to each channel."""

    key: str
    """The same in every run: id of the event that shows it, or rule, subject and beginning of what lasts."""
    org: str
    rule: str
    severity: str
    title: str
    who: str
    what: str
    why: str
    """Why it matters."""
    occurred_at: datetime
    """UTC, without a zone."""
    user_id: str | None = None
    """User whose page tells more."""
    asset: str
    """Asset whose page tells more."""
    page: str | None = None
    """Page of the settings that tells more."""
    seq: int | None = None
    resolved_at: datetime | None = None
    """When what lasted was over (UTC)."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Finding":
        """Return the finding of a row of `findings`."""
        return cls(**{name: row[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Links:
    """Where the pages are that a message points to."""

    public_url: str
    dagster_url: str

    def of(self, finding: Finding) -> list[str]:
        """Return the lines that lead from a finding to more."""
        settings = f"{self.public_url}/{finding.org}/settings"
        user = [f"Person: {settings}/users/{finding.user_id}"] if finding.user_id else []
        page = [f"Page: {settings}/{finding.page}"] if finding.page else []
        return [*user, *page, f"Asset: {self.dagster_url}/assets/{finding.asset}"]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: one finding, or a digest of many."""

    title: str
    body: str
    severity: Severity
    keys: tuple[str, ...]
    state: str
    """`opened` or `resolved`."""
    links: tuple[str, ...] = ()
    """Lines below the body that lead to more; everything else may hold text from outside."""

    @property
    def text(self) -> str:
        """The body with the links, for programs: as it is."""
        return "\n".join((self.body, *self.links))

    @property
    def inert_title(self) -> str:
        """The title for people: nothing in it is markup."""
        return inert(self.title)

    @property
    def inert_text(self) -> str:
        """The body with the links for people: nothing but the links is markup."""
        return "\n".join((inert(self.body), *self.links))


def messages(findings: Iterable[Finding], links: Links, *, state: str = "opened") -> Sequence[Message]:
    """Return a message for each finding, or one digest when there are many."""
    findings = list(findings)
    if len(findings) <= DIGEST_FROM:
        return [_single(finding, links, state) for finding in findings]
    return [_digest(findings, links, state)]


def _single(finding: Finding, links: Links, state: str) -> Message:
    over = state == "resolved" and finding.resolved_at is not None
    moment = f"{finding.occurred_at:%Y-%m-%d %H:%M:%S} UTC"
    lines = [
        f"Who: {_line(finding.who)}",
        f"What: {_line(finding.what)}",
        f"When: {moment}" + (f", over at {finding.resolved_at:%Y-%m-%d %H:%M:%S} UTC" if over else ""),
        f"Why it matters: {_line(finding.why)}",
    ]
    more = tuple(links.of(finding))
    title = f"[{finding.org}] {'Resolved: ' if over else ''}{_title(finding)}"
    return Message(title, "\n".join(lines), Severity.of(finding.severity), (finding.key,), state, more)


def _digest(findings: Sequence[Finding], links: Links, state: str) -> Message:
    # What matters most goes first: the list ends somewhere.
    ranked = sorted(findings, key=lambda finding: -Severity.of(finding.severity))
    listed = [f"- [{finding.org}] {_title(finding)} ({finding.occurred_at:%Y-%m-%d %H:%M} UTC)" for finding in ranked]
    unlisted = len(listed) - DIGEST_LISTS
    lines = listed[:DIGEST_LISTS] + ([f"- and {unlisted} more"] if unlisted > 0 else [])
    more = ("", f"All of them: {links.dagster_url}/assets/findings")
    severity = max(Severity.of(finding.severity) for finding in findings)
    resolved = " resolved" if state == "resolved" else ""
    title = f"{len(findings)} provisioning findings{resolved}"
    return Message(title, "\n".join(lines), severity, tuple(finding.key for finding in findings), state, more)


def _title(finding: Finding) -> str:
    return _line(finding.title, TITLE_LENGTH)


def _line(text: str, most: int = LINE_LENGTH) -> str:
    """Return text as one line: a refused name may hold line ends, which no mail header has and no line of ours."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
