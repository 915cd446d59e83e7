"""What an admin does on the pages of people and teams, and sees afterwards."""

import re
from collections.abc import Generator
from typing import Any

import make
import pytest
from acme import Acme, application

from scim_app.store.access import organization_settings
from scim_app.store.credentials import api_keys, sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.lifecycle import people, teams
from scim_app.store.sign_in import identities
from scim_app.store.sign_in.recognition import Person


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Generator[Acme]:
    with application(tmp_path_factory.mktemp("home"), "acme") as (found,):
        yield found


def listed(page: str) -> list[str]:
    """The labels of the people or teams in a list."""
    return re.findall(r'class="person">.*?<a href="[^"]+">([^<]+)</a>', page)


def undo_of(acme: Acme, answer: Any) -> str:
    """Where the notice after a form offers to undo it."""
    cookie = answer.headers["set-cookie"].partition(";")[0]
    session = f"{acme.site.cookie('session_acme')}={acme.secrets['organization_admin']}"
    page = acme.client.get(answer.headers["location"], headers={"Cookie": f"{session}; {cookie}"}).text
    found = re.search(r'role="status".*?action="/acme/settings/([^"]+)"', page)
    assert found, page
    return found[1]


def test_a_removed_user_is_listed_and_comes_back_by_undo(acme: Acme) -> None:
    user = acme.desk.write(people.add, "gone@example.com", display_name="Gone Soon")
    asked = acme.send(f"users/{user.id}/remove")
    assert "Remove Gone Soon?" in asked.text
    removed = acme.send(f"users/{user.id}/remove", confirmed="yes")
    assert "Removed lately" in acme.see("users").text
    assert undo_of(acme, removed) == f"users/{user.id}/restore"
    acme.send(f"users/{user.id}/restore")
    assert "Gone Soon" in listed(acme.see("users").text)
    assert "Removed lately" not in acme.see("users").text


def test_a_removed_team_is_listed_and_comes_back_by_undo(acme: Acme) -> None:
    team = acme.desk.write(teams.create, "Short-lived")
    removed = acme.send(f"teams/{team.id}/remove", confirmed="yes")
    page = acme.see("teams")
    assert (page.status_code, "Removed lately" in page.text) == (200, True)
    assert undo_of(acme, removed) == f"teams/{team.id}/restore"
    acme.send(f"teams/{team.id}/restore")
    assert "Short-lived" in listed(acme.see("teams").text)


def test_a_viewer_sees_what_was_removed_but_no_way_to_restore_it(acme: Acme) -> None:
    team = acme.desk.write(teams.create, "Removed")
    acme.desk.write(teams.remove, team.id)
    page = acme.see("teams", "viewer").text
    assert "Removed lately" in page
    assert f"teams/{team.id}/restore" not in page


@pytest.mark.parametrize("asked", ["Analysts", "ANALYSTS", "{id}", "nalys"])
def test_users_are_filtered_by_team(acme: Acme, asked: str) -> None:
    name = f"{asked.strip('{}')}@example.com".lower()
    user = acme.desk.write(people.add, name) if asked != "ANALYSTS" else acme.desk.read(people.get, name)
    team = acme.desk.write(teams.create, "Analysts") if asked == "Analysts" else acme.desk.read(teams.get, "Analysts")
    acme.desk.write(teams.add_member, team.id, user.id)
    found = listed(acme.see(f"users?team={asked.format(id=team.id)}").text)
    assert name in found
    assert "viewer@acme.example.com" not in found
    by_api = acme.as_key("GET", f"/users?team={asked.format(id=team.id)}").json()["users"]
    assert [one["user_name"] for one in by_api] == found


def test_a_team_of_exactly_this_name_is_meant_before_those_that_contain_it(acme: Acme) -> None:
    for team_name, name in (("Ops", "ops@example.com"), ("Ops on call", "call@example.com")):
        team, user = acme.desk.write(teams.create, team_name), acme.desk.write(people.add, name)
        acme.desk.write(teams.add_member, team.id, user.id)
    assert listed(acme.see("users?team=ops").text) == ["ops@example.com"]
    assert listed(acme.see("users?team=op").text) == ["call@example.com", "ops@example.com"]
    assert "Nobody matches" in acme.see("users?team=no-such-team").text


