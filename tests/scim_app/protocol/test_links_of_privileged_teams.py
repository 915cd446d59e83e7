"""A team that holds Admin or above is linked to a group only after an admin has offered it."""

from collections.abc import Callable
from typing import Any, TypeVar

import httpx
import make
import pytest
from acme import Acme, application
from make import ACTOR, Organization

from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.store.access import admins, grants, organization_settings, places
from scim_app.store.lifecycle import link_requests, people, teams
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import members

T = TypeVar("T")
NAME = "Platform Admins"
WHERE = ["organization", "deployment", "code_location", "all_branch_deployments"]
WAYS: dict[str, Callable[[httpx.Client, str, str], httpx.Response]] = {
    "PATCH that adds": lambda scim, team, user: scim.patch(
        f"/Groups/{team}", json=make.patch({"op": "add", "path": "members", "value": [{"value": user}]})
    ),
    "PATCH that replaces": lambda scim, team, user: scim.patch(
        f"/Groups/{team}", json=make.patch({"op": "replace", "value": {"members": [{"value": user}]}})
    ),
    "PATCH that renames": lambda scim, team, _: scim.patch(
        f"/Groups/{team}", json=make.patch({"op": "replace", "path": "displayName", "value": "Mine"})
    ),
    "PATCH of the externalId": lambda scim, team, _: scim.patch(
        f"/Groups/{team}", json=make.patch({"op": "add", "path": "externalId", "value": "g1"})
    ),
    "PATCH that takes out": lambda scim, team, _: scim.patch(
        f"/Groups/{team}", json=make.patch({"op": "remove", "path": "members"})
    ),
    "PUT": lambda scim, team, user: scim.put(f"/Groups/{team}", json=make.group(NAME, user, externalId="g1")),
    "PUT under another name": lambda scim, team, user: scim.put(f"/Groups/{team}", json=make.group("Mine", user)),
    "POST": lambda scim, _, user: scim.post("/Groups", json=make.group(NAME, user)),
    "POST in other letters": lambda scim, _, user: scim.post("/Groups", json=make.group("platform ADMINS", user)),
}


def by_hand(organization: Organization, work: Callable[[Unit], T]) -> T:
    """What an admin does on the settings pages."""
    store = Store(organization.settings.store_url)
    try:
        return store.write(lambda db: work(Unit.begin(db, organization.id, ACTOR)))
    finally:
        store.close()


def scope_of(unit: Unit, where: str) -> Scope:
    """A place of a kind."""
    if where in ("organization", "all_branch_deployments"):
        return Scope(ScopeKind(where))
    deployment = places.add_deployment(unit, "prod")
    if where == "deployment":
        return Scope(ScopeKind.DEPLOYMENT, deployment.id)
    return Scope(ScopeKind.CODE_LOCATION, places.add_code_location(unit, deployment.id, "etl").id)


@pytest.fixture
def attacker(scim: httpx.Client) -> str:
    """The id of a user whom the holder of the SCIM token has made."""
    return str(scim.post("/Users", json=make.user("mallory@example.com")).json()["id"])


def team_with(organization: Organization, role: Role, where: str) -> tuple[str, str]:
    """The ids of a team that holds a role, and of its member."""

    def work(unit: Unit) -> tuple[str, str]:
        organization_settings.switch_scim(unit, on=False)
        member, team = people.add(unit, "ada@example.com"), teams.create(unit, NAME)
        teams.add_member(unit, team.id, member.id)
        grants.grant(unit, "team", team.id, role, scope_of(unit, where))
        organization_settings.switch_scim(unit, on=True)
        return team.id, member.id

    return by_hand(organization, work)


def state(organization: Organization, team: str) -> tuple[str, str, list[str]]:
    """Name, origin and members of a team."""

    def look(unit: Unit) -> tuple[str, str, list[str]]:
        stored = teams.get(unit.connection, unit.org_id, team)
        there = members.listing(unit.connection, unit.org_id, team)
        return stored.load()["displayName"], stored.origin, [one["id"] for one in there]

    return by_hand(organization, look)


