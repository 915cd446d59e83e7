"""What Dagster+ does by SCIM, row by row: whoever comes from there finds the same behaviour."""

from collections.abc import Generator
from typing import Any

import make
import pytest
from acme import Acme, application

from scim_app.directory.roles import ORGANIZATION, Role
from scim_app.store.access import grants, organization_settings, organizations
from scim_app.store.credentials import break_glass, tokens
from scim_app.store.lifecycle import people, teams

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def application_of_two(tmp_path_factory: pytest.TempPathFactory) -> Generator[list[Acme]]:
    """Two organizations in one application."""
    with application(tmp_path_factory.mktemp("home"), "acme", "globex") as found:
        yield found


@pytest.fixture
def acme(application_of_two: list[Acme]) -> Acme:
    """The first of them, with SCIM on and without limits."""
    one = application_of_two[0]
    one.desk.write(organization_settings.change, seat_limit=None, default_role="viewer", user_name_policy="flag")
    one.desk.write(organization_settings.switch_scim, on=True)
    return one


def scim(acme: Acme, method: str, path: str, body: Any = None, token: str | None = None, agent: str = "") -> Any:
    """The answer to a SCIM request of the organization."""
    headers = {"Authorization": f"Bearer {token or acme.scim_token}", "Content-Type": "application/scim+json"}
    headers |= {"User-Agent": agent} if agent else {}
    return acme.client.request(method, f"/{acme.slug}/scim/v2{path}", headers=headers, json=body)


def pushed(acme: Acme, name: str, **attributes: Any) -> str:
    """The id of a user that the identity provider provisions."""
    return scim(acme, "POST", "/Users", make.user(name, **attributes)).json()["id"]


def test_01_each_organization_has_its_base_url_and_tokens(application_of_two: list[Acme], acme: Acme) -> None:
    globex = application_of_two[1]
    assert scim(acme, "GET", "/Users").status_code == 200
    wrong = scim(acme, "GET", "/Users", token=globex.scim_token)
    assert (wrong.status_code, wrong.json()["schemas"]) == (401, ["urn:ietf:params:scim:api:messages:2.0:Error"])


def test_02_test_api_credentials_passes(acme: Acme) -> None:
    users = scim(acme, "GET", "/Users?startIndex=1&count=2")
    assert (users.status_code, users.json()["itemsPerPage"]) == (200, 2)
    assert scim(acme, "GET", "/Groups").status_code == 200


def test_03_scim_is_switched_and_tokens_are_managed_by_organization_admins_alone(acme: Acme) -> None:
    assert acme.as_role("viewer", "PUT", "/scim", json={"enabled": False}).status_code == 403
    assert acme.as_role("admin", "POST", "/tokens", json={}).status_code == 403
    made = acme.as_role("organization_admin", "POST", "/tokens", json={"description": "Okta"}).json()
    assert scim(acme, "GET", "/Users", token=made["token"]).status_code == 200
    described = acme.as_role("organization_admin", "PATCH", f"/tokens/{made['id']}", json={"description": "Okta prod"})
    assert described.json()["description"] == "Okta prod"
    assert acme.as_role("organization_admin", "DELETE", f"/tokens/{made['id']}").status_code == 204
    assert scim(acme, "GET", "/Users", token=made["token"]).status_code == 401
    listed = {one.id: one.state for one in acme.desk.read(tokens.listing)}
    assert listed[made["id"]] == "revoked"
    assert acme.as_role("organization_admin", "PUT", "/scim", json={"enabled": False}).status_code == 200
    off = scim(acme, "GET", "/Users")
    assert (off.status_code, "switched off" in off.json()["detail"]) == (403, True)


@pytest.mark.parametrize(
    "body",
    [
        make.patch({"op": "replace", "value": {"active": False}}),
        make.patch({"op": "Replace", "path": "active", "value": "False"}),
        make.patch({"op": "Add", "path": "active", "value": "False"}),
    ],
    ids=["okta-pathless", "entra-text", "entra-add"],
)
def test_04_who_is_deactivated_or_unassigned_is_out_of_the_organization(
    acme: Acme, request: pytest.FixtureRequest, body: Any
) -> None:
    name = f"leaver-{request.node.callspec.id}@example.com"
    user_id = pushed(acme, name)
    changed = make.user(name, displayName="Ada", name={"givenName": "Ada"}, emails=[{"value": name, "primary": True}])
    assert scim(acme, "PUT", f"/Users/{user_id}", changed).json()["displayName"] == "Ada"
    assert scim(acme, "PATCH", f"/Users/{user_id}", body).json()["active"] is False
    with_access = {row["user_id"] for row in _snapshot(acme).effective_access}
    assert user_id not in with_access


