"""A caller is known for a moment, for writes alone; a token that is revoked is good for nothing at once."""

import time
from dataclasses import replace

import httpx
import make
import pytest
from make import Organization

from scim_app.protocol.callers import SECONDS, KnownCallers
from scim_app.store.credentials import tokens
from scim_app.store.credentials.tokens import Caller
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

CALLER = Caller("org", "token", None, True, None, "2999-01-01T00:00:00.000000Z")
WRITE = ("POST", "/Users")


@pytest.fixture
def known_callers() -> KnownCallers:
    """Callers, one of whom has called just now."""
    found = KnownCallers()
    found.note("acme", "secret", CALLER)
    return found


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_who_has_called_just_now_may_begin_to_write(known_callers: KnownCallers, method: str) -> None:
    assert known_callers.writer("acme", "secret", method, "/Users/1") == CALLER


@pytest.mark.parametrize(
    ("slug", "token", "method", "path"),
    [
        ("globex", "secret", *WRITE),
        ("acme", "other", *WRITE),
        ("acme", "", *WRITE),
        ("acme", "secret", "GET", "/Users"),
        ("acme", "secret", "POST", "/Users/.search"),
        ("acme", "secret", "POST", "/.search"),
    ],
)
def test_nobody_else_is_known_and_nothing_is_read_without_asking(
    known_callers: KnownCallers, slug: str, token: str, method: str, path: str
) -> None:
    assert known_callers.writer(slug, token, method, path) is None


def test_a_caller_is_forgotten_after_a_second(known_callers: KnownCallers, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.monotonic() + SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert known_callers.writer("acme", "secret", *WRITE) is None


def test_whose_token_has_ended_or_may_not_provision_is_not_known() -> None:
    known_callers = KnownCallers()
    known_callers.note("acme", "ended", replace(CALLER, expires_at="2020-01-01T00:00:00.000000Z"))
    known_callers.note("acme", "off", replace(CALLER, scim_enabled=False))
    assert (known_callers.writer("acme", "ended", *WRITE), known_callers.writer("acme", "off", *WRITE)) == (None, None)


def test_so_many_are_known_and_no_more(known_callers: KnownCallers) -> None:
    for number in range(5_000):
        known_callers.note("acme", f"token {number}", CALLER)
    assert known_callers.writer("acme", "token 4999", *WRITE) == CALLER
    assert known_callers.writer("acme", "secret", *WRITE) is None


def test_a_token_that_wrote_a_moment_ago_is_good_for_nothing_once_it_is_revoked(
    scim: httpx.Client, organization: Organization
) -> None:
    ada = scim.post("/Users", json=make.user("ada@example.com")).json()
    store = Store(organization.settings.store_url)
    key = organization.token.split("_")[1]
    store.write(lambda db: tokens.revoke(Unit.begin(db, organization.id, make.ACTOR), key))
    store.close()
    operation = {"method": "DELETE", "path": f"/Users/{ada['id']}"}
    bulk = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
    change = make.patch({"op": "replace", "path": "title", "value": "Lead"})
    answers = [
        scim.post("/Users", json=make.user("eve@example.com")),
        scim.put(f"/Users/{ada['id']}", json=ada),
        scim.patch(f"/Users/{ada['id']}", json=change),
        scim.delete(f"/Users/{ada['id']}"),
        scim.post("/Bulk", json=bulk),
        scim.post("/Users/.search", json=search),
        scim.get("/Users"),
    ]
    assert [answer.status_code for answer in answers] == [401] * len(answers)