@pytest.mark.parametrize("way", WAYS)
def test_no_write_takes_over_a_team_of_admins_that_was_not_offered(
    scim: httpx.Client, organization: Organization, attacker: str, way: str
) -> None:
    team, member = team_with(organization, Role.ORGANIZATION_ADMIN, "organization")
    answer = WAYS[way](scim, team, attacker)
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    assert "Link to a group" in answer.json()["detail"]
    assert state(organization, team) == (NAME, "local", [member])
    assert by_hand(organization, lambda unit: admins.organization_admins(unit.connection, unit.org_id)) == {member}


@pytest.mark.parametrize("where", WHERE)
def test_admin_anywhere_is_enough(scim: httpx.Client, organization: Organization, attacker: str, where: str) -> None:
    team, member = team_with(organization, Role.ADMIN, where)
    assert WAYS["PATCH that adds"](scim, team, attacker).status_code == 409
    assert state(organization, team) == (NAME, "local", [member])


@pytest.mark.parametrize("method", ["PATCH", "PUT", "POST"])
def test_an_operation_of_a_bulk_request_is_refused_alone(
    scim: httpx.Client, organization: Organization, attacker: str, method: str
) -> None:
    team, member = team_with(organization, Role.ORGANIZATION_ADMIN, "organization")
    data = make.group(NAME, attacker)
    if method == "PATCH":
        data = make.patch({"op": "add", "path": "members", "value": [{"value": attacker}]})
    path = "/Groups" if method == "POST" else f"/Groups/{team}"
    operations: list[dict[str, Any]] = [
        {"method": method, "path": path, "data": data, "bulkId": "a"},
        {"method": "POST", "path": "/Groups", "data": make.group("Others", attacker), "bulkId": "b"},
    ]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}
    outcomes = scim.post("/Bulk", json=body).json()["Operations"]
    assert [one["status"] for one in outcomes] == ["409", "201"]
    assert state(organization, team) == (NAME, "local", [member])
    assert _request(organization, team) is not None


def test_once_offered_the_push_links_it_and_the_request_is_settled(
    scim: httpx.Client, organization: Organization, attacker: str
) -> None:
    team, _ = team_with(organization, Role.ADMIN, "organization")
    for way in ("PUT", "POST"):
        assert WAYS[way](scim, team, attacker).status_code == 409
        request = _request(organization, team)
        assert request is not None
        by_hand(organization, lambda unit: teams.offer(unit, team))
        assert _request(organization, team) is None
        assert WAYS[way](scim, team, attacker).status_code in (200, 201)
        assert state(organization, team) == (NAME, "scim", [attacker])
        by_hand(organization, lambda unit: teams.unlink(unit, team))
        assert _request(organization, team) is None


def test_a_team_with_lesser_roles_is_linked_as_before(
    scim: httpx.Client, organization: Organization, attacker: str
) -> None:
    team, _ = team_with(organization, Role.EDITOR, "organization")
    assert WAYS["PATCH that adds"](scim, team, attacker).status_code == 200
    assert state(organization, team) == (NAME, "scim", [attacker])


def _request(organization: Organization, team: str) -> link_requests.LinkRequest | None:
    return by_hand(organization, lambda unit: link_requests.last_request(unit.connection, unit.org_id, team))


def test_the_teams_page_shows_who_asked_and_where_to_offer_it(tmp_path: Any) -> None:
    with application(tmp_path, "acme") as (acme,):
        team = acme.desk.write(teams.create, NAME)
        acme.desk.write(grants.grant, "team", team.id, Role.ORGANIZATION_ADMIN, ORGANIZATION)
        acme.desk.write(organization_settings.switch_scim, on=True)
        assert "was refused" not in acme.see(f"teams/{team.id}").text
        assert _pushed(acme).status_code == 409
        page = acme.see(f"teams/{team.id}").text
        assert "to link a group to this team and was refused" in page
        assert f'<a href="/acme/settings/teams/{team.id}/link">offer the team for linking</a>' in page
        assert "An Organization Admin can offer the team" in acme.see(f"teams/{team.id}", "viewer").text
        acme.send(f"teams/{team.id}/link")
        assert "was refused" not in acme.see(f"teams/{team.id}").text.partition("Time line")[0]


def _pushed(acme: Acme) -> Any:
    headers = {"Authorization": f"Bearer {acme.scim_token}", "Content-Type": "application/scim+json"}
    return acme.client.post("/acme/scim/v2/Groups", json=make.group(NAME), headers=headers)