def test_thresholds_of_reports_are_changed_on_the_page_and_by_the_api(acme: Acme) -> None:
    page = acme.see("general").text
    assert re.search(r'name="dormant_days"[^>]*value="90"', page)
    rest = {"name": "Acme", "default_role": "viewer", "user_name_policy": "flag", "deprovision_sla_hours": "24"}
    assert acme.send("general", **rest, dormant_days="60").status_code == 303
    found = acme.as_key("GET", "/settings").json()
    assert (found["dormant_days"], found["review_days"], found["deprovision_sla_seconds"]) == (60, 92, 86_400)
    refused = acme.send("general", **rest, dormant_days="0")
    assert (refused.status_code, "use a whole number from 1 to 3650" in refused.text) == (422, True)
    assert 'name="dormant_days" inputmode="numeric" pattern="[0-9]*" value="0"' in refused.text
    assert acme.as_key("PATCH", "/settings", json={"dormant_days": 0}).status_code == 422
    assert acme.as_key("PATCH", "/settings", json={"dormant_days": None}).status_code == 422
    assert acme.as_key("PATCH", "/settings", json={"dormant_days": 90}).json()["dormant_days"] == 90


@pytest.mark.parametrize("days", ["0", "731", "99999999999"])
@pytest.mark.parametrize("section", ["keys", "tokens"])
def test_a_credential_lives_for_two_years_at_most(acme: Acme, section: str, days: str) -> None:
    answer = acme.send(section, description="For ever", days=days, **{"scope audit:read": "yes"})
    assert (answer.status_code, "valid for 1 to 730 days" in answer.text) == (422, True)
    assert "For ever" not in acme.see(section).text


def test_a_key_is_made_with_scopes_shown_once_used_and_revoked(acme: Acme) -> None:
    made = acme.send("keys", description="Nightly export", days="30", **{"scope audit:read": "yes"})
    (text,) = re.findall(r'value="(key_\w+)"', made.text)
    page = acme.see("keys").text
    assert ("Nightly export" in page, "audit:read" in page, text in page) == (True, True, False)
    assert acme.as_key("GET", "/events", text).status_code == 200
    assert acme.as_key("GET", "/users", text).status_code == 403
    key_id = text.split("_")[1]
    make.until(lambda: acme.desk.read(api_keys.get, key_id).last_used_ip == "testclient", what="the note of its use")
    assert "can&#39;t be given back" in acme.send(f"keys/{key_id}/revoke").text
    assert acme.send(f"keys/{key_id}/revoke", confirmed="yes").status_code == 303
    assert acme.as_key("GET", "/events", text).status_code == 401


def test_a_key_without_a_scope_is_not_made(acme: Acme) -> None:
    before = acme.desk.read(api_keys.listing)
    refused = acme.send("keys", description="Nothing")
    assert (refused.status_code, "one or more of these scopes" in refused.text) == (422, True)
    assert acme.desk.read(api_keys.listing) == before


def test_a_user_that_is_not_synced_is_edited_and_its_address_goes_along(acme: Acme) -> None:
    user = acme.desk.write(people.add, "typo@example.com", given_name="Ada")
    assert 'value="typo@example.com"' in acme.see(f"users/{user.id}/edit").text
    fields = {"user_name": "ada@example.com", "given_name": "Ada", "family_name": "Byron", "display_name": ""}
    assert acme.send(f"users/{user.id}/edit", **fields).status_code == 303
    document = acme.desk.read(people.get, user.id).load()
    assert (document["userName"], document["emails"][0]["value"]) == ("ada@example.com", "ada@example.com")
    assert (document["name"], "displayName" in document) == ({"givenName": "Ada", "familyName": "Byron"}, False)
    wrong = acme.send(f"users/{user.id}/edit", **fields | {"user_name": "ada"})
    assert (wrong.status_code, "is not an e-mail address" in wrong.text) == (422, True)
    taken = acme.send(f"users/{user.id}/edit", **fields | {"user_name": "viewer@acme.example.com"})
    assert "There is another user" in taken.text
    changed = acme.as_key("PATCH", f"/users/{user.id}", json={"display_name": "Ada Lovelace"}).json()
    assert (changed["document"]["displayName"], changed["document"]["userName"]) == ("Ada Lovelace", "ada@example.com")


def test_a_synced_user_is_edited_in_the_identity_provider(acme: Acme) -> None:
    acme.desk.write(organization_settings.switch_scim, on=True)
    headers = {"Authorization": f"Bearer {acme.scim_token}", "Content-Type": "application/scim+json"}
    made = acme.client.post("/acme/scim/v2/Users", json=make.user("synced@example.com"), headers=headers).json()["id"]
    page = acme.see(f"users/{made}").text
    assert f"users/{made}/edit" not in page
    assert "changed and removed in the identity provider" in page
    refused = acme.as_key("PATCH", f"/users/{made}", json={"display_name": "X"})
    assert (refused.status_code, "change it in the identity provider" in refused.json()["detail"]) == (409, True)
    acme.desk.write(organization_settings.switch_scim, on=False)
    assert acme.as_key("PATCH", f"/users/{made}", json={"display_name": "X"}).status_code == 200


