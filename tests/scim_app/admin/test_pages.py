"""What an admin does on the pages of people and teams, and sees afterwards."""

import re
from collections.abc import Generator
from typing import Any

import pytest
from acme import Acme, application

from scim_app.store import people, teams


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
