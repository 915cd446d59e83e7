"""Who asks too fast is told when to come again, and nobody else is held up by it."""

from collections.abc import Generator
from dataclasses import replace
from typing import cast

import pytest
from acme import Acme, application
from fastapi import FastAPI

from scim_app.admin import sign_in
from scim_app.rate import Buckets


@pytest.fixture
def acme(tmp_path_factory: pytest.TempPathFactory) -> Generator[Acme]:
    """An organization whose callers may make three requests at once, and one a minute in the long run."""
    with application(tmp_path_factory.mktemp("home"), "acme") as (found,):
        app = cast("FastAPI", found.client.app)
        app.state.site = replace(found.site, api_rate=Buckets(1 / 60, 3))
        yield found


def test_a_key_a_session_and_an_address_are_held_up_each_by_itself(acme: Acme) -> None:
    asked = {
        "key": lambda: acme.as_key("GET", "/users"),
        "session": lambda: acme.as_role("viewer", "GET", "/users"),
        "nobody": lambda: acme.client.get("/acme/api/users"),
    }
    usual = {"key": 200, "session": 200, "nobody": 401}
    for name, ask in asked.items():
        assert [ask().status_code for _ in range(4)] == [*[usual[name]] * 3, 429], name
    refused = acme.as_key("GET", "/users")
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert f"try again in {refused.headers['retry-after']} s" in refused.json()["detail"]
    assert acme.as_key("GET", "/users", acme.new_key("directory:read")).status_code == 200


def test_signing_in_is_begun_so_often_and_then_told_when_again(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "starts", sign_in.Attempts(3, seconds=60))
    answers = [acme.client.get("/acme/settings/sign-in/start") for _ in range(4)]
    assert [one.status_code for one in answers] == [404, 404, 404, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
    assert "Wait" in answers[-1].text