def test_05_the_user_name_is_an_email_address_and_found_by_it(acme: Acme) -> None:
    pushed(acme, "Grace@Example.com")
    found = scim(acme, "GET", '/Users?filter=userName eq "grace@example.COM"').json()
    assert [one["userName"] for one in found["Resources"]] == ["Grace@Example.com"]
    assert scim(acme, "POST", "/Users", make.user("ghopper")).status_code == 201
    assert "ghopper" in [name for _, name in acme.desk.read(people.flagged)]
    acme.desk.write(organization_settings.change, user_name_policy="strict")
    refused = scim(acme, "POST", "/Users", make.user("no-email"))
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")
    assert "set the application username format to Email" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("name", "agent"), [('"Finance"', ""), ('"finance"', ""), ("Finance", "JumpCloud SCIM Client")]
)
def test_06_groups_have_a_name_an_external_id_and_members(acme: Acme, name: str, agent: str) -> None:
    scim(acme, "POST", "/Users", make.user("member@example.com"))
    scim(acme, "POST", "/Groups", make.group("Finance", externalId="g-finance"))
    found = scim(acme, "GET", f"/Groups?filter=displayName eq {name}", agent=agent).json()["Resources"]
    assert [(one["displayName"], one["externalId"]) for one in found] == [("Finance", "g-finance")]
    ada = scim(acme, "GET", '/Users?filter=userName eq "member@example.com"').json()["Resources"][0]["id"]
    add = make.patch({"op": "add", "path": "members", "value": [{"value": ada}]})
    scim(acme, "PATCH", f"/Groups/{found[0]['id']}", add)
    members = scim(acme, "GET", f"/Groups/{found[0]['id']}").json()["members"]
    assert [one["value"] for one in members] == [ada]


def test_07_a_group_becomes_a_team_or_is_linked_to_one_whose_members_it_replaces(acme: Acme) -> None:
    local, stays = pushed(acme, "local@example.com"), pushed(acme, "in-the-group@example.com")
    team = acme.desk.write(teams.create, "Analytics")
    acme.desk.write(teams.add_member, team.id, local)
    listed = scim(acme, "GET", '/Groups?filter=displayName eq "Analytics"').json()["Resources"][0]
    assert (listed["id"], "members" in listed) == (team.id, False)
    taken = scim(acme, "POST", "/Groups", make.group("Analytics", stays))
    assert (taken.status_code, taken.json()["scimType"]) == (409, "uniqueness")
    preview = acme.desk.read(teams.preview_link, team.id, ["in-the-group@example.com"])
    assert (preview.added, preview.removed) == (("in-the-group@example.com",), ("local@example.com",))
    linked = scim(acme, "PUT", f"/Groups/{team.id}", make.group("Analytics", stays))
    assert [one["value"] for one in linked.json()["members"]] == [stays]
    assert acme.desk.read(teams.get, "Analytics").origin == "scim"
    made = scim(acme, "POST", "/Groups", make.group("Pushed", stays)).json()
    assert acme.desk.read(teams.get, "Pushed").id == made["id"]


def test_07b_a_team_that_an_admin_offers_is_linked_by_the_groups_push(acme: Acme) -> None:
    member, team = pushed(acme, "offered@example.com"), acme.desk.write(teams.create, "Offered")
    acme.desk.write(grants.grant, "team", team.id, Role.EDITOR, ORGANIZATION)
    acme.desk.write(teams.offer, team.id)
    linked = scim(acme, "POST", "/Groups", make.group("Offered", member))
    assert (linked.status_code, linked.json()["id"]) == (201, team.id)
    assert acme.desk.read(grants.rows, grants.of_holder(team.id))[0]["role"] == "editor"


def test_08_scim_never_changes_a_grant_and_the_most_permissive_role_counts(acme: Acme) -> None:
    user_id = pushed(acme, "both@example.com")
    group = scim(acme, "POST", "/Groups", make.group("Granted", user_id)).json()["id"]
    acme.desk.write(grants.grant, "team", group, Role.EDITOR, ORGANIZATION)
    acme.desk.write(grants.grant, "user", user_id, Role.LAUNCHER, ORGANIZATION)
    before = acme.desk.read(grants.find)
    scim(acme, "PATCH", f"/Users/{user_id}", make.patch({"op": "replace", "path": "title", "value": "Lead"}))
    scim(acme, "PATCH", f"/Groups/{group}", make.patch({"op": "replace", "value": {"displayName": "Granted 2"}}))
    scim(acme, "PATCH", f"/Users/{user_id}", make.deactivate())
    scim(acme, "PATCH", f"/Users/{user_id}", make.patch({"op": "replace", "value": {"active": True}}))
    assert acme.desk.read(grants.find) == before
    shown = acme.as_key("GET", f"/users/{user_id}").json()
    assert shown["access_in_words"] == "Editor through team Granted 2"


