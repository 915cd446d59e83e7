"""Replaying the event log: the state of an organization at any past event, from the log alone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scim_app.directory import thresholds
from scim_app.directory.events import EventType
from scim_app.directory.kinds import Document, is_active
from scim_app.directory.roles import Grant, Role, Scope, ScopeKind

Row = Mapping[str, Any]

FIRST_SETTINGS: Mapping[str, Any] = {
    "scim_enabled": True,
    "default_role": Role.VIEWER.value,
    "seat_limit": None,
    "user_name_policy": "flag",
    **thresholds.DEFAULTS,
}
"""What a new organization is set to."""


@dataclass(slots=True)
class Record:
    """A user or a team as the log tells it. Times are ISO 8601 in UTC."""

    document: Document
    origin: str
    idp: str | None
    created_at: str
    updated_at: str
    deactivated_at: str | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """Since when a member is in a team, and who put it there: `scim` or `manual`."""

    since: str
    origin: str = "scim"


@dataclass(slots=True)
class State:
    """An organization after some events: everything by id."""

    seq: int = 0
    users: dict[str, Record] = field(default_factory=dict[str, Record])
    teams: dict[str, Record] = field(default_factory=dict[str, Record])
    members: dict[str, dict[str, Membership]] = field(default_factory=dict[str, dict[str, Membership]])
    """Team id → member id → membership."""
    owners: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Team id → user id → owner since when."""
    grants: dict[str, Grant] = field(default_factory=dict[str, Grant])
    deployments: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Deployment id → `name`, `kind`."""
    code_locations: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Code location id → `name`, `deployment_id`."""
    settings: dict[str, Any] = field(default_factory=lambda: dict(FIRST_SETTINGS))


def replay(events: Iterable[Row], state: State | None = None) -> State:
    """Return the state after the events, applied in order to `state` (empty at first).

    Args:
        events: rows of the log with `seq`, `type`, `at`, `subject_kind`, `subject_id`, `actor`, `idp`,
            and `change` and `document` as JSON values.
        state: the state before them; it is changed in place.
    """
    state = state or State()
    for event in events:
        if event["type"] in _FOLDS:
            _FOLDS[event["type"]](state, event)
        state.seq = event["seq"]
    return state


def _save(state: State, event: Row) -> None:
    records = state.users if event["subject_kind"] == "user" else state.teams
    subject, change = event["subject_id"], event["change"] or {}
    known = records.get(subject)
    active = is_active(event["document"])
    records[subject] = Record(
        document=event["document"],
        origin=change.get("origin") or (known.origin if known else "scim"),
        idp=event["idp"] or (known.idp if known else None),
        created_at=known.created_at if known else change.get("created_at", event["at"]),
        updated_at=event["at"],
        deactivated_at=None if active else ((known.deactivated_at if known else None) or event["at"]),
    )
    if event["subject_kind"] == "team":
        _change_members(state.members.setdefault(subject, {}), change.get("members") or {}, event["at"])


def _change_members(members: dict[str, Membership], delta: Mapping[str, Any], at: str) -> None:
    for member in delta.get("removed", ()):
        members.pop(member, None)
    origin = delta.get("origin", "scim")
    for member in delta.get("added", ()):
        members[member] = Membership(at, origin)
    for member in delta.get("kept", ()):
        members[member] = Membership(members[member].since, origin)


def _delete(state: State, event: Row) -> None:
    subject = event["subject_id"]
    for records in (state.users, state.teams, state.members, state.owners):
        records.pop(subject, None)
    for people in (*state.members.values(), *state.owners.values()):
        people.pop(subject, None)


def _add_owner(state: State, event: Row) -> None:
    state.owners.setdefault(event["subject_id"], {})[event["change"]["owner"]["user_id"]] = event["at"]


def _remove_owner(state: State, event: Row) -> None:
    state.owners.get(event["subject_id"], {}).pop(event["change"]["owner"]["user_id"], None)


def _grant(state: State, event: Row) -> None:
    told = event["change"]["grant"]
    state.grants[told["grant_id"]] = Grant(
        grant_id=told["grant_id"],
        holder_kind=told["holder_kind"],
        holder_id=told["holder_id"],
        role=Role(told["role"]),
        scope=Scope(ScopeKind(told["scope_kind"]), told["scope_id"]),
        granted_at=event["at"],
        granted_by=event["actor"],
        reason=told.get("reason"),
    )


def _set(state: State, event: Row) -> None:
    attributes = (event["change"] or {}).get("attributes") or {}
    state.settings |= {name: told["after"] for name, told in attributes.items()}


def _switch(*, on: bool) -> Callable[[State, Row], None]:
    return lambda state, _event: state.settings.update(scim_enabled=on)


def _keep(kind: str) -> Callable[[State, Row], None]:
    return lambda state, event: getattr(state, f"{kind}s").update({event["subject_id"]: event["change"][kind]})


def _drop(kind: str) -> Callable[[State, Row], None]:
    return lambda state, event: getattr(state, f"{kind}s").pop(event["subject_id"], None)


_FOLDS: dict[str, Callable[[State, Row], None]] = {
    **{kind: _save for kind in EventType if kind.startswith(("user.", "team."))},
    EventType.USER_DELETED: _delete,
    EventType.TEAM_DELETED: _delete,
    EventType.TEAM_OWNER_ADDED: _add_owner,
    EventType.TEAM_OWNER_REMOVED: _remove_owner,
    EventType.ROLE_GRANTED: _grant,
    EventType.ROLE_REVOKED: _drop("grant"),
    EventType.DEPLOYMENT_ADDED: _keep("deployment"),
    EventType.DEPLOYMENT_REMOVED: _drop("deployment"),
    EventType.CODE_LOCATION_ADDED: _keep("code_location"),
    EventType.CODE_LOCATION_REMOVED: _drop("code_location"),
    EventType.ORGANIZATION_CREATED: _set,
    EventType.SETTINGS_CHANGED: _set,
    EventType.SCIM_ENABLED: _switch(on=True),
    EventType.SCIM_DISABLED: _switch(on=False),
}
"""How each event changes the state; one that is not here changes nothing of it."""
