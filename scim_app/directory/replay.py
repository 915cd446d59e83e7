"""Replaying the event log: the state of an organization at any past event, from the log alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scim_app.directory.events import EventType
from scim_app.directory.kinds import Document, is_active


@dataclass(slots=True)
class Record:
    """A user or a team as the log tells it. Times are ISO 8601 in UTC."""

    document: Document
    origin: str
    idp: str | None
    created_at: str
    updated_at: str
    deactivated_at: str | None = None


@dataclass(slots=True)
class State:
    """An organization after some events: users and teams by id, and when each member joined each team."""

    seq: int = 0
    users: dict[str, Record] = field(default_factory=dict[str, Record])
    teams: dict[str, Record] = field(default_factory=dict[str, Record])
    members: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Team id → member id → since when."""


def replay(events: Iterable[Mapping[str, Any]], state: State | None = None) -> State:
    """Return the state after the events, applied in order to `state` (empty at first).

    Args:
        events: rows of the log with `seq`, `type`, `at`, `subject_kind`, `subject_id`, `idp`,
            and `change` and `document` as JSON values.
        state: the state before them; it is changed in place.
    """
    state = state or State()
    for event in events:
        if event["subject_kind"] in ("user", "team") and event["type"] != EventType.WRITE_REJECTED:
            _apply(state, event)
        state.seq = event["seq"]
    return state


def _apply(state: State, event: Mapping[str, Any]) -> None:
    records = state.users if event["subject_kind"] == "user" else state.teams
    subject = event["subject_id"]
    if event["type"] in (EventType.USER_DELETED, EventType.TEAM_DELETED):
        records.pop(subject, None)
        state.members.pop(subject, None)
        for members in state.members.values():
            members.pop(subject, None)
        return
    change = event["change"] or {}
    known = records.get(subject)
    active = is_active(event["document"])
    records[subject] = Record(
        document=event["document"],
        origin=change.get("origin") or (known.origin if known else "scim"),
        idp=event["idp"] or (known.idp if known else None),
        created_at=known.created_at if known else event["at"],
        updated_at=event["at"],
        deactivated_at=None if active else ((known.deactivated_at if known else None) or event["at"]),
    )
    if event["subject_kind"] == "team":
        members = state.members.setdefault(subject, {})
        delta = change.get("members") or {}
        for member in delta.get("removed", ()):
            members.pop(member, None)
        for member in delta.get("added", ()):
            members[member] = event["at"]
