"""Nobody gives, takes over or restores a role above their own, and nobody gives themselves one over others."""

from collections.abc import Generator
from typing import Any

import pytest
from acme import Acme, application

from scim_app.directory.kinds import USER
from scim_app.directory.permissions import OF_PEOPLE, SCOPES
from scim_app.directory.reach import REACH, Operation
from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.store.access import access, grants, organization_settings
from scim_app.store.credentials import sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.lifecycle import people, removal, teams
from scim_app.store.resources.resources import Stored

ADMIN = "organization_admin"


@pytest.fixture
def acme(tmp_path_factory: pytest.TempPathFactory) -> Generator[Acme]:
    """An organization in an application, with a second Organization Admin."""
    with application(tmp_path_factory.mktemp("home"), "acme") as (found,):
        second = found.desk.write(people.add, "second@example.com")
        found.desk.write(grants.grant, "user", second.id, Role.ORGANIZATION_ADMIN, ORGANIZATION)
        found.secrets["second"] = found.desk.write(
            sessions.start, SessionKind.OIDC, user_id=second.id, name="second@example.com"
        )
        yield found


def person(acme: Acme, role: str) -> str:
    """The id of the person of a role."""
    return acme.desk.read(people.get, f"{role}@acme.example.com").id


def role_of(acme: Acme, user_id: str) -> Role:
    """The most permissive role that somebody holds anywhere."""
    return acme.desk.read(access.of_user, user_id).role


def somebody_with(acme: Acme, role: Role, scope: Scope, *, through_team: bool) -> Stored:
    """A user who holds a role, by itself or through a team."""
    user = acme.desk.write(people.add, "somebody@example.com")
    if through_team:
        team = acme.desk.write(teams.create, "Somebodies")
        acme.desk.write(teams.add_member, team.id, user.id)
    holder = ("team", acme.desk.read(teams.get, "Somebodies").id) if through_team else ("user", user.id)
    acme.desk.write(grants.grant, *holder, role, scope)
    return user


def in_prod(acme: Acme) -> Scope:
    """The deployment where the person of the role Admin is Admin."""
    return Scope(ScopeKind.DEPLOYMENT, acme.ids["deployment_id"])


def restore(acme: Acme, way: str, role: str, user_id: str) -> int:
    """The status of the answer to a restoration by a person of a role."""
    if way == "page":
        return int(acme.send(f"users/{user_id}/restore", role).status_code)
    return int(acme.as_role(role, "POST", f"/users/{user_id}/restore").status_code)


@pytest.mark.parametrize("way", ["page", "api"])
@pytest.mark.parametrize("through_team", [True, False])
@pytest.mark.parametrize("where", ["organization", "other deployment"])
def test_who_restores_a_user_gives_back_no_role_above_their_own(
    acme: Acme, way: str, where: str, *, through_team: bool
) -> None:
    role, scope = Role.ORGANIZATION_ADMIN, ORGANIZATION
    if where != "organization":
        made = acme.as_key("POST", "/deployments", json={"name": "staging"}).json()["id"]
        role, scope = Role.EDITOR, Scope(ScopeKind.DEPLOYMENT, made)
    user = somebody_with(acme, role, scope, through_team=through_team)
    acme.desk.write(people.remove, user.id)
    assert restore(acme, way, "admin", user.id) == 403
    assert role_of(acme, user.id) is Role.VIEWER
    assert user.id in [row["id"] for row in acme.as_key("GET", "/removed-users").json()["users"]]
    assert restore(acme, way, ADMIN, user.id) in (200, 303)
    assert role_of(acme, user.id) is role


@pytest.mark.parametrize("way", ["page", "api"])
def test_a_deactivated_admin_is_activated_by_an_admin_of_the_same_rank(acme: Acme, way: str) -> None:
    user = somebody_with(acme, Role.ORGANIZATION_ADMIN, ORGANIZATION, through_team=False)
    acme.desk.write(organization_settings.switch_scim, on=True)
    headers = {"Authorization": f"Bearer {acme.scim_token}", "Content-Type": "application/scim+json"}
    off = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
    off |= {"Operations": [{"op": "replace", "value": {"active": False}}]}
    assert acme.client.patch(f"/acme/scim/v2/Users/{user.id}", json=off, headers=headers).status_code == 200
    acme.desk.write(organization_settings.switch_scim, on=False)
    assert restore(acme, way, "admin", user.id) == 403
    assert acme.desk.read(people.get, user.id).load()["active"] is False
    assert restore(acme, way, ADMIN, user.id) in (200, 303)


