"""Events in the words of the pages: a sentence, a tone, and what changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_app.directory.events import EventType
from scim_app.directory.failures import explain_failure
from scim_app.directory.providers import IdentityProvider
from scim_app.store.log import actors

IDPS = {one.value: one.label for one in IdentityProvider}
"""Identity providers by the name that a token has, in the words of the pages."""

_TITLES = {
    EventType.ORGANIZATION_CREATED: "Organization set up",
    EventType.SCIM_ENABLED: "SCIM provisioning enabled",
    EventType.SCIM_DISABLED: "SCIM provisioning disabled",
    EventType.SETTINGS_CHANGED: "Settings changed",
    EventType.WRITE_REJECTED: "Push refused",
    EventType.SIGN_IN_REFUSED: "Sign-in refused",
    EventType.SESSION_STARTED: "Signed in",
    EventType.SESSION_ENDED: "Session ended",
    EventType.SETUP_LINK_CREATED: "Setup link printed",
    EventType.IDENTITY_REQUESTED: "First sign-in waits for a confirmation",
    EventType.IDENTITY_DECLINED: "First sign-in declined",
    EventType.IDENTITY_BOUND: "Signed in for the first time",
    EventType.IDENTITY_FORGOTTEN: "Sign-in forgotten",
    EventType.API_KEY_CREATED: "API key created",
    EventType.API_KEY_REVOKED: "API key revoked",
}
_GOOD = ("created", "reactivated", "restored", "linked", "enabled", "granted", "added", "bound")
_BAD = (
    "deactivated",
    "deleted",
    "rejected",
    "refused",
    "orphaned",
    "revoked",
    "removed",
    "disabled",
    "forgotten",
    "declined",
)
_PAGES = {"user": "users", "identity": "users", "team": "teams", "team_owner": "teams"}


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as a page shows it."""

    row: Mapping[str, Any]
    title: str
    extra: str
    tone: str
    """`green`, `red` or empty."""
    attributes: Mapping[str, Any]
    """Attribute → before and after."""
    subject_link: str
    """Path below the settings, empty where the subject has no page."""
    by: str
    """What people call the actor."""

    def __getattr__(self, name: str) -> Any:
        if name not in self.row:
            raise AttributeError(name)
        return self.row[name]


def told(db: sa.Connection, org_id: str, rows: Sequence[Mapping[str, Any]]) -> list[Happening]:
    """Return events of the log in the words of the pages."""
    names = actors.names(db, org_id, (row["actor"] for row in rows))
    return [_told(row, names.get(row["actor"]) or actor_name(row["actor"])) for row in rows]


def _told(row: Mapping[str, Any], by: str) -> Happening:
    change = orjson.loads(row["change"]) if row["change"] else {}
    page = _PAGES.get(row["subject_kind"]) if row["subject_id"] else None
    return Happening(
        row=row,
        title=title_of(row["type"]),
        extra=_extra(row, change),
        tone=_tone(row["type"]),
        attributes=change.get("attributes") or {},
        subject_link=f"{page}/{row['subject_id']}" if page else "",
        by=by,
    )


def title_of(event_type: str) -> str:
    """Return what an event type is called."""
    try:
        return _TITLES[EventType(event_type)]
    except (KeyError, ValueError):
        noun, _, verb = event_type.partition(".")
        return f"{noun} {verb}".replace("_", " ").replace("api", "API").capitalize()


def types_by_group() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the event types with their titles, grouped by what they are about."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in EventType:
        groups.setdefault(one.value.partition(".")[0].replace("_", " ").capitalize(), []).append((one, title_of(one)))
    return sorted(groups.items())


def idp_name(idp: str | None) -> str:
    """Return what people call an identity provider."""
    return IDPS.get(idp, idp) if idp else "the identity provider"


def actor_name(actor: str) -> str:
    """Return what people call an actor of the log: a token by its id, a person by name."""
    if actor == "cli":
        return "command line"
    return f"token {actor}" if len(actor) == 12 and actor.isalnum() else actor


def attribute_name(name: str) -> str:
    """Return an attribute's name without the address of its schema."""
    return name.rsplit(":", 1)[-1]


def _tone(event_type: str) -> str:
    verb = event_type.rpartition(".")[2]
    return "green" if verb in _GOOD else "red" if verb in _BAD else ""


def _extra(row: Mapping[str, Any], change: Mapping[str, Any]) -> str:
    if row["type"] == EventType.WRITE_REJECTED:
        return explain_failure(row["status"], row["scim_type"], row["detail"]).meaning
    if "grant" in change:
        grant = change["grant"]
        return f"{str(grant['role']).replace('_', ' ').title()} on {str(grant['scope_kind']).replace('_', ' ')}"
    members = change.get("members") or {}
    parts = [f"{len(members[verb]):,} {verb}" for verb in ("added", "removed", "kept") if members.get(verb)]
    return f"members: {', '.join(parts)}" if parts else ""
