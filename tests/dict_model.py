"""What a SCIM directory must do, as plain dictionaries: written apart from the store that it is compared with."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Attributes = dict[str, Any]


def folded(text: str) -> str:
    """A name as names are compared: neither width nor case makes a difference."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@dataclass
class Record:
    """A user or a group: what the client gave it, its version, and a group's members."""

    attributes: Attributes
    version: int = 1
    members: set[str] = field(default_factory=set[str])


@dataclass(frozen=True)
class Outcome:
    """What a request must come to: a status and the record that it is about."""

    status: int
    label: str | None = None


class Directory:
    """An organization. Records go by labels; a label that was never given out stands for an unknown id."""

    def __init__(self) -> None:
        self.users: dict[str, Record] = {}
        self.groups: dict[str, Record] = {}
        self._given = 0

    def label(self, prefix: str) -> str:
        """A new label."""
        self._given += 1
        return f"{prefix}{self._given}"

    def holder(self, records: dict[str, Record], unique: str, attributes: Attributes, but: str = "") -> str | None:
        """The record that has this name, else the one that has this `externalId`."""
        name, external = attributes.get(unique), attributes.get("externalId")
        for label, held in records.items():
            if name is not None and label != but and folded(held.attributes[unique]) == folded(name):
                return label
        for label, held in records.items():
            if external and label != but and held.attributes.get("externalId") == external:
                return label
        return None

    def post_user(self, attributes: Attributes) -> Outcome:
        """Create a user; one that left is the same person again."""
        found = self.holder(self.users, "userName", attributes)
        if found is None:
            label = self.label("u")
            self.users[label] = Record(dict(attributes))
            return Outcome(201, label)
        if self.users[found].attributes["active"]:
            return Outcome(409)
        if self.holder(self.users, "userName", attributes, found) is not None:
            return Outcome(409)
        self._become(self.users[found], dict(attributes))
        return Outcome(201, found)

    def change_user(self, label: str, version: int | None, edit: Callable[[Attributes], Attributes]) -> Outcome:
        """Replace or patch a user, on condition that it has a version."""
        record = self.users.get(label)
        told_to_leave = edit({"active": True}).get("active") is False
        if (refused := _condition(record, version)) or record is None:
            return self._leave(record, refused) if told_to_leave else refused
        before, after = record.attributes, edit(dict(record.attributes))
        for name in ("userName", "externalId"):
            if after.get(name) == before.get(name) or after.get(name) is None:
                continue
            if self.holder(self.users, "userName", {name: after[name]}, label) is None:
                continue
            if not told_to_leave:
                return Outcome(409)
            after.pop(name)
            if name in before:
                after[name] = before[name]
        self._become(record, after)
        return Outcome(200, label)

    def post_group(self, attributes: Attributes, members: Iterable[str]) -> Outcome:
        """Create a group."""
        if self.holder(self.groups, "displayName", attributes) is not None:
            return Outcome(409)
        label = self.label("g")
        self.groups[label] = Record(dict(attributes), members=set(members))
        return Outcome(201, label)

    def change_group(
        self,
        label: str,
        version: int | None,
        edit: Callable[[Attributes], Attributes],
        members: Callable[[set[str]], set[str]],
    ) -> Outcome:
        """Replace or patch a group, on condition that it has a version."""
        record = self.groups.get(label)
        if (refused := _condition(record, version)) or record is None:
            return refused
        after = edit(dict(record.attributes))
        if after != record.attributes and self.holder(self.groups, "displayName", after, label) is not None:
            return Outcome(409)
        self._become(record, after, members(set(record.members)))
        return Outcome(200, label)

    def delete(self, records: dict[str, Record], label: str, version: int | None) -> Outcome:
        """Remove a user or a group; it leaves every group."""
        if refused := _condition(records.get(label), version):
            return self._leave(self.users.get(label), refused) if records is self.users else refused
        del records[label]
        for group in self.groups.values():
            if label in group.members:
                group.members.discard(label)
                group.version += 1
        return Outcome(204)

    def shown_user(self, label: str) -> tuple[Any, ...]:
        """A user as a client must see it."""
        record = self.users[label]
        groups = {name for name, group in self.groups.items() if label in group.members}
        return (record.attributes, groups, record.version)

    def shown_group(self, label: str) -> tuple[Any, ...]:
        """A group as a client must see it."""
        record = self.groups[label]
        return (record.attributes, record.members, record.version)

    def _leave(self, record: Record | None, refused: Outcome | None) -> Outcome | None:
        """Whoever is told to leave leaves, though the request is refused."""
        if record is not None:
            self._become(record, record.attributes | {"active": False})
        return refused

    @staticmethod
    def _become(record: Record, attributes: Attributes, members: set[str] | None = None) -> None:
        members = record.members if members is None else members
        if (attributes, members) != (record.attributes, record.members):
            record.attributes, record.members = attributes, members
            record.version += 1


def _condition(record: Record | None, version: int | None) -> Outcome | None:
    if record is None:
        return Outcome(404)
    return Outcome(412) if version is not None and version != record.version else None


def changed(members: set[str], op: str, named: set[str]) -> set[str]:
    """A set of members after `add`, `remove`, `replace` or `clear`."""
    changes = {"add": members | named, "remove": members - named, "replace": named, "clear": set[str]()}
    return changes[op]


def given(**attributes: Any) -> Attributes:
    """The attributes that have a value."""
    return {name: value for name, value in attributes.items() if value is not None}


def replacing(attributes: Attributes) -> Callable[[Attributes], Attributes]:
    """The edit of a PUT: what it leaves out is cleared, `active` stays."""
    return lambda before: {"active": before.get("active", True), **attributes}