@pytest.mark.parametrize("through_team", [True, False])
def test_an_admin_of_a_deployment_restores_whoever_holds_no_more_there(acme: Acme, *, through_team: bool) -> None:
    user = somebody_with(acme, Role.EDITOR, in_prod(acme), through_team=through_team)
    acme.desk.write(people.remove, user.id)
    assert restore(acme, "api", "admin", user.id) == 200
    assert role_of(acme, user.id) is Role.EDITOR


def test_a_user_who_waits_in_a_team_of_admins_is_restored_by_none_below(acme: Acme) -> None:
    user = acme.desk.write(people.add, "pending@example.com")
    team = acme.desk.write(teams.create, "Admins")
    acme.desk.write(grants.grant, "team", team.id, Role.ADMIN, ORGANIZATION)
    acme.desk.write(teams.offer, team.id)
    acme.desk.write(people.remove, user.id)
    acme.desk.write(organization_settings.switch_scim, on=True)
    headers = {"Authorization": f"Bearer {acme.scim_token}", "Content-Type": "application/scim+json"}
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Admins"}
    pushed = acme.client.post("/acme/scim/v2/Groups", json={**group, "members": [{"value": user.id}]}, headers=headers)
    assert pushed.status_code == 201
    acme.desk.write(organization_settings.switch_scim, on=False)
    assert restore(acme, "api", "admin", user.id) == 403
    assert restore(acme, "api", ADMIN, user.id) == 200


def grant(acme: Acme, way: str, by: str, holder: tuple[str, str], role: Role, scope: Scope = ORGANIZATION) -> int:
    """The status of the answer to who grants a role."""
    if way == "page":
        fields = {"holder": f"{holder[0]}:{holder[1]}", "role": role.value}
        return int(acme.send("roles/grant", by, scope=f"{scope.kind.value}:{scope.id or ''}", **fields).status_code)
    body = {"holder_kind": holder[0], "holder_id": holder[1], "role": role.value}
    place = {"scope_kind": scope.kind.value, "scope_id": scope.id}
    return int(acme.as_role(by, "POST", "/grants", json={**body, **place}).status_code)


@pytest.mark.parametrize("way", ["page", "api"])
@pytest.mark.parametrize("role", [Role.ORGANIZATION_ADMIN, Role.ADMIN])
def test_nobody_gives_themselves_a_role_over_others(acme: Acme, way: str, role: Role) -> None:
    mine, before = person(acme, ADMIN), acme.desk.read(grants.find)
    team = acme.desk.write(teams.create, "Mine")
    acme.desk.write(teams.add_member, team.id, mine)
    for holder in (("user", mine), ("team", team.id)):
        assert grant(acme, way, ADMIN, holder, role) == (422 if way == "page" else 403)
    assert acme.desk.read(grants.find) == before
    assert grant(acme, way, "second", ("team", team.id), role) in (201, 303)
    assert grant(acme, way, ADMIN, ("user", mine), Role.EDITOR, in_prod(acme)) in (201, 303)


@pytest.mark.parametrize("way", ["page", "api"])
def test_an_admin_of_a_deployment_does_not_renew_the_own_role(acme: Acme, way: str) -> None:
    mine = person(acme, "admin")
    assert grant(acme, way, "admin", ("user", mine), Role.ADMIN, in_prod(acme)) == (422 if way == "page" else 403)


def test_nobody_joins_a_team_of_admins_by_themselves_nor_brings_back_its_role(acme: Acme) -> None:
    mine, team = person(acme, ADMIN), acme.desk.write(teams.create, "Admins")
    acme.desk.write(grants.grant, "team", team.id, Role.ADMIN, in_prod(acme))
    path = f"/teams/{team.id}/members/{mine}"
    assert acme.as_role(ADMIN, "PUT", path).status_code == 403
    assert acme.send(f"teams/{team.id}/members/add", user_name=f"{ADMIN}@acme.example.com").status_code == 403
    assert acme.as_role("second", "PUT", path).status_code == 204
    acme.desk.write(teams.remove, team.id)
    assert acme.as_role(ADMIN, "POST", f"/teams/{team.id}/restore").status_code == 403
    assert acme.as_role("second", "POST", f"/teams/{team.id}/restore").status_code == 200


