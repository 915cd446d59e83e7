"""Whatever admins and identity providers do, folding the event log from empty gives the live tables."""

from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import make
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import SCIMException

from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.directory.roles import Role, Scope, ScopeKind
from scim_app.errors import DirectoryError
from scim_app.store.access import grants, organization_settings, places
from scim_app.store.export import Export
from scim_app.store.lifecycle import people, teams, writes
from scim_app.store.log.event_log import InUnit, Unit
from scim_app.store.log.session import Store

PICK = st.integers(0, 3)
ROLES = st.sampled_from(Role)
SCOPES = st.sampled_from(["organization", "deployment", "code_location", "all_branch_deployments"])
STEPS = st.one_of(
    st.tuples(st.just("add_user"), PICK),
    st.tuples(st.just("remove_user"), PICK),
    st.tuples(st.just("restore_user"), PICK),
    st.tuples(st.just("push_user"), PICK, st.booleans()),
    st.tuples(st.just("create_team"), PICK),
    st.tuples(st.just("rename_team"), PICK, PICK),
    st.tuples(st.just("remove_team"), PICK),
    st.tuples(st.just("restore_team"), PICK),
    st.tuples(st.just("offer_team"), PICK),
    st.tuples(st.just("unlink_team"), PICK),
    st.tuples(st.just("push_team"), PICK, st.lists(PICK, max_size=3)),
    st.tuples(st.just("delete_pushed_team"), PICK),
    st.tuples(st.just("member"), st.booleans(), PICK, PICK),
    st.tuples(st.just("owner"), st.booleans(), PICK, PICK),
    st.tuples(st.just("grant"), st.booleans(), PICK, ROLES, SCOPES),
    st.tuples(st.just("revoke"), PICK),
    st.tuples(st.just("deployment"), st.booleans(), PICK),
    st.tuples(st.just("code_location"), st.booleans(), PICK),
    st.tuples(st.just("switch_scim"), st.booleans()),
    st.tuples(st.just("settings"), st.sampled_from(["viewer", "editor"]), st.sampled_from([None, 1, 5])),
)


