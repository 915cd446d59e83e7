"""The columns of what leaves the store: names, types and what they say, once for warehouse, assets and docs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scim_app.directory import failures
from scim_app.directory.events import SUBJECT_KINDS
from scim_app.directory.kinds import TEAM, USER, Kind, path_keys
from scim_app.directory.roles import Role
from scim_app.directory.thresholds import OF_CONTROLS, THRESHOLDS


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, what it says, and its type.

    Types are `text`, `boolean`, `integer`, `number`, `instant`, `date` and `json`.
    """

    name: str
    type: str
    description: str


THRESHOLD_COLUMNS = tuple(
    Column(name, "integer", threshold.words[0].upper() + threshold.words[1:]) for name, threshold in THRESHOLDS.items()
)
"""The numbers of an organization by which reports judge."""
CONTROL_THRESHOLDS = tuple(threshold.name for threshold in OF_CONTROLS)
"""Those of them that the control tests go by, as they are set at the end of the period."""


def _text(name: str, description: str) -> Column:
    return Column(name, "text", description)


def _instant(name: str, description: str) -> Column:
    return Column(name, "instant", description)


def _reported(kind: Kind) -> tuple[Column, ...]:
    return tuple(Column(a.column, "boolean" if a.boolean else "text", a.description) for a in kind.attributes)


def failure_told(event: Mapping[str, Any]) -> dict[str, str]:
    """Return `cause`, `meaning` and `what_to_do` of a refused write, given its event's row."""
    return asdict(failures.explain_failure(event["status"], event["scim_type"], event["detail"]))


def _json_paths(kind: Kind) -> dict[str, tuple[str, ...]]:
    plain = [attribute for attribute in kind.attributes if attribute.rule is None]
    return {attribute.column: path_keys(attribute.path) for attribute in plain}


USER_PATHS = _json_paths(USER)
"""Reported columns of a user with the keys that lead to their value in the document, where no rule is needed."""
TEAM_PATHS = _json_paths(TEAM)
"""The same of a team."""


ROLES = tuple(role.value for role in Role)
"""Every role, the most permissive first."""
PRIVILEGED_ROLES = tuple(role.value for role in Role if role.privileged)
"""Roles that give access to others."""

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
    _text("origin", "Whether the identity provider put the member there (`scim`) or a person did (`manual`)"),
)

_SCOPE = (
    _text("scope_kind", "`organization`, `deployment`, `code_location` or `all_branch_deployments`"),
    _text("scope_id", "Id of the deployment or code location"),
    _text("scope_name", "What people call the scope"),
)

ROLE_GRANT_COLUMNS = (
    _text("grant_id", "Id of the grant"),
    _text("holder_kind", "`user` or `team`"),
    _text("holder_id", "Id of the user or team that holds the role"),
    _text("holder_name", "Name of the user or team"),
    _text("role", "`organization_admin`, `admin`, `editor`, `launcher` or `viewer`"),
    *_SCOPE,
    _instant("granted_at", "When it was granted (UTC)"),
    _text(
        "granted_by", "Who granted it: a user's id, `key` with an API key's, `cli`, or the kind of a session of no user"
    ),
    _text("reason", "Why it was granted"),
)

EFFECTIVE_ACCESS_COLUMNS = (
    _text("user_id", "Id of an active account"),
    _text("user_name", "Name the account signs in with"),
    *_SCOPE,
    _text("role", "Most permissive role there; a scope has a row where it gives more than the wider ones"),
    _text("source", "What gives the role: `default`, the `user`'s own grant, or a `team`'s"),
    _text("source_id", "Id of that user or team"),
    _text("source_name", "Name of that user or team"),
    Column("privileged", "boolean", "Whether the role gives access to others"),
)

TOKEN_COLUMNS = (
    _text("token_id", "Id of the token"),
    _text("description", "What it is for"),
    _text("idp", "Identity provider that uses it"),
    _instant("created_at", "When it was made (UTC)"),
    _text("created_by", "Who made it"),
    _instant("expires_at", "Until when it is valid (UTC)"),
    _instant("revoked_at", "When it was revoked (UTC)"),
    _instant("last_used_at", "When it was last used (UTC), to the minute"),
)

EVENT_COLUMNS = (
    _text("org_id", "Id of the organization"),
    _text("log_epoch", "Life of the log; a restored store begins a new one"),
    Column("seq", "integer", "Number of the event in its organization: gapless, in commit order"),
    _text("id", "Id of the event"),
    _text("type", "What happened, `noun.past_tense`"),
    _instant("occurred_at", "When it happened (UTC)"),
    _text("subject_kind", ", ".join(f"`{kind}`" for kind in SUBJECT_KINDS)),
    _text("subject_id", "Id of what it happened to"),
    _text("subject_name", "What people called it then"),
    _text("actor", "Who did it: the id of a token, an API key or a user, or `cli`"),
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
"""The columns of an event as the store has it."""

ASKED_TO_LEAVE = Column(
    "asked_to_leave", "boolean", "Whether a refused write to a user asked for the end of its access"
)
"""What is read from a refused write when it is exported."""
