"""The vocabulary of the event log, what a change looks like, and the hash that chains events.

An event says who did what to whom, what changed, and how the record looked afterwards.
Replaying the log gives the state (`replay.py`); changing any past event breaks the chain.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from scim_app.directory.kinds import Document

GENESIS = "0" * 64
"""Hash before the first event of an organization."""


class EventType(StrEnum):
    """What happened: `noun.past_tense`."""

    ORGANIZATION_CREATED = "organization.created"
    """An organization was set up."""
    TOKEN_CREATED = "token.created"  # noqa: S105
    """A SCIM token was made."""
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    """A SCIM token was revoked."""
    USER_CREATED = "user.created"
    """A user was provisioned."""
    USER_LINKED = "user.linked"
    """A user that existed only here was matched by the identity provider."""
    USER_UPDATED = "user.updated"
    """Attributes of a user changed."""
    USER_DEACTIVATED = "user.deactivated"
    """A user lost access (`active` became false)."""
    USER_REACTIVATED = "user.reactivated"
    """A user regained access (`active` became true again)."""
    USER_DELETED = "user.deleted"
    """A user was removed, and left every team."""
    TEAM_CREATED = "team.created"
    """A team was made from a pushed group."""
    TEAM_LINKED = "team.linked"
    """A team that existed only here was linked to a group."""
    TEAM_UPDATED = "team.updated"
    """A team's name, attributes or members changed."""
    TEAM_DELETED = "team.deleted"
    """A team was removed."""
    WRITE_REJECTED = "write.rejected"
    """A write of the identity provider was refused: a sync failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: the token (or `cli`), the identity provider behind it, and the request."""

    name: str
    idp: str | None = None
    request_id: str | None = None
    method: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, before the log gives it a sequence number."""

    type: EventType
    subject_kind: str
    """`organization`, `token`, `user` or `team`."""
    subject_id: str | None
    subject_name: str | None = None
    """What people call the subject, as it was then."""
    change: Mapping[str, Any] | None = None
    """What changed: `attributes` (path → before, after), `members` (added, removed), `origin`, or `request`."""
    document: Document | None = None
    """The SCIM document afterwards, without members."""
    status: int | None = None
    """HTTP status of a refused write."""
    scim_type: str | None = None
    detail: str | None = None


CHAINED = (
    *("org_id", "log_epoch", "seq", "id", "type", "at", "subject_kind", "subject_id", "subject_name"),
    *("actor", "idp", "request_id", "method", "path", "status", "scim_type", "detail", "change", "document"),
)
"""The fields under the hash, in order; `change` and `document` are JSON texts."""


def chain_hash(previous: str, row: Mapping[str, Any]) -> str:
    """Return the hash (SHA-256, hexadecimal) of an event's row, given the hash of the event before it."""
    body = orjson.dumps([row[name] for name in CHAINED])
    return hashlib.sha256(previous.encode() + b"\n" + body).hexdigest()


def first_break(previous: str, first_seq: int, rows: Iterable[Mapping[str, Any]]) -> str | None:
    """Return a sentence on the first row that does not continue the chain, or None when all do.

    Args:
        previous: hash of the event before the first row (`GENESIS` at the start of the log).
        first_seq: sequence number that the first row must have.
        rows: rows of one organization in order of `seq`, with `prev_hash` and `hash`.
    """
    for seq, row in enumerate(rows, first_seq):
        if row["seq"] != seq:
            return f"event {seq} is missing (found {row['seq']})"
        if row["prev_hash"] != previous:
            return f"event {seq} does not follow event {seq - 1}"
        if row["hash"] != chain_hash(previous, row):
            return f"event {seq} was changed after it was written"
        previous = row["hash"]
    return None


def flatten(document: Document) -> dict[str, Any]:
    """Return a document's attributes by name; those of an extension as `URN:attribute`."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if name in ("schemas", "id", "meta"):
            continue
        if ":" in name and isinstance(value, Mapping):
            flat |= {f"{name}:{inner}": held for inner, held in value.items()}
        else:
            flat[name] = value
    return flat


def describe(before: Document | None, after: Document) -> dict[str, dict[str, Any]]:
    """Return what differs: attribute → `{"before": …, "after": …}`, None where unassigned."""
    old, new = flatten(before or {}), flatten(after)
    return {
        name: {"before": old.get(name), "after": new.get(name)}
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }
