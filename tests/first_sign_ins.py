"""An organization, what its identity provider writes, and who signs in for the first time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import make
import pytest

from scim_app.directory.events import Actor
from scim_app.directory.kinds import USER
from scim_app.directory.membership import MemberDelta
from scim_app.directory.reach import OPERATOR
from scim_app.directory.roles import ORGANIZATION, Role, Scope
from scim_app.store.access import grants
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.sign_in import identities, identity_requests
from scim_app.store.sign_in.identities import ConfirmationNeeded
from scim_app.store.sign_in.recognition import Person

ISSUER = "https://issuer.example"
EVIL = "mallory@evil.example"
COMMAND_LINE = Actor(name="cli", authority=OPERATOR)


class People:
    """One organization, what its identity provider writes, and who signs in."""

    def __init__(self, home: Path) -> None:
        self.organization = make.organization(make.settings(home))
        self.store = Store(self.organization.settings.store_url)
        self.org_id = self.organization.id
        token_id = self.organization.token.split("_")[1]
        self.provider = Actor(name=token_id, idp="okta", method="PATCH", path="/Users")

    def write(self, work: Callable[[Unit], Any], actor: Actor = COMMAND_LINE) -> Any:
        return self.store.write(lambda db: work(Unit.begin(db, self.org_id, actor)))

    def provision(self, name: str, **attributes: object) -> str:
        document = make.user(name, **attributes)
        return self.write(lambda unit: writes.create(unit, USER, document, MemberDelta()), self.provider).id

    def push(self, user_id: str, **attributes: object) -> None:
        edit = lambda _unit, stored: ({**stored.load(), **attributes}, MemberDelta())  # noqa: E731
        self.write(lambda unit: writes.update(unit, USER, user_id, edit), self.provider)

    def grant(self, user_id: str, role: Role = Role.ORGANIZATION_ADMIN, scope: Scope = ORGANIZATION) -> None:
        self.write(lambda unit: grants.grant(unit, "user", user_id, role, scope))

    def sign_in(self, subject: str, email: str | None, external_id: str | None = None) -> str:
        person = Person(ISSUER, subject, email, subject if external_id is None else external_id)
        return self.write(lambda unit: identities.member_of(unit, person)).id

    def ask(self, subject: str, email: str | None) -> ConfirmationNeeded:
        with pytest.raises(ConfirmationNeeded) as needed:
            self.sign_in(subject, email)
        self.write(lambda unit: identity_requests.ask(unit, needed.value))
        return needed.value

    def waiting(self) -> list[str]:
        found = self.store.read(lambda db: identity_requests.waiting(db, self.org_id))
        return [one.subject for one in found]

    def confirm(self, user_id: str, subject: str) -> None:
        self.write(lambda unit: identity_requests.confirm(unit, user_id, ISSUER, subject))

    def events(self) -> list[str]:
        return [one["type"] for one in self.organization.events() if one["subject_kind"] == "identity"]