@pytest.mark.parametrize("way", ["page", "api"])
def test_who_granted_a_role_is_an_id_and_shown_by_name(acme: Acme, way: str) -> None:
    mine, holder = person(acme, ADMIN), ("user", person(acme, "viewer"))
    assert grant(acme, way, ADMIN, holder, Role.EDITOR) in (201, 303)
    (row,) = acme.as_key("GET", f"/grants?holder={holder[1]}").json()["grants"]
    assert (row["granted_by"], row["granted_by_name"]) == (mine, f"{ADMIN}@acme.example.com")
    event = acme.as_key("GET", f"/events?type=role.granted&actor={ADMIN}@acme.example.com").json()["events"][-1]
    assert (event["actor"], event["subject_id"]) == (mine, row["grant_id"])
    for page in (f"users/{holder[1]}", "roles"):
        assert f"by {ADMIN}@acme.example.com" in acme.see(page).text
        assert f"by {mine}" not in acme.see(page).text
    with acme.export() as export:
        assert export.unexplained(acme.desk.organization.id) == []


def test_a_grant_from_before_that_has_a_name_is_read_as_the_id(acme: Acme) -> None:
    mine, holder = person(acme, ADMIN), person(acme, "viewer")
    old = acme.desk.actor.__class__(name=f"{ADMIN}@acme.example.com", authority=acme.desk.actor.authority)
    acme.desk.__class__(acme.site.store, acme.desk.organization, old).write(
        grants.grant, "user", holder, Role.EDITOR, ORGANIZATION
    )
    (row,) = acme.as_key("GET", f"/grants?holder={holder}").json()["grants"]
    assert (row["granted_by"], row["granted_by_name"]) == (mine, f"{ADMIN}@acme.example.com")


def test_a_session_of_nobody_grants_as_before(acme: Acme) -> None:
    acme.secrets["setup"] = acme.desk.write(sessions.start, SessionKind.SETUP, user_id=None, name="Local administrator")
    assert grant(acme, "page", "setup", ("user", person(acme, "viewer")), Role.ORGANIZATION_ADMIN) == 303


def key_answer(acme: Acme, scopes: tuple[str, ...], method: str, path: str, body: Any = None) -> int:
    """The status of the answer to a key of some scopes."""
    return int(acme.as_key(method, path, acme.new_key(*scopes), json=body).status_code)


def test_a_key_gives_no_more_than_it_holds(acme: Acme) -> None:
    body = {"holder_kind": "user", "holder_id": person(acme, "viewer"), "role": "editor"}
    every = tuple(SCOPES)
    assert key_answer(acme, ("roles:write",), "POST", "/grants", body) == 201
    assert key_answer(acme, ("roles:write",), "POST", "/grants", {**body, "role": "admin"}) == 403
    assert key_answer(acme, ("roles:write", "directory:write"), "POST", "/grants", {**body, "role": "admin"}) == 201
    assert key_answer(acme, every, "POST", "/grants", {**body, "role": ADMIN}) == 403
    assert key_answer(acme, ("settings:write",), "PATCH", "/settings", {"default_role": "editor"}) == 403
    assert key_answer(acme, ("settings:write",), "PATCH", "/settings", {"seat_limit": 500}) == 200
    assert key_answer(acme, every, "PATCH", "/settings", {"default_role": "admin"}) == 200
    assert key_answer(acme, ("directory:write",), "POST", "/users", {"user_name": "new@example.com"}) == 403
    assert key_answer(acme, ("settings:write",), "PATCH", "/settings", {"default_role": "viewer"}) == 200
    assert key_answer(acme, ("directory:write",), "POST", "/users", {"user_name": "new@example.com"}) == 201


def test_a_key_takes_access_away_from_anybody(acme: Acme) -> None:
    team = acme.desk.write(teams.create, "Admins")
    acme.desk.write(grants.grant, "team", team.id, Role.ADMIN, ORGANIZATION)
    second = acme.desk.read(people.get, "second@example.com").id
    acme.desk.write(teams.add_member, team.id, second)
    directory = ("directory:write",)
    assert key_answer(acme, directory, "DELETE", f"/teams/{team.id}/members/{second}") == 204
    assert key_answer(acme, directory, "DELETE", f"/users/{second}") == 204
    assert key_answer(acme, directory, "POST", f"/users/{second}/restore") == 403
    assert [row["id"] for row in acme.desk.read(removal.removed, USER, "2000-01-01T00:00:00Z")] == [second]


def test_every_operation_says_how_far_it_reaches_and_no_scope_has_what_is_for_people() -> None:
    assert set(REACH) == set(Operation)
    assert not OF_PEOPLE & frozenset().union(*SCOPES.values())
