"""Effective access is the most permissive of what a person holds, and says where each part comes from."""

import pytest

from scim_app.directory.access import (
    Places,
    applying,
    code_location_place,
    deployment_place,
    effective_access,
    explain,
    role_in,
)
from scim_app.directory.roles import ORGANIZATION, Grant, Role, Scope, ScopeKind, require_grantable

PROD = deployment_place("d1", "prod", "full")
BRANCH = deployment_place("d2", "pr-7", "branch")
ETL = code_location_place("c1", "etl", PROD)
PLACES = Places({place.scope: place for place in (PROD, BRANCH, ETL)})
BRANCHES = Scope(ScopeKind.ALL_BRANCH_DEPLOYMENTS)


def grant(holder: str, role: Role, scope: Scope = ORGANIZATION) -> Grant:
    """A grant for `user:…` or `team:…`."""
    kind, _, holder_id = holder.partition(":")
    return Grant(grant_id=f"g-{holder}-{role}", holder_kind=kind, holder_id=holder_id, role=role, scope=scope)


def told(*grants: Grant, default: Role = Role.VIEWER) -> str:
    """The access of user u, who is in team t, in words."""
    access = effective_access(applying(grants, "u", ["t"]), default, PLACES)
    return explain(access, PLACES, {"t": "Data Platform"})


@pytest.mark.parametrize(
    ("grants", "words"),
    [
        ([], "Viewer by default"),
        ([grant("team:t", Role.EDITOR, PROD.scope)], "Editor on prod through team Data Platform; Viewer by default"),
        ([grant("team:other", Role.ADMIN), grant("user:other", Role.ADMIN)], "Viewer by default"),
        ([grant("team:t", Role.EDITOR), grant("user:u", Role.LAUNCHER)], "Editor through team Data Platform"),
        ([grant("team:t", Role.EDITOR), grant("user:u", Role.EDITOR)], "Editor by own grant"),
        ([grant("user:u", Role.EDITOR), grant("user:u", Role.LAUNCHER, PROD.scope)], "Editor by own grant"),
        (
            [grant("user:u", Role.EDITOR, PROD.scope), grant("user:u", Role.ADMIN, ETL.scope)],
            "Admin on prod/etl by own grant; Editor on prod by own grant; Viewer by default",
        ),
        ([grant("user:u", Role.EDITOR, Scope(ScopeKind.DEPLOYMENT, "gone"))], "Viewer by default"),
        (
            [grant("user:u", Role.EDITOR, BRANCHES)],
            "Editor on all branch deployments by own grant; Viewer by default",
        ),
        ([grant("user:u", Role.ORGANIZATION_ADMIN)], "Organization Admin by own grant"),
    ],
)
def test_access_is_told_with_its_sources(grants: list[Grant], words: str) -> None:
    assert told(*grants) == words


@pytest.mark.parametrize(
    ("scope", "role"),
    [
        (ORGANIZATION, Role.VIEWER),
        (PROD.scope, Role.LAUNCHER),
        (ETL.scope, Role.EDITOR),
        (BRANCH.scope, Role.ADMIN),
        (BRANCHES, Role.ADMIN),
    ],
)
def test_a_role_holds_in_the_narrower_scopes(scope: Scope, role: Role) -> None:
    grants = [
        grant("user:u", Role.LAUNCHER, PROD.scope),
        grant("user:u", Role.EDITOR, ETL.scope),
        grant("user:u", Role.ADMIN, BRANCHES),
    ]
    held = role_in(effective_access(grants, Role.VIEWER, PLACES), scope, PLACES)
    assert held is not None
    assert held.role is role


@pytest.mark.parametrize(
    ("role", "scope", "said"),
    [
        (Role.EDITOR, Scope(ScopeKind.DEPLOYMENT), "needs the id"),
        (Role.EDITOR, Scope(ScopeKind.ORGANIZATION, "x"), "has no id"),
        (Role.ORGANIZATION_ADMIN, PROD.scope, "of the whole organization"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(role: Role, scope: Scope, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        require_grantable(role, scope)
