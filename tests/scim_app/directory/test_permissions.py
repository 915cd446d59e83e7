"""Who may do what, cell by cell."""

from itertools import pairwise

import pytest

from scim_app.directory.access import Access, Places, deployment_place
from scim_app.directory.permissions import SCOPES, TABLE, Permission, may, may_grant, permissions_in, permissions_of
from scim_app.directory.roles import ORGANIZATION, Role, Scope

PROD = deployment_place("d1", "prod", "full")
TEST = deployment_place("d2", "test", "full")
PLACES = Places({place.scope: place for place in (PROD, TEST)})

EVERYBODY = {Permission.SEE_USERS}
ADMINS = EVERYBODY | {Permission.ADD_USERS, Permission.GRANT}


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_dagster_plus_says(role: Role, permission: Permission) -> None:
    allowed = {Role.ORGANIZATION_ADMIN: set(Permission), Role.ADMIN: ADMINS}.get(role, EVERYBODY)
    assert may(role, permission) is (permission in allowed)


def test_a_more_permissive_role_may_all_that_the_next_one_may() -> None:
    roles = list(Role)
    assert all(TABLE[more] >= TABLE[less] for more, less in pairwise(roles))


def test_a_person_may_what_any_of_its_roles_allows() -> None:
    access = [Access(ORGANIZATION, Role.VIEWER, "default"), Access(PROD.scope, Role.ADMIN, "user", "u")]
    assert permissions_of(access) == ADMINS


@pytest.mark.parametrize(
    ("role", "held_in", "asked", "allowed"),
    [
        (Role.ORGANIZATION_ADMIN, ORGANIZATION, ORGANIZATION, True),
        (Role.ORGANIZATION_ADMIN, ORGANIZATION, PROD.scope, True),
        (Role.ADMIN, PROD.scope, PROD.scope, True),
        (Role.ADMIN, PROD.scope, TEST.scope, False),
        (Role.ADMIN, PROD.scope, ORGANIZATION, False),
        (Role.ADMIN, ORGANIZATION, PROD.scope, True),
        (Role.ADMIN, ORGANIZATION, ORGANIZATION, False),
        (Role.EDITOR, ORGANIZATION, PROD.scope, False),
    ],
)
def test_an_admin_grants_on_its_own_deployments(role: Role, held_in: Scope, asked: Scope, allowed: bool) -> None:
    assert may_grant([Access(held_in, role, "user", "u")], asked, PLACES) is allowed


def test_no_key_makes_keys_and_an_unknown_scope_allows_nothing() -> None:
    assert Permission.MANAGE_API_KEYS not in permissions_in(SCOPES)
    assert permissions_in(["everything", ""]) == frozenset()
    assert permissions_in(["audit:read"]) == {Permission.SEE_AUDIT_LOG}
