"""A first sign-in as somebody with a privileged role waits until another admin, or the operator, has confirmed it."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any, cast

import make
import pytest
from acme import Acme, application
from fastapi import FastAPI
from hostile_provider import CLIENT_ID, CLIENT_SECRET, Answers, noting, provider

from scim_app.admin.oidc import Provider
from scim_app.directory.roles import ORGANIZATION, Role
from scim_app.store.access import grants, organization_settings
from scim_app.store.credentials import sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.lifecycle import people
from scim_app.store.sign_in import identities, setup_links

EVIL = "mallory@evil.example"


class Place:
    """An organization with a provider that says what it is told to say."""

    def __init__(self, acme: Acme, issuer: str, answers: Answers) -> None:
        self.acme, self.issuer, self.answers = acme, issuer, answers
        app = cast("FastAPI", acme.client.app)
        app.state.site = replace(acme.site, provider=Provider(issuer, CLIENT_ID, CLIENT_SECRET))

    def scim(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.acme.scim_token}", "Content-Type": "application/scim+json"}
        answer = self.acme.client.request(method, f"/acme/scim/v2{path}", headers=headers, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def sign_in(self, subject: str, email: str, held: str = "") -> Any:
        """The answer to a browser that comes back from the provider, with a session that it held before."""
        self.answers.claims = lambda honest: honest | {"sub": subject, "email": email}
        begun = self.acme.client.get("/acme/settings/sign-in/start")
        state = noting(self.answers, begun.headers["location"])["state"]
        cookies = begun.headers["set-cookie"].partition(";")[0]
        cookies += f"; scim_session_acme={held}" if held else ""
        return self.acme.client.get(f"/_/callback?state={state}&code=c", headers={"Cookie": cookies})

    def identities(self, user_id: str) -> list[str]:
        return [one.subject for one in self.acme.desk.read(identities.of_user, user_id)]


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with application(tmp_path_factory.mktemp("acme"), "acme") as (acme,), provider() as (issuer, answers):
        acme.desk.write(organization_settings.switch_scim, on=True)
        yield Place(acme, issuer, answers)


@pytest.fixture
def dana(place: Place) -> str:
    """An Organization Admin whom SCIM made, and who has not signed in yet."""
    made = place.scim("POST", "/Users", make.user("dana@example.com", externalId="00u1"))["id"]
    place.acme.desk.write(grants.grant, "user", made, Role.ORGANIZATION_ADMIN, ORGANIZATION)
    return made


def test_a_scim_token_that_renames_an_admin_does_not_sign_in_as_the_admin_who_still_does(
    place: Place, dana: str
) -> None:
    rename = make.patch({"op": "replace", "path": "userName", "value": EVIL})
    place.scim("PATCH", f"/Users/{dana}", rename)
    refused = place.sign_in("00u-mallory", EVIL)
    assert refused.status_code == 403
    assert "Waiting for a confirmation" in refused.text
    assert "scim_session_acme" not in refused.headers.get("set-cookie", "")
    assert place.identities(dana) == []
    assert place.sign_in("00u1", "dana@example.com").status_code == 303
    assert place.identities(dana) == ["00u1"]


def test_another_admin_confirms_on_the_persons_page_after_reading_who_asks(place: Place, dana: str) -> None:
    place.scim("PATCH", f"/Users/{dana}", make.patch({"op": "replace", "path": "userName", "value": "d@example.com"}))
    assert place.sign_in("s-2", "d@example.com").status_code == 403
    acme, form = place.acme, {"issuer": place.issuer, "subject": "s-2"}
    assert "1 first sign-in waits for a confirmation" in acme.see("users").text
    assert "waits for a confirmation" not in acme.see("users", "admin").text
    assert "s-2" in acme.see(f"users/{dana}").text
    assert "s-2" not in acme.see(f"users/{dana}", "admin").text
    asked = acme.send(f"users/{dana}/confirm-sign-in", **form)
    assert "dana@example.com" in asked.text
    assert place.identities(dana) == []
    assert acme.send(f"users/{dana}/confirm-sign-in", "admin", confirmed="yes", **form).status_code == 403
    assert acme.send(f"users/{dana}/confirm-sign-in", confirmed="yes", **form).status_code == 303
    assert place.identities(dana) == ["s-2"]
    assert place.sign_in("s-2", "d@example.com").status_code == 303
    assert acme.send(f"users/{dana}/confirm-sign-in", confirmed="yes", **form).status_code == 404


def test_nobody_confirms_the_own_sign_in_and_a_declined_one_stays_out(place: Place, dana: str) -> None:
    place.scim("PATCH", f"/Users/{dana}", make.patch({"op": "replace", "path": "userName", "value": EVIL}))
    place.sign_in("s-2", EVIL)
    acme, form = place.acme, {"issuer": place.issuer, "subject": "s-2"}
    acme.secrets["dana"] = acme.desk.write(sessions.start, SessionKind.OIDC, user_id=dana, name="dana")
    own = acme.send(f"users/{dana}/confirm-sign-in", "dana", confirmed="yes", **form)
    assert (own.status_code, "Another Organization Admin" in own.text) == (403, True)
    assert acme.send(f"users/{dana}/decline-sign-in", **form).status_code == 303
    assert "waits for a confirmation" not in acme.see("users").text
    assert place.identities(dana) == []


def test_look_alike_letters_sign_nobody_in(place: Place) -> None:
    place.scim("POST", "/Users", make.user("sam@example.com"))
    refused = place.sign_in("s-2", "\u017fam@example.com")
    assert (refused.status_code, "not an active member" in refused.text) == (403, True)
    assert place.sign_in("s-3", "SAM@example.com").status_code == 303


def test_a_browser_that_a_setup_link_opened_binds_whoever_signs_in_in_it(place: Place) -> None:
    dana, _, code = place.acme.desk.write(setup_links.make_for_admin, "dana@example.com")
    form = {"code": code}
    headers = {"Sec-Fetch-Site": "same-origin"}
    page = place.acme.client.get(f"/acme/settings/setup?code={code}")
    assert "signs you in as <b>dana@example.com</b>" in page.text
    opened = place.acme.client.post("/acme/settings/setup", data=form, headers=headers)
    assert opened.status_code == 303
    secret = opened.headers["set-cookie"].partition(";")[0].partition("=")[2]
    place.acme.secrets["dana"] = secret
    assert place.acme.see("tokens", "dana").status_code == 200
    place.scim("POST", "/Users", make.user("dana@example.com", externalId="00u-other"))
    place.scim("PATCH", f"/Users/{dana}", make.patch({"op": "replace", "path": "userName", "value": EVIL}))
    assert place.sign_in("s-2", "dana.of.the.provider@example.com", secret).status_code == 303
    assert place.identities(dana) == ["s-2"]
    assert place.acme.see("tokens", "dana").status_code == 303


def test_a_setup_session_binds_nobody_who_is_somebody_else(place: Place) -> None:
    dana, _, code = place.acme.desk.write(setup_links.make_for_admin, "dana@example.com")
    grace = place.scim("POST", "/Users", make.user("grace@example.com"))["id"]
    opened = place.acme.client.post(
        "/acme/settings/setup", data={"code": code}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    secret = opened.headers["set-cookie"].partition(";")[0].partition("=")[2]
    assert place.sign_in("s-2", "grace@example.com", secret).status_code == 303
    assert (place.identities(dana), place.identities(grace)) == ([], ["s-2"])


def test_by_entra_the_object_id_is_compared_and_the_subject_is_not() -> None:
    claims = {"sub": "pairwise", "oid": "0000-1111"}
    entra = Provider("https://login.microsoftonline.com/tenant/v2.0", "c", "s")
    other = Provider("https://acme.okta.com", "c", "s")
    chosen = Provider("https://idp.example", "c", "s", id_claim="employee")
    ids = [one._external_id(claims) for one in (entra, other, chosen)]  # pyright: ignore[reportPrivateUsage]
    assert ids == ["0000-1111", "pairwise", ""]


def test_the_operator_confirms_by_a_command(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    with application(home, "acme") as (acme,), provider() as (issuer, answers):
        place = Place(acme, issuer, answers)
        admin = acme.desk.read(people.get, "organization_admin@acme.example.com").id
        acme.desk.write(organization_settings.switch_scim, on=True)
        place.scim("PUT", f"/Users/{admin}", make.user("boss@example.com"))
        assert place.sign_in("s-2", "boss@example.com").status_code == 403
        listed = make.command("user", "waiting-sign-ins", "acme", "--json", home=home)
        assert '"subject":"s-2"' in listed.stdout
        assert make.command("user", "confirm-sign-in", "acme", "boss@example.com", home=home).returncode == 0
        assert place.sign_in("s-2", "boss@example.com").status_code == 303
        again = make.command("user", "confirm-sign-in", "acme", "boss@example.com", home=home)
        assert (again.returncode, "waiting-sign-ins" in again.stderr) == (1, True)