def test_09_while_scim_is_on_nobody_is_added_and_only_unsynced_users_are_removed(acme: Acme) -> None:
    synced = pushed(acme, "synced@example.com")
    acme.desk.write(organization_settings.switch_scim, on=False)
    unsynced = acme.desk.write(people.add, "unsynced@example.com").id
    acme.desk.write(organization_settings.switch_scim, on=True)
    added = acme.as_role("organization_admin", "POST", "/users", json={"user_name": "new@example.com"})
    assert (added.status_code, "identity provider" in added.json()["detail"]) == (409, True)
    assert acme.as_role("organization_admin", "DELETE", f"/users/{synced}").status_code == 409
    listed = {
        one["id"]: one["origin"]
        for one in acme.as_role("viewer", "GET", "/users?search=synced@example.com").json()["users"]
    }
    assert listed == {synced: "scim", unsynced: "local"}
    assert acme.as_role("organization_admin", "DELETE", f"/users/{unsynced}").status_code == 204


def test_10_provisioning_an_account_that_exists_links_it(acme: Acme) -> None:
    acme.desk.write(organization_settings.switch_scim, on=False)
    user_id = acme.desk.write(people.add, "before-scim@example.com").id
    acme.desk.write(organization_settings.switch_scim, on=True)
    linked = scim(acme, "POST", "/Users", make.user("Before-SCIM@example.com", externalId="00u1"))
    assert (linked.status_code, linked.json()["id"]) == (201, user_id)
    assert acme.desk.read(people.get, user_id).origin == "scim"


def test_11_switching_scim_off_leaves_users_and_teams_which_can_be_removed_again(acme: Acme) -> None:
    user_id = pushed(acme, "stays@example.com")
    before = _counts(acme)
    acme.as_role("organization_admin", "PUT", "/scim", json={"enabled": False})
    assert _counts(acme) == before
    assert acme.as_role("organization_admin", "DELETE", f"/users/{user_id}").status_code == 204


def test_12_the_default_role_of_new_users_is_viewer_and_can_be_changed(acme: Acme) -> None:
    user_id = pushed(acme, "default@example.com")
    assert acme.as_key("GET", f"/users/{user_id}").json()["access_in_words"] == "Viewer by default"
    acme.as_role("organization_admin", "PATCH", "/settings", json={"default_role": "launcher"})
    assert acme.as_key("GET", f"/users/{user_id}").json()["access_in_words"] == "Launcher by default"


def test_13_no_seat_left_is_a_scim_error_and_the_last_admin_is_protected_but_never_from_leaving(acme: Acme) -> None:
    limit = acme.as_key("GET", "/settings").json()["seats_taken"]
    acme.desk.write(organization_settings.change, seat_limit=limit)
    full = scim(acme, "POST", "/Users", make.user("one-too-many@example.com"))
    assert (full.status_code, "the seat limit of" in full.json()["detail"]) == (403, True)
    acme.desk.write(organization_settings.change, seat_limit=None)
    admin = acme.desk.read(people.get, "organization_admin@acme.example.com").id
    (own,) = acme.desk.read(grants.find, grants.of_holder(admin))
    refused = acme.as_key("DELETE", f"/grants/{own.grant_id}")
    assert (refused.status_code, "last Organization Admin" in refused.json()["detail"]) == (409, True)
    acme.desk.write(break_glass.enable, "correct horse battery staple")
    scim(acme, "PUT", f"/Users/{admin}", make.user("organization_admin@acme.example.com"))
    assert scim(acme, "PATCH", f"/Users/{admin}", make.deactivate()).status_code == 200
    alarms = acme.as_key("GET", "/events?type=organization.orphaned").json()["events"]
    assert alarms[-1]["change"] == {"admins": [admin]}
    assert break_glass.matches(acme.desk.read(break_glass.find_digest), "correct horse battery staple")
    scim(acme, "PATCH", f"/Users/{admin}", make.patch({"op": "replace", "value": {"active": True}}))


def test_14_the_audit_log_has_one_event_per_change_with_its_actor_filters_and_a_cursor(acme: Acme) -> None:
    user_id = pushed(acme, "audited@example.com")
    token_id = acme.scim_token.split("_")[1]
    events = acme.as_key("GET", f"/events?subject={user_id}").json()["events"]
    assert [(one["type"], one["actor"]) for one in events] == [("user.created", token_id)]
    for asked in ("type=token.created", "type=scim.enabled", "type=team.created", f"actor={token_id}"):
        assert acme.as_key("GET", f"/events?{asked}").json()["events"], asked
    first = acme.as_key("GET", "/events?limit=2").json()
    assert acme.as_key("GET", f"/events?after={first['next']}&limit=1").json()["events"][0]["seq"] == 3


def test_15_both_identity_providers_have_a_guide() -> None:
    for name, words in (("okta", "Test API Credentials"), ("entra", "Secret Token")):
        assert words in (make.ROOT / "docs" / f"{name}.md").read_text()


def _counts(acme: Acme) -> dict[str, int]:
    with acme.export() as export:
        counts = export.counts(acme.desk.organization.id)
    return {name: number for name, number in counts.items() if name != "seq"}


def _snapshot(acme: Acme) -> Any:
    with acme.export() as export:
        return export.snapshot(acme.desk.organization.id, acme.desk.read(organizations.by_id).last_seq)
