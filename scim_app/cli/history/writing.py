"""Writes a planned history into a store: each step through the store's own writes, as of its own moment."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, groupby
from typing import Any

import sqlalchemy as sa

from scim_app.cli.history.governance import Governance
from scim_app.cli.history.steps import Does, Step
from scim_app.cli.opening import CLI
from scim_app.directory.events import Actor, Event, EventType
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials import tokens
from scim_app.store.db.stamps import written_at
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import resources

_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
CHUNK = 2000
"""Steps in one transaction."""


@dataclass(slots=True)
class Writer:
    """Knows the ids that the made-up people and teams were given."""

    organization: Organization
    pepper: bytes
    users: dict[int, str] = field(default_factory=dict[int, str])
    teams: dict[str, str] = field(default_factory=dict[str, str])
    _governance: Governance = field(init=False)
    _token: str | None = None
    _requests: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._governance = Governance(self.organization.id)

    def write(self, connection: sa.Connection, steps: Iterable[Step]) -> int:
        """Write steps in order on an open transaction and return how many."""
        done = 0
        for (at, does, _), together in groupby(steps, lambda step: (step.at, step.does, step.team)):
            group = list(together)
            with written_at(at):
                if does in (Does.PROVISION, Does.ENTER):
                    _WRITES_TOGETHER[does](self, connection, group)
                else:
                    for step in group:
                        _WRITES[does](self, connection, step)
            done += len(group)
        return done

    def unit(self, connection: sa.Connection, method: str, path: str) -> Unit:
        """Begin a write as the identity provider's token."""
        actor = Actor(name=self._token or "cli", idp="okta", request_id=f"history-{next(self._requests)}")
        return Unit.begin(connection, self.organization.id, replace(actor, method=method, path=path))

    def token(self, connection: sa.Connection, step: Step) -> None:
        """Make a token; the one before ends with it."""
        unit = Unit.begin(connection, self.organization.id, CLI)
        made, _ = tokens.create(unit, description=step.detail["description"], idp="okta", pepper=self.pepper)
        if self._token:
            tokens.note_use(connection, self._token)
            tokens.revoke(unit, self._token)
        self._token = made.id
        tokens.note_use(connection, made.id)

    def team(self, connection: sa.Connection, step: Step) -> None:
        """Push a group."""
        document = {"schemas": [_GROUP], "displayName": step.team}
        unit = self.unit(connection, "POST", "/Groups")
        self.teams[str(step.team)] = writes.create(unit, TEAM, document, MemberDelta()).id

    def provision(self, connection: sa.Connection, group: Sequence[Step]) -> None:
        """Push new people."""
        people = [step.person for step in group]
        unit = self.unit(connection, "POST", "/Users")
        ids = resources.insert_all(unit, USER, [one.document() for one in people], EventType.USER_CREATED, "scim")
        self.users |= {one.number: user_id for one, user_id in zip(people, ids, strict=True)}

    def change(self, connection: sa.Connection, step: Step) -> None:
        """Push a person's attributes, with access on or off."""
        user_id, active = self.users[step.person.number], step.does is not Does.DEACTIVATE
        document = step.person.document(active=active)
        unit = self.unit(connection, "PATCH", f"/Users/{user_id}")
        writes.update(unit, USER, user_id, lambda *_: (document, MemberDelta()))

    def delete(self, connection: sa.Connection, step: Step) -> None:
        """Delete a person."""
        user_id = self.users.pop(step.person.number)
        writes.delete(self.unit(connection, "DELETE", f"/Users/{user_id}"), USER, user_id, lambda _: None)

    def enter(self, connection: sa.Connection, group: Sequence[Step]) -> None:
        """Push new members of one team."""
        numbers = [step.person.number for step in group]
        added = [self.users[number] for number in numbers if number in self.users]
        self._members(connection, str(group[0].team), MemberDelta.add(*added))

    def leave(self, connection: sa.Connection, step: Step) -> None:
        """Push the end of a membership."""
        if step.person.number in self.users:
            self._members(connection, str(step.team), MemberDelta.remove(self.users[step.person.number]))

    def _members(self, connection: sa.Connection, team: str, delta: MemberDelta) -> None:
        team_id = self.teams[team]
        unit = self.unit(connection, "PATCH", f"/Groups/{team_id}")
        writes.update(unit, TEAM, team_id, lambda _, stored: (stored.load(), delta))

    def refuse(self, connection: sa.Connection, step: Step) -> None:
        """Push what is refused."""
        said, user_id = step.detail, self.users.get(step.person.number)
        path = "/Users" if said["method"] == "POST" else f"/Users/{user_id}"
        self.unit(connection, said["method"], path).record(
            Event(
                type=EventType.WRITE_REJECTED,
                subject_kind="user",
                subject_id=None if said["method"] == "POST" else user_id,
                subject_name=step.person.user_name,
                change={"request": said["body"]},
                status=said["status"],
                scim_type=said["scim_type"],
                detail=said["text"],
            )
        )

    def governance(self, connection: sa.Connection, step: Step) -> None:
        """Do what the organization's admins do."""
        self._governance(connection, step, self.users, self.teams)


_WRITES: dict[Does, Callable[[Writer, sa.Connection, Step], None]] = {
    Does.TOKEN: Writer.token,
    Does.TEAM: Writer.team,
    Does.CHANGE: Writer.change,
    Does.DEACTIVATE: Writer.change,
    Does.REACTIVATE: Writer.change,
    Does.DELETE: Writer.delete,
    Does.EXIT: Writer.leave,
    Does.REFUSE: Writer.refuse,
    **dict.fromkeys(Governance.WRITES, Writer.governance),
}
_WRITES_TOGETHER: dict[Does, Callable[[Writer, sa.Connection, Sequence[Step]], None]] = {
    Does.PROVISION: Writer.provision,
    Does.ENTER: Writer.enter,
}
"""What many steps of one moment are written by at once: it makes big directories in minutes."""
