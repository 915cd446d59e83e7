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
from scim_app.directory.reach import NOTHING, Authority

GENESIS = "0" * 64
"""Hash before the first event of an organization."""


class EventType(StrEnum):
    """What happened: `noun.past_tense`."""

    ORGANIZATION_CREATED = "organization.created"
    """An organization was set up."""
    ORGANIZATION_ORPHANED = "organization.orphaned"
    """The last Organization Admin lost access through the identity provider; only break-glass signs in."""
    SETTINGS_CHANGED = "settings.changed"
    """Settings of the organization changed."""
    SCIM_ENABLED = "scim.enabled"
    """SCIM provisioning was switched on."""
    SCIM_DISABLED = "scim.disabled"
    """SCIM provisioning was switched off; users and teams stayed as they were."""
    BREAK_GLASS_ENABLED = "break_glass.enabled"
    """The emergency account was switched on, or got a new password."""
    BREAK_GLASS_DISABLED = "break_glass.disabled"
    """The emergency account was switched off."""
    LOG_RESTORED = "log.restored"
    """The store was restored from a backup; a new epoch of the log begins with this event."""
    TOKEN_CREATED = "token.created"  # noqa: S105
    """A SCIM token was made."""
    TOKEN_DESCRIBED = "token.described"  # noqa: S105
    """A SCIM token's description changed."""
    TOKEN_ROTATED = "token.rotated"  # noqa: S105
    """A SCIM token was replaced by another; both are valid until the overlap ends."""
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    """A SCIM token was revoked."""
    API_KEY_CREATED = "api_key.created"
    """A key of the API was made."""
    API_KEY_REVOKED = "api_key.revoked"
    """A key of the API was revoked."""
    SESSION_STARTED = "session.started"
    """A person signed in."""
    SESSION_ENDED = "session.ended"
    """A person signed out, or was signed out."""
    SIGN_IN_REFUSED = "sign_in.refused"
    """Somebody tried to sign in and was refused."""
    SETUP_LINK_CREATED = "setup_link.created"
    """The operator printed a link that signs a user in once as an Organization Admin."""
    IDENTITY_REQUESTED = "identity.requested"
    """A person signed in who seems to be a user with a privileged role; it waits until an admin says so."""
    IDENTITY_DECLINED = "identity.declined"
    """An admin said that a person who signed in is not this user."""
    IDENTITY_BOUND = "identity.bound"
    """A person signed in for the first time: from now on the provider's own id of it is the user."""
    IDENTITY_FORGOTTEN = "identity.forgotten"
    """How a user signs in was forgotten, and its sessions ended; the next sign-in binds anew."""
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
    USER_RESTORED = "user.restored"
    """A user that had been removed came back with its id."""
    TEAM_CREATED = "team.created"
    """A team was made from a pushed group, or by hand."""
    TEAM_LINKED = "team.linked"
    """A team that existed only here was linked to a group."""
    TEAM_OFFERED = "team.offered"
    """A team was offered for linking: the next push of a group of its name or externalId links it."""
    TEAM_UNLINKED = "team.unlinked"
    """A team was cut off from its group; its members stayed."""
    TEAM_UPDATED = "team.updated"
    """A team's name, attributes or members changed."""
    TEAM_DELETED = "team.deleted"
    """A team was removed, with its members and grants."""
    TEAM_RESTORED = "team.restored"
    """A team that had been removed came back with its id, members and grants."""
    TEAM_OWNER_ADDED = "team_owner.added"
    """A user became an owner of a team: the reviewer of its members."""
    TEAM_OWNER_REMOVED = "team_owner.removed"
    """A user is no owner of a team any more."""
    ROLE_GRANTED = "role.granted"
    """A user or a team got a role."""
    ROLE_REVOKED = "role.revoked"
    """A user or a team lost a role."""
    DEPLOYMENT_ADDED = "deployment.added"
    """A deployment was added."""
    DEPLOYMENT_REMOVED = "deployment.removed"
    """A deployment was removed, with its code locations and the grants on them."""
    CODE_LOCATION_ADDED = "code_location.added"
    """A code location was added."""
    CODE_LOCATION_REMOVED = "code_location.removed"
    """A code location was removed, with the grants on it."""
    CAMPAIGN_OPENED = "campaign.opened"
    """An access review began; its population was fixed at the event before."""
    CAMPAIGN_DECIDED = "campaign.decided"
    """A reviewer decided on some accesses of a review."""
    CAMPAIGN_CLOSED = "campaign.closed"
    """An access review ended; what was revoked is being taken away."""
    EXCEPTION_CREATED = "exception.created"
    """An exception from a control was allowed."""
    EXCEPTION_ENDED = "exception.ended"
    """An exception from a control was ended."""
    WRITE_REJECTED = "write.rejected"
    """A write of the identity provider was refused: a sync failure."""


SUBJECT_KINDS = (
    *("organization", "token", "api_key", "session", "identity", "user", "team", "team_owner"),
    *("grant", "deployment", "code_location", "campaign", "exception"),
)
"""What events happen to. The subject of `team_owner` events is the team."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a user's id, a token's, `key ` and a key's, or `cli`; the identity provider, the request, the power."""

    name: str
    idp: str | None = None
    request_id: str | None = None
    method: str | None = None
    path: str | None = None
    authority: Authority = NOTHING
    """What it holds: how far its changes of users, teams and roles reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, before the log gives it a sequence number."""

    type: EventType
    subject_kind: str
    """One of `SUBJECT_KINDS`."""
    subject_id: str | None
    subject_name: str | None = None
    """What people call the subject, as it was then."""
    change: Mapping[str, Any] | None = None
    """What changed: `attributes` (path → before, after), `members` (added, removed, kept; `origin` where
    it is not `scim`), `origin`, `taken` (names that a leaver was to get and others hold), `grant`, `owner`, what a
    deployment or code location is, or the `request` refused and, of a user, whether it `asked_to_leave`."""
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
