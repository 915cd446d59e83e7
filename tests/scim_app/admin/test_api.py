"""What programs and signed-in browsers do by the API, and what they read when something is wrong."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import make
import pytest
from acme import Acme, application

from scim_app.directory.providers import IdentityProvider
from scim_app.store.credentials import api_keys, sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.lifecycle import people


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Generator[Acme]:
    """An organization in an application."""
    with application(tmp_path_factory.mktemp("home"), "acme") as (found,):
        yield found


def test_a_person_is_added_joins_a_team_and_gets_a_role(acme: Acme) -> None:
    ada = acme.as_key("POST", "/users", json={"user_name": "ada@example.com", "given_name": "Ada"}).json()
    team = acme.as_key("POST", "/teams", json={"display_name": "Analysts"}).json()
    assert acme.as_key("PUT", f"/teams/{team['id']}/members/{ada['id']}").status_code == 204
    place = {"scope_kind": "deployment", "scope_id": acme.ids["deployment_id"]}
    grant = acme.as_key(
        "POST", "/grants", json={"holder_kind": "team", "holder_id": team["id"], "role": "editor", **place}
    )
    assert (grant.status_code, grant.json()["holder_name"], grant.json()["scope_name"]) == (201, "Analysts", "prod")
    shown = acme.as_key("GET", f"/users/{ada['id']}").json()
    assert shown["access_in_words"] == "Editor on prod through team Analysts; Viewer by default"
    assert [one["display_name"] for one in shown["teams"]] == ["Analysts"]
    members = acme.as_key("GET", f"/teams/{team['id']}/members").json()["members"]
    assert [(one["user_name"], one["origin"], one["pending"]) for one in members] == [
        ("ada@example.com", "manual", False)
    ]
    assert acme.as_key("DELETE", f"/grants/{grant.json()['grant_id']}").status_code == 204
    assert acme.as_key("GET", f"/grants?holder={team['id']}").json() == {"grants": []}


def test_lists_go_by_pages_and_filters(acme: Acme) -> None:
    for number in range(60):
        acme.desk.write(people.add, f"page-{number:02}@example.com")
    first = acme.as_key("GET", "/users?search=page-").json()
    second = acme.as_key("GET", f"/users?search=page-&after={first['next']}").json()
    names = [one["user_name"] for one in first["users"] + second["users"]]
    assert (len(first["users"]), second["next"]) == (50, None)
    assert names == [f"page-{number:02}@example.com" for number in range(60)]
    assert acme.as_key("GET", "/users?role=organization_admin").json()["users"][0]["role"] == "organization_admin"


def test_events_are_read_by_a_cursor_without_a_gap(acme: Acme) -> None:
    after, seen = 0, []
    while rows := acme.as_key("GET", f"/events?after={after}&limit=7").json():
        if not rows["events"]:
            break
        seen += [one["seq"] for one in rows["events"]]
        after = rows["next"]
    assert seen == list(range(1, len(seen) + 1))
    assert after == len(seen)
    granted = acme.as_key("GET", "/events?type=role.granted").json()["events"]
    assert {one["type"] for one in granted} == {"role.granted"}
    assert granted[0]["change"]["grant"]["role"] == "organization_admin"


def test_a_change_is_recorded_with_the_key_and_the_request(acme: Acme) -> None:
    answer = acme.as_key("POST", "/deployments", json={"name": "staging"})
    events = acme.as_key("GET", "/events?type=deployment.added").json()["events"]
    last = events[-1]
    assert (last["subject_name"], last["actor"]) == ("staging", f"key {acme.ids['key_id']}")
    assert (last["method"], last["path"], last["request_id"]) == (
        "POST",
        "/acme/api/deployments",
        answer.headers["x-request-id"],
    )


def test_a_token_is_made_for_an_identity_provider_of_the_list(acme: Acme) -> None:
    for idp in IdentityProvider:
        made = acme.as_role("organization_admin", "POST", "/tokens", json={"idp": idp})
        assert made.json()["idp"] == idp
    refused = acme.as_role("organization_admin", "POST", "/tokens", json={"idp": "Entra ID"})
    assert refused.status_code == 422
    assert all(repr(str(idp)) in refused.text for idp in IdentityProvider)
    page = acme.see("tokens").text
    assert all(f'<option value="{idp}"' in page for idp in IdentityProvider)


def test_secrets_are_in_the_answer_that_makes_them_and_in_no_other(acme: Acme) -> None:
    token = acme.as_role("organization_admin", "POST", "/tokens", json={"idp": "okta", "days": 20}).json()
    assert token["token"].startswith("scim_")
    body = {"overlap_hours": 1}
    rotated = acme.as_role("organization_admin", "POST", f"/tokens/{token['id']}/rotate", json=body).json()
    listed = {one["id"]: one for one in acme.as_key("GET", "/tokens").json()["tokens"]}
    assert (listed[token["id"]]["state"], listed[rotated["id"]]["state"]) == ("replaced", "valid")
    assert listed[token["id"]]["created_by"] == acme.desk.read(people.get, "organization_admin@acme.example.com").id
    text = str(listed) + str(acme.as_role("organization_admin", "GET", "/keys").json())
    assert not any(secret in text for secret in (token["token"], rotated["token"], acme.key))
    assert acme.as_role("organization_admin", "POST", "/keys", json={"scopes": ["audit:read"]}).status_code == 201


def test_settings_are_changed_and_the_rest_stays(acme: Acme) -> None:
    before = acme.as_key("GET", "/settings").json()
    after = acme.as_key("PATCH", "/settings", json={"seat_limit": 500}).json()
    assert (after["seat_limit"], after["default_role"]) == (500, before["default_role"])
    assert acme.as_key("PATCH", "/settings", json={"seat_limit": None}).json()["seat_limit"] is None
    assert acme.as_key("PUT", "/scim", json={"enabled": True}).json()["scim_enabled"] is True
    assert (
        acme.as_key("POST", "/users", json={"user_name": "new@example.com"})
        .json()["detail"]
        .startswith("people are added in the identity provider")
    )
    acme.as_key("PUT", "/scim", json={"enabled": False})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", "/users/nobody", None, 404, "there is no user 'nobody'"),
        ("POST", "/users", {"user_name": "ada"}, 422, "is not an e-mail address"),
        ("POST", "/users", {"user_name": "a@example.com", "admin": True}, 422, "see errors"),
        ("POST", "/users", {}, 422, "see errors"),
        ("POST", "/teams", {"display_name": "data platform"}, 409, "there is a team 'Data Platform' already"),
        ("POST", "/teams", {"display_name": "\x00"}, 422, ""),
        ("POST", "/keys", {"scopes": ["audit:read"]}, 403, "manage_api_keys"),
        ("POST", "/grants", {"holder_kind": "user", "holder_id": "x", "role": "king"}, 422, "see errors"),
        ("GET", "/events?limit=100000", None, 422, "see errors"),
        ("GET", "/users?after=nonsense", None, 422, "`next`"),
        ("GET", "/requests/none", None, 404, "no request 'none'"),
        ("PATCH", "/settings", {"time_zone": "Mars"}, 422, "'Mars' is not a time zone"),
    ],
)
def test_a_mistake_is_a_problem_body(acme: Acme, method: str, path: str, body: Any, status: int, said: str) -> None:
    answer = acme.as_key(method, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert said in answer.json()["detail"]
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"display_name": "\\ud800"}', b"[" * 5000, b'{"x": NaN}', b""])
def test_a_body_that_is_no_json_is_never_our_fault(acme: Acme, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {acme.key}", "Content-Type": "application/json"}
    answer = acme.client.post("/acme/api/teams", content=body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text


def test_a_large_body_is_not_read(acme: Acme) -> None:
    assert acme.as_key("POST", "/teams", json={"display_name": "x" * 70_000}).status_code == 413


def test_a_browser_changes_nothing_without_the_pages_token(acme: Acme) -> None:
    body = {"display_name": "By a browser"}
    refused = acme.as_role("organization_admin", "POST", "/teams", csrf=False, json=body)
    assert (refused.status_code, "X-CSRF-Token" in refused.json()["detail"]) == (403, True)
    assert acme.as_role("organization_admin", "POST", "/teams", json=body).status_code == 201
    assert acme.as_role("organization_admin", "GET", "/teams", csrf=False).status_code == 200


def test_an_admin_of_one_deployment_grants_there_alone(acme: Acme) -> None:
    body = {"holder_kind": "team", "holder_id": acme.ids["team_id"], "role": "editor"}
    place = {"scope_kind": "deployment", "scope_id": acme.ids["deployment_id"]}
    assert acme.as_role("admin", "POST", "/grants", json={**body, **place}).status_code == 201
    assert acme.as_role("admin", "POST", "/grants", json=body).status_code == 403


def test_a_revoked_key_and_a_deactivated_persons_session_are_dead_on_the_next_request(acme: Acme) -> None:
    text = acme.new_key("directory:read")
    assert acme.as_key("GET", "/users", text).status_code == 200
    acme.desk.write(api_keys.revoke, text.split("_")[1])
    assert acme.as_key("GET", "/users", text).status_code == 401
    person = acme.desk.write(people.add, "leaver@example.com")
    acme.secrets["leaver"] = acme.desk.write(sessions.start, SessionKind.OIDC, user_id=person.id, name="leaver")
    assert acme.as_role("leaver", "GET", "/users").status_code == 200
    acme.as_key("PUT", "/scim", json={"enabled": True})
    scim = {"Authorization": f"Bearer {acme.scim_token}", "Content-Type": "application/scim+json"}
    off = acme.client.patch(f"/acme/scim/v2/Users/{person.id}", json=make.deactivate(), headers=scim)
    assert off.status_code == 200
    assert acme.as_role("leaver", "GET", "/users").status_code == 401
    acme.as_key("PUT", "/scim", json={"enabled": False})
    acme.desk.write(people.restore, person.id)
    assert acme.as_role("leaver", "GET", "/users").status_code == 401


@pytest.mark.parametrize("path", ["/Users", "/Groups", "/Schemas"])
def test_neither_a_key_nor_a_session_opens_scim(acme: Acme, path: str) -> None:
    cookie = f"{acme.site.cookie('session_acme')}={acme.secrets['organization_admin']}"
    for headers in ({"Authorization": f"Bearer {acme.key}"}, {"Cookie": cookie}):
        assert acme.client.get(f"/acme/scim/v2{path}", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "offered",
    [
        *("", "Bearer", "Bearer ", "Bearer null", "Bearer undefined", "bearer None", 'Bearer ""', "Basic {key}"),
        *("{key}", "Bearer {key}x", "Bearer {key},Bearer {key}", "Token {key}"),
    ],
)
def test_what_is_not_a_key_is_refused_alike(acme: Acme, offered: str) -> None:
    answer = acme.client.get("/acme/api/users", headers={"Authorization": offered.replace("{key}", acme.key)})
    assert answer.status_code == 401
    assert acme.client.get(f"/acme/api/users?access_token={acme.key}").status_code == 401


def test_the_description_names_every_route_and_what_it_needs(acme: Acme) -> None:
    described = acme.client.get("/api/openapi.json").json()
    assert described["paths"]["/{org}/api/events"]["get"]["x-permission"] == "see_audit_log"
    page = acme.client.get("/api/docs")
    assert all(path in page.text for path in described["paths"])


def test_the_log_still_tells_the_state(acme: Acme) -> None:
    with acme.export() as export:
        assert export.unexplained(acme.desk.organization.id) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/users?role=boss", "choose one of: organization_admin, admin, editor, launcher, viewer"),
        ("/users?state=gone", "choose one of: active, inactive"),
        ("/users?origin=okta", "choose one of: scim, local"),
        ("/users?sort=age", "choose one of: name, changed"),
        ("/users?stat=active", "this route reads after, origin, role, search, sort, state, team"),
        ("/teams?origin=okta", "choose one of: scim, local"),
        ("/teams?role=viewer", "this route reads after, origin, search, sort"),
        ("/events?type=user.vanished", "user.created"),
        ("/events?since=yesterday", "write it like 2026-11-25"),
        ("/events?until=32", "write it like 2026-11-25"),
        ("/requests?outcome=bad", "choose one of: ok, failed"),
        ("/requests?method=FETCH", "choose one of: GET, POST, PUT, PATCH, DELETE"),
        ("/requests?cause=luck", "name_taken"),
        ("/health?verbose=1", "this route reads none"),
    ],
)
def test_a_filter_that_there_is_not_is_refused_with_those_that_there_are(acme: Acme, path: str, said: str) -> None:
    refused = acme.as_key("GET", path)
    assert (refused.status_code, said in refused.json()["detail"]) == (422, True), refused.text


def test_events_are_read_from_a_moment_in_any_zone(acme: Acme) -> None:
    events = acme.as_key("GET", "/events?limit=1000").json()["events"]
    middle = datetime.fromisoformat(events[2]["at"])
    late = [event["seq"] for event in events if event["at"] >= events[2]["at"]]
    for zone in (UTC, timezone(timedelta(hours=-7))):
        asked = {"since": middle.astimezone(zone).isoformat(), "limit": 1000}
        rows = acme.as_key("GET", "/events", params=asked).json()["events"]
        assert [event["seq"] for event in rows] == late
