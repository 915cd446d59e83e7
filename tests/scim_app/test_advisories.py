"""What went wrong in other systems, by the number of its public advisory, does not go wrong here."""

import ast
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import make
import pytest
from acme import Acme, application

from scim_app.directory.kinds import TEAM
from scim_app.directory.roles import ORGANIZATION, Role
from scim_app.store.access import grants, organization_settings
from scim_app.store.credentials import api_keys, credentials, tokens
from scim_app.store.db.tables import tokens as tokens_table
from scim_app.store.lifecycle import teams
from scim_app.store.log.event_log import InUnit
from scim_app.store.resources import resources


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Generator[list[Acme]]:
    """Two organizations in one application, both with SCIM on."""
    with application(tmp_path_factory.mktemp("home"), "acme", "globex") as found:
        for one in found:
            one.desk.write(organization_settings.switch_scim, on=True)
        yield found


def scim(acme: Acme, method: str, path: str, body: Any = None) -> Any:
    """The answer to a SCIM request of an organization."""
    headers = {"Authorization": f"Bearer {acme.scim_token}", "Content-Type": "application/scim+json"}
    return acme.client.request(method, f"/{acme.slug}/scim/v2{path}", headers=headers, json=body)


def test_cve_2026_67330_a_client_chooses_neither_organization_nor_provider_of_a_token(both: list[Acme]) -> None:
    acme, globex = both
    for sent in ({"org_id": globex.desk.organization.id}, {"id": globex.scim_token.split("_")[1]}, {"token": "x"}):
        assert acme.as_role("organization_admin", "POST", "/tokens", json=sent).status_code == 422
        assert acme.as_key("POST", "/tokens", json=sent).status_code == 403
    assert {one.id for one in globex.desk.read(tokens.listing)} == {globex.scim_token.split("_")[1]}


def test_ghsa_j8v8_a_token_without_an_owner_is_managed_by_nobody_else(both: list[Acme]) -> None:
    acme, globex = both
    token_id = globex.scim_token.split("_")[1]
    orphaned = tokens_table.update().where(tokens_table.c["id"] == token_id).values(created_by=None)
    globex.site.store.write(lambda db: db.execute(orphaned))
    for method, path in (("PATCH", ""), ("POST", "/rotate"), ("DELETE", "")):
        body = {"description": "x"} if method == "PATCH" else {}
        assert acme.as_role("organization_admin", method, f"/tokens/{token_id}{path}", json=body).status_code == 404
        assert acme.as_key(method, f"/tokens/{token_id}{path}", json=body).status_code in (403, 404)
    assert globex.as_role("viewer", "DELETE", f"/tokens/{token_id}").status_code == 403
    assert scim(globex, "GET", "/Users").status_code == 200


def test_cve_2022_1680_nobody_of_another_organization_is_adopted_by_an_address(both: list[Acme]) -> None:
    acme, globex = both
    theirs = globex.as_key("GET", "/users?search=organization_admin").json()["users"][0]
    made = scim(acme, "POST", "/Users", make.user(theirs["user_name"])).json()
    assert made["id"] != theirs["id"]
    scim(acme, "PATCH", f"/Users/{made['id']}", make.patch({"op": "replace", "value": {"userName": "evil@x.com"}}))
    assert scim(acme, "DELETE", f"/Users/{made['id']}").status_code == 204
    assert globex.as_key("GET", "/users?search=organization_admin").json()["users"][0] == theirs


@pytest.mark.parametrize("name", ["Admins", "admins", " Admins", "ADMINS\u00a0", "Ａdmins", "organization_admin"])
def test_ghsa_9m7q_a_group_called_like_the_admins_is_no_admin(both: list[Acme], name: str) -> None:
    acme = both[0]
    if not acme.desk.read(resources.find_named, TEAM, "Admins"):
        team = acme.desk.write(teams.create, "Admins")
        acme.desk.write(grants.grant, "team", team.id, Role.ORGANIZATION_ADMIN, ORGANIZATION)
    before = acme.desk.read(grants.find)
    user = scim(
        acme, "POST", "/Users", make.user(f"evil-{len(name)}-{ord(name[0])}-{ord(name[-1])}@example.com")
    ).json()
    answer = scim(acme, "POST", "/Groups", make.group(name, user["id"]))
    assert answer.status_code in (201, 409)
    assert acme.desk.read(grants.find) == before
    assert acme.as_key("GET", f"/users/{user['id']}").json()["access_in_words"] == "Viewer by default"


def test_cve_2026_3009_what_is_switched_off_is_off_for_what_is_under_way(both: list[Acme]) -> None:
    acme = both[0]
    store, org_id = acme.site.store, acme.desk.organization.id
    _, second = acme.desk.write(tokens.create, pepper=acme.site.key)
    for end, status in (
        (InUnit(org_id, make.ACTOR, lambda unit: tokens.revoke(unit, second.split("_")[1])), 401),
        (InUnit(org_id, make.ACTOR, lambda unit: organization_settings.switch_scim(unit, on=False)), 403),
    ):
        headers = {"Authorization": f"Bearer {second if status == 401 else acme.scim_token}"}
        held, waits = threading.Event(), threading.Event()

        def hold(_: Any, held: threading.Event = held, waits: threading.Event = waits) -> None:
            waits.set()
            assert held.wait(30)

        store.submit(hold)
        assert waits.wait(30)
        with ThreadPoolExecutor(1) as pool:
            ended = store.submit(end, org_id)
            answer = pool.submit(
                acme.client.post, f"/{acme.slug}/scim/v2/Users", headers=headers, json=make.user("late@example.com")
            )
            make.until(lambda: store.writer.depth >= 2, what="the request waiting for its turn")
            held.set()
            ended.result()
            assert answer.result().status_code == status
    acme.desk.write(organization_settings.switch_scim, on=True)
    assert scim(acme, "GET", '/Users?filter=userName eq "late@example.com"').json()["totalResults"] == 0


@pytest.mark.parametrize("module", [credentials, tokens, api_keys])
def test_cve_class_of_sourcegraph_49414_secrets_are_compared_in_constant_time(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text())
    compared = {
        ast.unparse(side)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        for side in (node.left, *node.comparators)
    }
    assert not {text for text in compared if "digest" in text or "secret" in text.replace("key + secret", "")}


def test_an_unknown_id_costs_the_same_comparison_as_a_wrong_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    real = credentials.hmac.compare_digest
    monkeypatch.setattr(credentials.hmac, "compare_digest", lambda a, b: (seen.append((len(a), len(b))), real(a, b))[1])
    assert credentials.is_valid(None, b"p" * 32, "secret") is False
    assert seen == [(32, 32)]
