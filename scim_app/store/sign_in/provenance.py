"""Who wrote what people are recognized by when they sign in: an admin, or a program by a token or a key."""

from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_app.directory.events import EventType
from scim_app.directory.names import address_key
from scim_app.store.db.tables import events, organizations, tokens
from scim_app.store.log.actors import KEY

RECOGNIZING = ("userName", "emails", "externalId")
"""The attributes that a sign-in is compared with."""

_TYPES = [one.value for one in EventType if one.value.startswith("user.")]


@dataclass(frozen=True, slots=True)
class Writing:
    """One change of an attribute, as the log has it."""

    attribute: str
    value: Any
    created: bool
    """Whether the account was made with this value."""
    by_hand: bool
    """Whether an admin or the operator wrote it, and no program."""

    @property
    def key(self) -> Any:
        """The value as addresses of a sign-in compare."""
        return address_key(self.value) if isinstance(self.value, str) else self.value


@dataclass(frozen=True, slots=True)
class Provenance:
    """Every value that a user was recognized by, the first one first."""

    writings: list[Writing]

    def by_hand(self, *attributes: str) -> bool:
        """Tell whether each of these attributes that ever had a value has the one that was last written by hand."""
        last = {one.attribute: one.key for one in self.writings if one.attribute in attributes}
        chosen = {one.attribute: one.key for one in self.writings if one.attribute in attributes and one.by_hand}
        return bool(last) and last == chosen

    @property
    def own_id(self) -> bool:
        """Whether `externalId` is what the account was made with, or was written by hand."""
        last = next((one for one in reversed(self.writings) if one.attribute == "externalId"), None)
        return last is not None and (last.created or last.by_hand)

    @property
    def addresses(self) -> set[str]:
        """Every user name and e-mail address that the user ever had."""
        names = {one.value for one in self.writings if one.attribute == "userName"}
        lists = [one.value for one in self.writings if one.attribute == "emails"]
        values = {email.get("value") for found in lists if isinstance(found, list) for email in found}
        return {one for one in names | values if isinstance(one, str)}


def of_user(connection: sa.Connection, org_id: str, user_id: str) -> Provenance:
    """Return who wrote what a user is recognized by, from the event log."""
    slug = connection.execute(sa.select(organizations.c.slug).where(organizations.c.id == org_id)).scalar_one()
    of_token = sa.exists().where(tokens.c.org_id == org_id, tokens.c.id == events.c.actor)
    query = (
        sa.select(events.c.type, events.c.actor, events.c.path, events.c.change, of_token.label("of_token"))
        .where(events.c.org_id == org_id, events.c.subject_id == user_id, events.c.type.in_(_TYPES))
        .order_by(events.c.seq)
    )
    writings: list[Writing] = []
    for kind, actor, path, change, is_token in connection.execute(query):
        told = orjson.loads(change) if change else {}
        created = kind == EventType.USER_CREATED
        program = is_token or actor.startswith(KEY)
        by_hand = not program and (_on_our_pages(slug, actor, path) or (created and told.get("origin") == "local"))
        attributes = told.get("attributes") or {}
        writings += [
            Writing(name, attributes[name]["after"], created, by_hand) for name in RECOGNIZING if name in attributes
        ]
    return Provenance(writings)


def _on_our_pages(slug: str, actor: str, path: str | None) -> bool:
    if path is None:
        return actor == "cli"
    return path.startswith((f"/{slug}/settings/", f"/{slug}/api/"))
