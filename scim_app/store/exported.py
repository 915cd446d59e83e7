"""The columns of what leaves the store: names, types and what they say, once for warehouse, assets and docs."""

from dataclasses import dataclass
from typing import Any

from scim_app.directory.kinds import TEAM, USER, Document, Kind


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type (`text`, `boolean`, `integer`, `instant`, `date` or `json`) and what it says."""

    name: str
    type: str
    description: str


def _text(name: str, description: str) -> Column:
    return Column(name, "text", description)


def _instant(name: str, description: str) -> Column:
    return Column(name, "instant", description)


def _reported(kind: Kind) -> tuple[Column, ...]:
    return tuple(Column(a.column, "boolean" if a.boolean else "text", a.description) for a in kind.attributes)


def reported_user(document: Document) -> dict[str, Any]:
    """Return the reported attributes of a user's SCIM document, keyed by column."""
    return USER.columns(document)


_KEPT = (
    _text("origin", "Whether the identity provider manages it (`scim`) or it exists only here (`local`)"),
    _text("idp", "Identity provider that wrote it last"),
    _instant("created_at", "When it was provisioned (UTC)"),
    _instant("updated_at", "When it last changed (UTC)"),
)

USER_COLUMNS = (
    _text("user_id", "Id of the user"),
    *_reported(USER),
    *_KEPT,
    _text("sign_in_address", "E-mail address that the account signs in with"),
    _instant("deactivated_at", "Since when the account is inactive (UTC)"),
)

TEAM_COLUMNS = (_text("team_id", "Id of the team"), *_reported(TEAM), *_KEPT)

TEAM_MEMBER_COLUMNS = (
    _text("team_id", "Id of the team"),
    _text("user_id", "Id of the member"),
    _instant("since", "When the member joined the team (UTC)"),
    Column("pending", "boolean", "Whether the member isn't provisioned yet"),
)

EVENT_COLUMNS = (
    _text("org_id", "Id of the organization"),
    _text("log_epoch", "Life of the log; a restored store begins a new one"),
    Column("seq", "integer", "Number of the event in its organization: gapless, in commit order"),
    _text("id", "Id of the event"),
    _text("type", "What happened, `noun.past_tense`"),
    _instant("occurred_at", "When it happened (UTC)"),
    _text("subject_kind", "`organization`, `token`, `user` or `team`"),
    _text("subject_id", "Id of what it happened to"),
    _text("subject_name", "What people called it then"),
    _text("actor", "Who did it: a token's id, or `cli`"),
    _text("idp", "Identity provider behind the token"),
    _text("request_id", "Request that did it"),
    _text("method", "HTTP method"),
    _text("path", "Path of the request, below the organization"),
    Column("status", "integer", "HTTP status of a refused write"),
    _text("scim_type", "SCIM error type of a refused write"),
    _text("detail", "Why a write was refused"),
    Column("change", "json", "What changed: attributes before and after, members added and removed"),
    Column("document", "json", "The SCIM document afterwards, without members"),
    _text("prev_hash", "Hash of the event before"),
    _text("hash", "SHA-256 over this event and the hash before"),
)