class Organization:
    """Does steps on the store and remembers every id that there ever was."""

    def __init__(self, store: Store, org: make.Organization) -> None:
        self.store, self.org = store, org
        self.ids: dict[str, list[str]] = {"user": [], "team": [], "deployment": [], "code_location": []}

    def do(self, name: str, *arguments: Any) -> None:
        # Where a rule is against it, nothing of it must be left.
        with suppress(DirectoryError, ValueError, SCIMException):
            self.store.write(InUnit(self.org.id, make.ACTOR, lambda unit: getattr(self, name)(unit, *arguments)))

    def _one(self, kind: str, pick: int) -> str:
        return self.ids[kind][pick % len(self.ids[kind])] if self.ids[kind] else "nothing"

    def add_user(self, unit: Unit, pick: int) -> None:
        self.ids["user"].append(people.add(unit, f"u{pick}@example.com").id)

    def remove_user(self, unit: Unit, pick: int) -> None:
        people.remove(unit, self._one("user", pick))

    def restore_user(self, unit: Unit, pick: int) -> None:
        people.restore(unit, self._one("user", pick))

    def push_user(self, unit: Unit, pick: int, active: bool) -> None:
        document = make.user(f"u{pick}@example.com", active=active)
        try:
            self.ids["user"].append(writes.create(unit, USER, document, MemberDelta()).id)
        except SCIMException:
            stored = people.get(unit.connection, unit.org_id, document["userName"])
            writes.update(unit, USER, stored.id, lambda _unit, held: ({**held.load(), "active": active}, MemberDelta()))

    def create_team(self, unit: Unit, pick: int) -> None:
        self.ids["team"].append(teams.create(unit, f"Team {pick}").id)

    def rename_team(self, unit: Unit, pick: int, name: int) -> None:
        teams.rename(unit, self._one("team", pick), f"Team {name}")

    def remove_team(self, unit: Unit, pick: int) -> None:
        teams.remove(unit, self._one("team", pick))

    def restore_team(self, unit: Unit, pick: int) -> None:
        teams.restore(unit, self._one("team", pick))

    def offer_team(self, unit: Unit, pick: int) -> None:
        teams.offer(unit, self._one("team", pick), f"x{pick}")

    def unlink_team(self, unit: Unit, pick: int) -> None:
        teams.unlink(unit, self._one("team", pick))

    def push_team(self, unit: Unit, pick: int, members: list[int]) -> None:
        delta = MemberDelta.replace(*(self._one("user", member) for member in members))
        document = {"schemas": [make.GROUP], "displayName": f"Team {pick}"}
        try:
            self.ids["team"].append(writes.create(unit, TEAM, document, delta).id)
        except SCIMException:
            stored = teams.get(unit.connection, unit.org_id, f"Team {pick}")
            writes.update(unit, TEAM, stored.id, lambda _unit, held: (held.load(), delta))

    def delete_pushed_team(self, unit: Unit, pick: int) -> None:
        writes.delete(unit, TEAM, self._one("team", pick), lambda _stored: None)

    def member(self, unit: Unit, added: bool, team: int, user: int) -> None:
        change = teams.add_member if added else teams.remove_member
        change(unit, self._one("team", team), self._one("user", user))

    def owner(self, unit: Unit, added: bool, team: int, user: int) -> None:
        change = teams.add_owner if added else teams.remove_owner
        change(unit, self._one("team", team), self._one("user", user))

    def grant(self, unit: Unit, to_team: bool, pick: int, role: Role, scope: str) -> None:
        kind = "team" if to_team else "user"
        place = Scope(ScopeKind(scope), self._one(scope, pick) if scope in self.ids else None)
        grants.grant(unit, kind, self._one(kind, pick), role, place, reason="a test")

    def revoke(self, unit: Unit, pick: int) -> None:
        held = grants.find(unit.connection, unit.org_id)
        if held:
            grants.revoke(unit, held[pick % len(held)].grant_id)

    def deployment(self, unit: Unit, added: bool, pick: int) -> None:
        if added:
            kind = "branch" if pick % 2 else "full"
            self.ids["deployment"].append(places.add_deployment(unit, f"d{pick}", kind).id)
        else:
            places.remove_deployment(unit, self._one("deployment", pick))

    def code_location(self, unit: Unit, added: bool, pick: int) -> None:
        if added:
            made = places.add_code_location(unit, self._one("deployment", pick), f"c{pick}")
            self.ids["code_location"].append(made.id)
        else:
            places.remove_code_location(unit, self._one("code_location", pick))

    def switch_scim(self, unit: Unit, on: bool) -> None:
        organization_settings.switch_scim(unit, on=on)

    def settings(self, unit: Unit, role: str, seats: int | None) -> None:
        organization_settings.change(unit, default_role=role, seat_limit=seats)


@pytest.fixture
def fresh(folder: Path) -> Generator[Callable[[], Organization]]:
    """Makes organizations in one store."""
    number = 0
    make.organization(make.settings(folder), "first")
    store = Store(make.settings(folder).store_url)

    def one() -> Organization:
        nonlocal number
        number += 1
        organization = Organization(store, make.organization(make.settings(folder), f"org-{number}"))
        organization.do("switch_scim", False)
        return organization

    yield one
    store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=5, max_size=40))
def test_folding_the_log_from_empty_gives_grants_places_settings_members_and_owners(
    fresh: Callable[[], Organization], steps: list[tuple[Any, ...]]
) -> None:
    organization = fresh()
    for name, *arguments in steps:
        organization.do(name, *arguments)
    export = Export(organization.org.settings.store_url)
    try:
        assert export.unexplained(organization.org.id) == []
        assert export.first_break(organization.org.id) is None
        snapshot = export.snapshot(organization.org.id, export.counts(organization.org.id)["seq"])
    finally:
        export.close()
    active = {row["user_id"] for row in snapshot.users if row["active"]}
    assert {row["user_id"] for row in snapshot.effective_access} == active
    live = organization.store.read(lambda db: grants.find(db, organization.org.id))
    assert sorted(row["grant_id"] for row in snapshot.role_grants) == sorted(one.grant_id for one in live)
