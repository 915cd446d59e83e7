"""Credentials are made and taken away only a moment after their maker proved who it is."""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import quote

import pytest
from acme import ADDRESS, Acme, application
from fastapi import FastAPI
from hostile_provider import CLIENT_ID, CLIENT_SECRET, noting, provider

from scim_app.admin.oidc import Provider
from scim_app.admin.viewers import csrf_token
from scim_app.store.credentials import api_keys, break_glass, sessions, tokens
from scim_app.store.credentials.sessions import RECENT, SessionKind
from scim_app.store.db.stamps import instant
from scim_app.store.lifecycle import people

AGAIN = "/acme/settings/sign-in?again=yes&next="
FORMS = (
    "tokens",
    "tokens/{token_id}/rotate",
    "tokens/{token_id}/revoke",
    "keys",
    "keys/{key_id}/revoke",
    "users/{user_id}/forget",
)
ROUTES = (
    *(("POST", "/tokens"), ("POST", "/tokens/{token_id}/rotate"), ("DELETE", "/tokens/{token_id}")),
    *(("POST", "/keys"), ("DELETE", "/keys/{key_id}"), ("PUT", "/break-glass")),
    ("DELETE", "/users/{user_id}/identities"),
)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Generator[Acme]:
    """An organization whose admin signed in a while ago, `late`, and just now, `organization_admin`."""
    with application(tmp_path_factory.mktemp("home"), "acme") as (found,):
        admin = found.desk.read(people.get, "organization_admin@acme.example.com").id
        before = instant(datetime.now(UTC) - RECENT - timedelta(seconds=1))
        found.secrets["late"] = found.desk.write(
            sessions.start, SessionKind.OIDC, user_id=admin, name="admin", authenticated_at=before
        )
        yield found


@pytest.mark.parametrize("form", [*FORMS, "general/emergency"])
def test_who_signed_in_a_while_ago_is_asked_again_and_comes_back_to_the_section(acme: Acme, form: str) -> None:
    before = acme.desk.read(tokens.listing), acme.desk.read(api_keys.listing)
    answer = acme.send(form.format(**acme.ids), "late", confirmed="yes", password="a long enough password")
    section = form.partition("/")[0]
    assert (answer.status_code, answer.headers["location"]) == (303, AGAIN + quote(f"/acme/settings/{section}"))
    assert "Confirm that it is you" in acme.client.get(answer.headers["location"]).text
    assert (acme.desk.read(tokens.listing), acme.desk.read(api_keys.listing)) == before
    assert acme.desk.read(break_glass.find) is None


@pytest.mark.parametrize("section", ["tokens", "keys", "general"])
def test_the_pages_say_so_before_and_only_to_those_whom_it_concerns(acme: Acme, section: str) -> None:
    words = "Confirm that it is you"
    assert words in acme.see(section, "late").text
    assert words not in acme.see(section).text


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_api_asks_it_of_browsers_and_does_none_of_it_for_a_key(acme: Acme, method: str, path: str) -> None:
    path, done = path.format(**dict.fromkeys(acme.ids, "nothing")), (201, 204, 404, 422)
    refused = acme.as_role("late", method, path, json={})
    assert (refused.status_code, "sign in again" in refused.json()["detail"]) == (403, True)
    assert acme.as_role("organization_admin", method, path, json={}).status_code in done
    by_key = acme.as_key(method, path, json={})
    assert (by_key.status_code, "no API key has the permission" in by_key.json()["detail"]) == (403, True)


def test_looking_and_describing_ask_nothing(acme: Acme) -> None:
    described = acme.send(f"tokens/{acme.ids['token_id']}/describe", "late", description="Okta")
    assert described.headers["location"] == "/acme/settings/tokens"


def test_a_session_of_a_setup_link_is_not_asked(acme: Acme) -> None:
    before = instant(datetime.now(UTC) - RECENT * 2)
    acme.secrets["setup"] = acme.desk.write(
        sessions.start, SessionKind.SETUP, user_id=None, name="Local administrator", authenticated_at=before
    )
    assert acme.send("tokens", "setup", description="Okta").status_code == 200


def test_a_sign_in_is_an_event_of_the_user_whatever_it_is_called_and_read_by_name(acme: Acme) -> None:
    ada = acme.desk.write(people.add, "ada@example.com", display_name="Ada Lovelace")
    with provider() as (issuer, answers):
        site = replace(acme.site, provider=Provider(issuer, CLIENT_ID, CLIENT_SECRET))
        cast("FastAPI", acme.client.app).state.site = site
        begun = acme.client.get("/acme/settings/sign-in/start?next=/acme/settings/teams")
        state = noting(answers, begun.headers["location"])["state"]
        flow = {"Cookie": begun.headers["set-cookie"].partition(";")[0]}
        done = acme.client.get(f"/_/callback?state={state}&code=c", headers=flow)
        cast("FastAPI", acme.client.app).state.site = acme.site
    assert done.headers["location"] == "/acme/settings/teams"
    for actor in (ada.id, "ada@example.com", "Ada Lovelace"):
        found = acme.as_key("GET", f"/events?actor={quote(actor)}&type=session.started").json()["events"]
        assert [one["actor"] for one in found] == [ada.id]
    page = acme.see("audit?type=session.started").text
    assert "<span>Ada Lovelace</span>" in page
    assert ada.id not in page


def test_signing_in_again_ends_the_session_before_and_leads_back(acme: Acme) -> None:
    password = "correct horse battery staple"
    acme.desk.write(break_glass.enable, password)
    old = acme.desk.write(sessions.start, SessionKind.BREAK_GLASS, user_id=None, name="Emergency account")
    form = {"password": password, "csrf": csrf_token(acme.site, "sign-in acme"), "next": "/acme/settings/keys"}
    held = {"Cookie": f"scim_session_acme={old}"}
    headers = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin", **held}
    path = "/acme/settings/sign-in/emergency"
    begun = acme.client.post(path, data=form, headers=headers)
    assert begun.headers["location"] == "/acme/settings/keys"
    assert acme.client.get("/acme/settings/users", headers=held).status_code == 303
    acme.secrets["emergency"] = begun.headers["set-cookie"].partition(";")[0].partition("=")[2]
    assert acme.send("keys", "emergency", **{"scope audit:read": "yes"}).status_code == 200
    elsewhere = acme.client.post(path, data=form | {"next": "https://evil.example"}, headers=headers)
    assert elsewhere.headers["location"] == "/acme/settings"
