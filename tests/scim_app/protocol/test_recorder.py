"""Admins read what their identity provider sent, why it was refused and what to do; within bounds, without secrets."""

from collections.abc import Generator
from typing import Any

import make
import pytest
from acme import Acme, application

from scim_app.protocol import recorder
from scim_app.store.access import organization_settings
from scim_app.store.credentials import tokens
from scim_app.store.db.stamps import new_id, now
from scim_app.store.views import request_list, request_log
from scim_app.store.views.request_list import Request
from scim_app.store.views.request_log import Answered


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Generator[Acme]:
    """An organization in an application, with SCIM on."""
    with application(tmp_path_factory.mktemp("home"), "acme") as (found,):
        found.desk.write(organization_settings.switch_scim, on=True)
        yield found


def scim(acme: Acme, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
    """The answer to a SCIM request."""
    headers = {"Authorization": f"Bearer {token or acme.scim_token}", "Content-Type": "application/scim+json"}
    headers |= {"User-Agent": "Okta SCIM Client 1.0.0"}
    return acme.client.request(method, f"/acme/scim/v2{path}", headers=headers, json=body)


def recorded(acme: Acme, answer: Any) -> Request:
    """What the log has of an answered request."""
    request_id = answer.headers["x-request-id"]
    return make.until(lambda: acme.desk.read(request_list.get, request_id), seconds=20, what="the row")


def test_a_refused_write_is_told_with_its_cause_and_what_to_do(acme: Acme) -> None:
    scim(acme, "POST", "/Users", make.user("ada@example.com"))
    row = recorded(acme, scim(acme, "POST", "/Users", make.user("ADA@example.com", password="hunter2!")))
    assert (row.method, row.path, row.status, row.scim_type) == ("POST", "/Users", 409, "uniqueness")
    assert row.cause == "name_taken"
    assert row.failure is not None
    assert "Link it instead" in row.failure.what_to_do
    assert row.sent is not None
    assert '"userName":"ADA@example.com"' in row.sent
    assert "hunter2!" not in row.sent
    assert (row.token_id, row.agent) == (acme.scim_token.split("_")[1], "Okta SCIM Client 1.0.0")


def test_a_wrong_token_is_found_with_the_organization_of_the_address(acme: Acme) -> None:
    row = recorded(acme, scim(acme, "GET", '/Users?filter=userName eq "ada@example.com"', token="scim_x_y"))
    assert (row.status, row.cause, row.token_id) == (401, "token_mistyped", None)
    assert "userName" in (row.query or "")
    assert "scim_x_y" not in str(row)


def test_a_write_that_succeeds_is_there_with_what_was_sent(acme: Acme) -> None:
    row = recorded(acme, scim(acme, "POST", "/Groups", make.group("Data")))
    assert (row.status, row.cause, '"displayName":"Data"' in (row.sent or "")) == (201, None, True)
    long = recorded(acme, scim(acme, "POST", "/Groups", make.group("Long", *[f"m{n}" for n in range(2000)])))
    assert long.sent is not None
    assert long.sent.startswith('{"bytes":')


def test_the_health_counts_every_request_by_cause(acme: Acme) -> None:
    before = acme.desk.read(request_list.health)
    scim(acme, "GET", "/Users")
    recorded(acme, scim(acme, "GET", "/Users/nobody"))
    after = acme.desk.read(request_list.health)
    assert after.requests - before.requests >= 2
    assert "not_found" in {cause.cause for cause in after.causes}
    assert after.last_request_at is not None
    assert after.last_success_at is not None


def test_the_last_use_of_a_token_is_told_with_its_program(acme: Acme) -> None:
    scim(acme, "GET", "/Users")
    token = make.until(lambda: next(one for one in acme.desk.read(tokens.listing) if one.last_used_at))
    assert (token.last_used_agent, token.last_used_ip) == ("Okta SCIM Client 1.0.0", "testclient")


def answered(number: int, method: str = "GET", status: int = 200) -> Answered:
    """A request."""
    detail = f"number {number}"
    own = {"slug": "acme", "id": new_id(), "at": now(), "token_id": "t"}
    return Answered(**own, method=method, path="/Users", status=status, detail=detail)


def test_reads_beyond_the_bound_get_no_row_and_are_counted(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "ROWS_PER_BATCH", 0)
    before = acme.desk.read(request_list.health).requests
    answers = [scim(acme, "GET", "/Schemas") for _ in range(40)]
    recorded(acme, scim(acme, "GET", "/Users/nobody"))
    make.until(lambda: acme.desk.read(request_list.health).requests - before >= 41, what="the counts")
    kept = [acme.desk.read(request_list.get, one.headers["x-request-id"]) for one in answers]
    assert kept == [None] * 40


def test_the_oldest_rows_go(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "KEPT", 10)
    monkeypatch.setattr(request_log, "STRANGERS_KEPT", 0)
    org_id = acme.desk.organization.id
    batch = [answered(n, "POST", 201) for n in range(15)]
    acme.site.store.write(lambda db: request_log.write(db, org_id, batch, {}), org_id)
    acme.site.store.write(lambda db: request_log.prune(db, org_id), org_id)
    rows, following = acme.desk.read(request_list.list_requests)
    assert (len(rows), following) == (10, "")
    assert {row.id for row in rows} <= {one.id for one in batch}
