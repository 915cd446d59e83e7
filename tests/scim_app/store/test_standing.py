"""The matrix of roles, the people behind its numbers and the filter by role tell what effective access tells."""

import random
from pathlib import Path
from typing import Any

import make
import pytest

from scim_app.directory.access import role_in
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.store.access import access, grants, organizations, places, standing
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.views import lists
from scim_app.store.views.lists import Query


def fill(unit: Unit, chance: random.Random) -> None:
    """People, teams, deployments of both kinds and code locations, with grants here and there."""
    people = [writes.create(unit, USER, make.user(f"p{n}@example.com"), MemberDelta()).id for n in range(12)]
    teams = [
        writes.create(unit, TEAM, make.group(f"team {n}"), MemberDelta.add(*chance.sample(people, 4))).id
        for n in range(4)
    ]
    scopes = [ORGANIZATION, Scope(ScopeKind.ALL_BRANCH_DEPLOYMENTS)]
    for kind in ("full", "branch"):
        deployment = places.add_deployment(unit, kind, kind)
        location = places.add_code_location(unit, deployment.id, "etl")
        scopes += [Scope(ScopeKind.DEPLOYMENT, deployment.id), Scope(ScopeKind.CODE_LOCATION, location.id)]
    roles = [role for role in Role if role is not Role.ORGANIZATION_ADMIN]
    for _ in range(14):
        kind, holder = chance.choice([("user", chance.choice(people)), ("team", chance.choice(teams))])
        grants.grant(unit, kind, holder, chance.choice(roles), chance.choice(scopes))
    grants.grant(unit, "user", people[0], Role.ORGANIZATION_ADMIN, ORGANIZATION)
    gone = {**make.user("p3@example.com"), "active": False}
    writes.update(unit, USER, people[3], lambda _unit, _stored: (gone, MemberDelta()))


@pytest.mark.parametrize("seed", range(4))
def test_everybodys_roles_at_once_are_those_of_each(folder: Path, seed: int) -> None:
    made = make.organization(make.settings(folder))
    store = Store(made.settings.store_url)
    store.write(lambda db: fill(Unit.begin(db, made.id, make.ACTOR), random.Random(seed)))

    def compare(db: Any) -> None:
        org, found = organizations.by_slug(db, made.slug), places.places(db, made.id)
        everybody, _ = lists.list_users(db, org, Query(state="active"))
        held = {one.id: access.of_user(db, org.id, one.id) for one in everybody}
        for scope, counts in standing.matrix(db, org, found).items():
            for role in Role:
                expected = {key for key, its in held.items() if role_in(its.access, scope, found).role is role}
                people = standing.holders(db, org, found, (scope, role), 100)
                assert {one.id for one in people} == expected
                assert counts[role] == len(expected)
        for role in Role:
            listed, _ = lists.list_users(db, org, Query(role=role, state="active"))
            assert {one.id for one in listed} == {key for key, its in held.items() if its.role is role}
        assert {one.id: one.role for one in everybody} == {key: its.role for key, its in held.items()}

    store.read(compare)
    store.close()
