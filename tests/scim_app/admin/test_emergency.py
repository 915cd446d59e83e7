"""The emergency password: off by default, good for a session where it is on, and not to be guessed."""

from collections.abc import Generator
from typing import Any

import pytest
from acme import ADDRESS, Acme, application

from scim_app.admin import sign_in
from scim_app.admin.viewers import csrf_token
from scim_app.store import break_glass

PASSWORD = "correct horse battery staple"


@pytest.fixture
def acme(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Generator[Acme]:
    """An organization whose password nobody has tried yet."""
    monkeypatch.setattr(sign_in, "emergency_tries", sign_in.Attempts(5, seconds=60))
    with application(tmp_path_factory.mktemp("acme"), "acme") as (made,):
        yield made


def attempt(acme: Acme, password: str) -> Any:
    """The answer to an attempt to sign in."""
    form = {"password": password, "csrf": csrf_token(acme.site, "sign-in acme")}
    headers = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
    return acme.client.post("/acme/settings/sign-in/emergency", data=form, headers=headers)


def types(acme: Acme) -> list[str]:
    """What happened, in order."""
    with acme.export() as export:
        return [event["type"] for event in export.events(acme.desk.organization.id, limit=1000)]


def test_the_password_opens_the_settings_only_where_it_is_on(acme: Acme) -> None:
    assert attempt(acme, PASSWORD).status_code == 403
    acme.desk.write(break_glass.enable, PASSWORD)
    assert attempt(acme, PASSWORD + "r").status_code == 403

    begun = attempt(acme, PASSWORD)
    assert begun.status_code == 303
    assert types(acme)[-1] == "session.started"
    name, _, rest = begun.headers["set-cookie"].partition("=")
    cookie = {"Cookie": f"{name}={rest.partition(';')[0]}"}
    assert acme.client.get("/acme/settings/users", headers=cookie).status_code == 200

    acme.desk.write(break_glass.disable)
    assert acme.client.get("/acme/settings/users", headers=cookie).status_code == 303
    assert attempt(acme, PASSWORD).status_code == 403


def test_guessing_stops_after_five_attempts_and_each_is_an_event(acme: Acme) -> None:
    acme.desk.write(break_glass.enable, PASSWORD)
    assert [attempt(acme, f"guess number {number}").status_code for number in range(7)] == [403] * 5 + [429] * 2
    assert attempt(acme, PASSWORD).status_code == 429
    assert types(acme).count("sign_in.refused") == 5
