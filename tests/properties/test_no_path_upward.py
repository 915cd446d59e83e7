"""No sequence of calls, by a key of any scopes or a person of any role, leads to a role that the caller lacks."""

import itertools
from collections.abc import Generator
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from acme import Acme, application
from attacker import CALLERS, EVIL, World, calls_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.store.access import grants
from scim_app.store.credentials import api_keys, tokens
from scim_app.store.db.sign_in_tables import identities
from scim_app.store.views.event_list import EventQuery, list_events


def gains(world: World) -> list[str]:
    """What the attacker has reached beyond what it holds, in words."""
    found = list[str]()
    for user_id, name in world.active().items():
        before = [] if name.endswith(EVIL) else world.before.get(user_id, [])
        kept = {(part.scope, part.role) for part in before} | {(ORGANIZATION, Role.VIEWER)}
        more = [part for part in world.access_of(user_id) if (part.scope, part.role) not in kept]
        found += [f"{name} is {part.role} there" for part in more if not world.covers(part.role, part.scope)]
    for grant in world.acme.desk.read(grants.find):
        if grant.role.privileged and grant.granted_by == grant.holder_id:
            found.append(f"{name_of(world, grant.holder_id)} is {grant.role} by the own hand")
    prod = Scope(ScopeKind.DEPLOYMENT, world.ids["prod"])
    for label, origin, role, scope in (
        ("admins", "local", Role.ORGANIZATION_ADMIN, ORGANIZATION),
        ("prod_admins", "local", Role.ADMIN, prod),
        ("waiting", "offered", Role.ADMIN, prod),
    ):
        team = world.team(label)
        if team and not world.covers(role, scope) and (team.origin, team.load()["displayName"]) != (origin, label):
            found.append(f"the team {label} is {team.origin} and called {team.load()['displayName']}")
    if world.acme.desk.read(grants.find, grants.of_holder(world.ids["removed_admins"])):
        found.append("a team of admins is back")
    return found + _ways_in(world)


def name_of(world: World, user_id: str) -> str:
    """The label of somebody."""
    return next((label for label, its in world.ids.items() if its == user_id), user_id)


def _ways_in(world: World) -> list[str]:
    """Credentials that the attacker has made, and how it could sign in as somebody else."""
    desk = world.acme.desk
    made = len(desk.read(tokens.listing)) + len(desk.read(api_keys.listing)) - int("key" in world.acme.secrets)
    of_ada = sa.select(identities.c.subject).where(identities.c.user_id == world.ids["ada"])
    bound = desk.store.read(lambda db: db.execute(of_ada).first())
    return [
        *(["a credential was made"] if made > 1 else []),
        *(
            ["the emergency password is known"]
            if desk.read(list_events, EventQuery(type="break_glass.enabled"))
            else []
        ),
        *(["how an admin signs in was forgotten"] if not bound else []),
    ]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Generator[Acme]:
    """An application."""
    home: Path = tmp_path_factory.mktemp("home")
    with application(home, "acme") as (found,):
        yield found


_numbers = itertools.count(1)
"""An organization for each run."""


@pytest.mark.parametrize("caller", CALLERS, ids=lambda one: one if isinstance(one, str) else "+".join(one))
@pytest.mark.parametrize("removes_last", [True, False], ids=["removes last", "removes among others"])
@settings(max_examples=1, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(order=st.randoms(use_true_random=False))
def test_no_sequence_of_calls_reaches_above_the_caller(
    first: Acme, caller: tuple[str, ...] | str, order: Random, *, removes_last: bool
) -> None:
    world = World.make(first, next(_numbers))
    world.enter(caller)
    calls = calls_of(world)
    order.shuffle(calls)
    if removes_last:
        calls.sort(key=lambda call: call[0] == "DELETE")
    for call in calls:
        status = world.call(call).status_code
        assert status != 500, call
        if status < 300:
            assert gains(world) == [], call