def moved_person(subject: str) -> Person:
    """Whom the provider knows by an id of its own and by the address of a user."""
    return Person("https://issuer.example", subject, "moved@example.com", subject)


def test_how_a_person_signs_in_is_shown_and_forgotten_which_signs_it_out(acme: Acme) -> None:
    user = acme.desk.write(people.add, "moved@example.com", display_name="Moved")
    acme.desk.write(identities.member_of, moved_person("old-account"))
    acme.secrets["moved"] = acme.desk.write(sessions.start, SessionKind.OIDC, user_id=user.id, name="moved")
    assert "old-account" in acme.see(f"users/{user.id}").text
    assert "Known there as" not in acme.see(f"users/{user.id}", "viewer").text
    known = acme.as_key("GET", f"/users/{user.id}/identities").json()["identities"]
    assert [(one["issuer"], one["subject"]) for one in known] == [("https://issuer.example", "old-account")]
    assert "signed out everywhere" in acme.send(f"users/{user.id}/forget").text
    assert acme.send(f"users/{user.id}/forget", confirmed="yes").status_code == 303
    assert acme.see("users", "moved").status_code == 303
    assert "Has not signed in yet" in acme.see(f"users/{user.id}").text
    bound = acme.desk.write(identities.member_of, moved_person("new-account"))
    assert bound.id == user.id
    assert acme.as_key("DELETE", f"/users/{user.id}/identities").status_code == 403
    assert acme.as_role("organization_admin", "DELETE", f"/users/{user.id}/identities").status_code == 204
    told = [event["type"] for event in acme.as_key("GET", f"/events?subject={user.id}").json()["events"]]
    assert [one for one in told if "identity" in one] == ["identity.bound", "identity.forgotten"] * 2
    assert acme.as_role("organization_admin", "DELETE", f"/users/{user.id}/identities").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        *("users?role=boss", "users?sort=age", "teams?origin=okta", "provisioning/requests?cause=luck"),
        *("audit?type=user.vanished", "audit?since=yesterday", "audit.csv?type=user.vanished"),
    ],
)
def test_a_filter_that_there_is_not_shows_what_to_choose(acme: Acme, address: str) -> None:
    page = acme.see(address)
    assert page.status_code == 400
    assert re.search("[Cc]hoose one of: |A day is written like", page.text)


def test_the_audit_log_says_who_by_name_and_finds_by_it(acme: Acme) -> None:
    acme.as_key("POST", "/deployments", json={"name": "by a key"})
    text = acme.new_key("directory:write", description="Nightly job")
    acme.as_key("POST", "/teams", text, json={"display_name": "Made by a job"})
    page = acme.see("audit?actor=API+key+Nightly+job").text
    assert "<span>API key Nightly job</span>" in page
    assert "Made by a job" in page
    assert "by a key" not in page


def test_reports_are_listed_with_what_people_read_first_and_given_out_as_written(acme: Acme) -> None:
    assert "No reports yet" in acme.see("reports").text
    pack = acme.site.settings.reports_path / "acme" / "quarterly_access_review" / "2026-Q3"
    pack.mkdir(parents=True)
    for name in ("report.pdf", "report.html", "members.csv", "manifest.json", "secret.key"):
        (pack / name).write_bytes(b"as written: " + name.encode())
    page = acme.see("reports").text
    assert ("Access review" in page, "2026-Q3" in page, "secret.key" in page) == (True, True, False)
    names = re.findall(r"reports/quarterly_access_review/2026-Q3/([^\"]+)", page)
    assert names == ["report.pdf", "report.html", "manifest.json", "members.csv"]
    given = acme.see("reports/quarterly_access_review/2026-Q3/report.html")
    assert (given.content, given.headers["content-disposition"]) == (
        b"as written: report.html",
        'attachment; filename="report.html"',
    )
    assert acme.see("reports/quarterly_access_review/2026-Q3/secret.key").status_code == 404


def test_the_log_still_tells_the_state(acme: Acme) -> None:
    with acme.export() as export:
        assert export.unexplained(acme.desk.organization.id) == []
