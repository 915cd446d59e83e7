"""A token is understood however the field sends it; admins see why one opens nothing; strangers are kept apart."""

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import make
import pytest
from acme import Acme, application
from asgi import Client
from in_process import runner

from scim_app.directory.token_faults import TokenFault
from scim_app.protocol import recorder
from scim_app.protocol.callers import read_token
from scim_app.rate import Buckets, network_of
from scim_app.store.credentials import tokens
from scim_app.store.log.session import Store
from scim_app.store.views import request_list, request_log


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Acme, Acme]]:
    """Two organizations in an application."""
    with application(tmp_path_factory.mktemp("home"), "acme", "globex") as (acme, globex):
        yield acme, globex


@pytest.mark.parametrize(
    "form",
    ["Bearer {}", "{}", "Bearer Bearer {}", "bearer {}", "BEARER   {}", "  {}  ", "Bearer: {}", "bearer Bearer\t{} "],
)
def test_a_token_is_understood_in_every_form_of_the_field(form: str) -> None:
    scope = {"headers": [(b"authorization", form.format("scim_x_y").encode())]}
    assert read_token(scope) == ("scim_x_y", None)


def ask(acme: Acme, *headers: str, path: str = "Users") -> Any:
    """What is answered to a request with these Authorization headers, and its row in the log."""
    sent = [("Authorization", text) for text in headers]
    answer = acme.client.get(f"/acme/scim/v2/{path}", headers=sent)
    request_id = answer.headers["x-request-id"]
    return answer, make.until(lambda: acme.desk.read(request_list.get, request_id), what="the row")


def test_admins_read_why_a_token_opens_nothing_and_callers_do_not(
    both: tuple[Acme, Acme], monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, globex = both
    monkeypatch.setattr(recorder, "STRANGERS_PER_BATCH", 100)
    pepper = acme.site.settings.read_pepper()
    over, revoked = (acme.desk.write(tokens.create, pepper=pepper, lifetime=timedelta(days=1)) for _ in range(2))
    acme.desk.write(tokens.revoke, revoked[0].id)
    acme.site.store.write(
        lambda db: db.exec_driver_sql(f"UPDATE tokens SET expires_at = '2020' WHERE id = '{over[0].id}'")
    )
    _, _, unknown = tokens.credentials.make("scim")
    asked: list[tuple[TokenFault, tuple[str, ...]]] = [
        (TokenFault.MISSING, ()),
        (TokenFault.MISSING, ("Bearer",)),
        (TokenFault.REPEATED, ("Bearer x", "Bearer y")),
        (TokenFault.MALFORMED, ("Basic YTpi",)),
        (TokenFault.MALFORMED, (f"Bearer {acme.key}",)),
        (TokenFault.MISTYPED, (f"Bearer {acme.scim_token[:-1]}",)),
        (TokenFault.UNKNOWN, (f"Bearer {unknown}",)),
        (TokenFault.ELSEWHERE, (f"Bearer {globex.scim_token}",)),
        (TokenFault.REVOKED, (revoked[1],)),
        (TokenFault.EXPIRED, (f"Bearer {over[1]}",)),
    ]
    told = set[str]()
    for fault, headers in asked:
        answer, row = ask(acme, *headers)
        assert (answer.status_code, row.cause) == (401, fault)
        told.add(answer.text)
        assert row.failure is not None
        assert row.failure.cause == fault
        assert (row.token_id is not None) == (fault in (TokenFault.REVOKED, TokenFault.EXPIRED))
        assert row.failure.meaning in acme.see(f"provisioning/requests/{row.id}").text.replace("&#39;", "'")
    assert len(told) == 1
    page = acme.see("provisioning").text
    assert "Requests without a valid token, last 24 hours" in page
    assert "belongs to another organization" in page


def test_what_anybody_may_read_is_nobodys_fault(both: tuple[Acme, Acme]) -> None:
    acme, _ = both
    before = acme.desk.read(request_list.health).strangers
    for headers in ((), ("Bearer nothing",), (f"Bearer {acme.scim_token}",)):
        answer, row = ask(acme, *headers, path="ServiceProviderConfig")
        assert (answer.status_code, row.status, row.cause, row.failure) == (200, 200, None, None)
    assert acme.desk.read(request_list.health).strangers == before


def test_strangers_are_limited_by_address_and_displace_nobody(tmp_path: Path) -> None:
    run = runner(tmp_path, anonymous_rate_limit=0.001, anonymous_rate_burst=10)

    async def flood(scim: Client) -> Any:
        bad = {"authorization": "Bearer nothing"}
        answers = [await scim("GET", "/Users", headers=bad) for _ in range(300)]
        known = [await scim("GET", "/Users") for _ in range(3)]
        discovery = await scim("GET", "/ServiceProviderConfig", headers=bad)
        return answers, known, discovery

    answers, known, discovery = run(flood)
    assert [one.status for one in answers] == [401] * 10 + [429] * 290
    assert int(answers[-1].headers["retry-after"]) > 0
    assert [one.status for one in (*known, discovery)] == [200] * 4
    store = Store(make.settings(tmp_path).store_url)
    try:
        org_id = store.read(lambda db: next(iter(request_log.organizations_of(db, ["acme"]).values())))
        make.until(lambda: store.read(lambda db: request_list.health(db, org_id)).requests, what="the counts")
        health = store.read(lambda db: request_list.health(db, org_id))
        rows, _ = store.read(lambda db: request_list.list_requests(db, org_id))
    finally:
        store.close()
    assert (health.requests, health.failures, health.causes) == (3, 0, [])
    assert sum(cause.requests for cause in health.strangers) >= 300
    assert len([row for row in rows if row.token_id is None]) <= recorder.STRANGERS_PER_BATCH


def test_a_token_that_is_over_displaces_nobody_and_is_counted_by_its_cause(
    both: tuple[Acme, Acme], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, globex = both
    token, text = globex.desk.write(tokens.create, pepper=globex.site.settings.read_pepper())
    globex.desk.write(tokens.revoke, token.id)
    known = globex.client.get("/globex/scim/v2/Users", headers={"Authorization": f"Bearer {globex.scim_token}"})
    for _ in range(60):
        assert globex.client.get("/globex/scim/v2/Users", headers={"Authorization": text}).status_code == 401

    def revoked() -> list[int]:
        causes = globex.desk.read(request_list.health).causes
        return [cause.requests for cause in causes if cause.cause == TokenFault.REVOKED]

    make.until(lambda: revoked() == [60], what="the counts")
    org_id = globex.desk.organization.id
    monkeypatch.setattr(request_log, "KEPT", 1)
    monkeypatch.setattr(request_log, "STRANGERS_KEPT", 2)
    globex.site.store.write(lambda db: request_log.prune(db, org_id), org_id)
    rows, _ = globex.desk.read(request_list.list_requests)
    by_id = {row.id: row.cause for row in rows}
    assert by_id.pop(known.headers["x-request-id"]) == "scim_off"  # it came first, with a valid token
    assert list(by_id.values()) == [TokenFault.REVOKED] * 2


def test_addresses_of_one_network_count_as_one_and_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:1::1")
    monkeypatch.setattr("scim_app.rate.KEYS", 3)
    buckets = Buckets(0.001, 1)
    assert [buckets.take(key) == 0 for key in ("a", "b", "c", "a", "b", "c")] == [True] * 3 + [False] * 3
    assert buckets.take("d") == 0
    assert buckets.take("c") > 0
