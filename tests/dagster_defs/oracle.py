"""Who joined, moved and left, event by event in plain Python: what the warehouse's SQL is compared with."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scim_app.directory.kinds import USER

Row = dict[str, Any]

JOINER, MOVER, LEAVER = "joiner", "mover", "leaver"

_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
JOB_ATTRIBUTES = {
    "title": "title",
    "userType": "user type",
    f"{_ENTERPRISE}:department": "department",
    f"{_ENTERPRISE}:division": "division",
    f"{_ENTERPRISE}:costCenter": "cost center",
    f"{_ENTERPRISE}:manager": "manager",
}
"""Attributes whose change makes a mover, with the words for them."""


@dataclass(slots=True)
class _Directory:
    """What is known after some events: users' reported attributes, teams' names, who is in which team."""

    users: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    teams: dict[str, str] = field(default_factory=dict[str, str])
    members: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def teams_of(self, user_id: str) -> list[str]:
        return sorted(self.teams[team] for team, members in self.members.items() if user_id in members)

    def is_active(self, user_id: str) -> bool:
        return user_id in self.users and self.users[user_id]["active"]


def access_changes(events: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Yield the changes of access in one organization's log, in order.

    A joiner gains access (`created`, `reactivated`), a leaver loses it (`deactivated`, `deleted`), a mover
    changes team or job (`joined_team`, `left_team`, `changed_job`).

    Args:
        events: rows in order of `seq` from the first on, `change` and `document` as values.

    Yields:
        `seq`, `event_id`, `occurred_at`, `change`, `how`, `user_id`, `user_name`, `display_name`, `email`,
        `department`, `teams` (names: those a leaver lost, else those had afterwards), `detail`, `actor`, `idp`.
    """
    directory = _Directory()
    for event in events:
        kind, refused = event["subject_kind"], event["type"] == "write.rejected"
        if kind == "user" and not refused:
            yield from _user_changes(directory, event)
        elif kind == "team" and not refused:
            yield from _team_changes(directory, event)


def _user_changes(directory: _Directory, event: Mapping[str, Any]) -> Iterator[Row]:
    user_id, deleted = event["subject_id"], event["type"] == "user.deleted"
    was_active, was_known = directory.is_active(user_id), user_id in directory.users
    person = None if deleted else USER.columns(event["document"])
    is_active = person is not None and person["active"]
    if was_active and not is_active:
        yield _row(directory, event, user_id, LEAVER, "deleted" if deleted else "deactivated")
    if person is None:
        directory.users.pop(user_id, None)
        for members in directory.members.values():
            members.discard(user_id)
        return
    directory.users[user_id] = person
    if is_active and not was_active:
        how = "restored" if event["type"] == "user.restored" else "created"
        yield _row(directory, event, user_id, JOINER, "reactivated" if was_known else how)
    elif is_active and (detail := _job_change(event)):
        yield _row(directory, event, user_id, MOVER, "changed_job", detail)


def _team_changes(directory: _Directory, event: Mapping[str, Any]) -> Iterator[Row]:
    team_id, deleted = event["subject_id"], event["type"] == "team.deleted"
    held = directory.members.setdefault(team_id, set())
    delta = (event["change"] or {}).get("members") or {}
    added, removed = set(delta.get("added", ())) - held, set(delta.get("removed", ())) & held
    name = directory.teams.get(team_id, "") if deleted else event["document"].get("displayName", "")
    if deleted:
        removed = directory.members.pop(team_id)
        directory.teams.pop(team_id, None)
    else:
        directory.teams[team_id] = name
        directory.members[team_id] = (held | added) - removed
    for user_id, how in [*((m, "left_team") for m in sorted(removed)), *((m, "joined_team") for m in sorted(added))]:
        if directory.is_active(user_id):
            yield _row(directory, event, user_id, MOVER, how, name)


def _row(
    directory: _Directory, event: Mapping[str, Any], user_id: str, change: str, how: str, detail: str | None = None
) -> Row:
    person = directory.users[user_id]
    return {
        **{name: event[name] for name in ("seq", "occurred_at", "actor", "idp")},
        "event_id": event["id"],
        "change": change,
        "how": how,
        "user_id": user_id,
        **{name: person[name] for name in ("user_name", "display_name", "email", "department")},
        "teams": ", ".join(directory.teams_of(user_id)),
        "detail": detail,
    }


def _job_change(event: Mapping[str, Any]) -> str | None:
    """Return what changed in a person's job in words, None when nothing did."""
    attributes = (event["change"] or {}).get("attributes") or {}
    said = [
        f"{words}: {_told(attributes[path]['before'])} → {_told(attributes[path]['after'])}"
        for path, words in JOB_ATTRIBUTES.items()
        if path in attributes
    ]
    return "; ".join(said) or None


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("displayName") or value.get("value")
    return "none" if value in (None, "") else str(value)


def deprovisioned(changes: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the leaver rows of those who have not come back, by their id, in order of `seq`."""
    last: dict[str, Row] = {}
    for change in changes:
        if change["change"] == LEAVER:
            last[change["user_id"]] = dict(change)
        elif change["change"] == JOINER:
            last.pop(change["user_id"], None)
    return sorted(last.values(), key=lambda row: row["seq"])
