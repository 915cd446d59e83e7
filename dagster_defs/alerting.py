"""What is worth an alert, and the words of the messages. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DIGEST_FROM = 20
"""More findings than this go out as one message."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know of, told once to each channel."""

    key: str
    """Id of the event that shows it: the same in every run."""
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: one finding, or a digest of many."""

    title: str
    body: str
    keys: tuple[str, ...]


def sync_failure(row: Mapping[str, Any]) -> Finding:
    """Return the finding of a row of `sync_failures`."""
    subject = row["subject_name"] or row["path"]
    said = f"{row['status']} {row['scim_type'] or ''}".strip()
    return Finding(
        key=row["id"],
        title=f"[{row['org']}] SCIM write refused: {subject}",
        body=f"{row['method']} {row['path']} was answered {said} at {_moment(row)}.\n{row['detail'] or ''}\n"
        f"Event {row['seq']}, identity provider {row['idp'] or 'unknown'}.",
    )


def deprovisioned(row: Mapping[str, Any]) -> Finding:
    """Return the finding of a row of `deprovisioned_accounts`."""
    return Finding(
        key=row["event_id"],
        title=f"[{row['org']}] Account deprovisioned: {row['user_name']}",
        body=f"{row['display_name'] or row['user_name']} was {row['how']} at {_moment(row)}.\n"
        f"Teams lost: {row['teams'] or 'none'}.\nEvent {row['seq']}, identity provider {row['idp'] or 'unknown'}.",
    )


def messages(findings: Iterable[Finding]) -> Sequence[Message]:
    """Return a message for each finding, or one digest when there are many."""
    findings = list(findings)
    if len(findings) <= DIGEST_FROM:
        return [Message(finding.title, finding.body, (finding.key,)) for finding in findings]
    listed = "\n".join(f"- {finding.title}" for finding in findings)
    return [Message(f"{len(findings)} provisioning findings", listed, tuple(finding.key for finding in findings))]


def _moment(row: Mapping[str, Any]) -> str:
    return f"{row['occurred_at']:%Y-%m-%d %H:%M:%S} UTC"
