"""Every route of the API, for every role and every kind of caller; and nothing of another organization."""

from collections.abc import Generator
from typing import Any

import pytest
from acme import Acme, application
from fastapi.routing import APIRoute

from scim_app.admin.api.callers import permission_of
from scim_app.admin.api.router import ROUTERS
from scim_app.directory.permissions import SCOPES, Permission, may
from scim_app.directory.roles import Role
from scim_app.store.access import organizations

SEE, ADD, REMOVE = Permission.SEE_USERS, Permission.ADD_USERS, Permission.REMOVE_USERS
TEAMS, GRANT, PLACES = Permission.MANAGE_TEAMS, Permission.GRANT, Permission.MANAGE_DEPLOYMENTS
SCIM, SETTINGS = Permission.MANAGE_SCIM, Permission.MANAGE_SETTINGS
EDIT = Permission.EDIT_USERS
KEYS, AUDIT = Permission.MANAGE_API_KEYS, Permission.SEE_AUDIT_LOG
CREDENTIALS = Permission.MANAGE_CREDENTIALS

EXPECTED = {
    "GET /users": SEE,
    "POST /users": ADD,
    "GET /users/{user_id}": SEE,
    "PATCH /users/{user_id}": EDIT,
    "GET /users/{user_id}/identities": SCIM,
    "DELETE /users/{user_id}/identities": CREDENTIALS,
    "DELETE /users/{user_id}": REMOVE,
    "POST /users/{user_id}/restore": ADD,
    "GET /removed-users": SEE,
    "GET /teams": SEE,
    "POST /teams": TEAMS,
    "GET /teams/{team_id}": SEE,
    "PATCH /teams/{team_id}": TEAMS,
    "DELETE /teams/{team_id}": TEAMS,
    "POST /teams/{team_id}/restore": TEAMS,
    "GET /removed-teams": SEE,
    "POST /teams/{team_id}/link": TEAMS,
    "POST /teams/{team_id}/unlink": TEAMS,
    "POST /teams/{team_id}/link-preview": TEAMS,
    "GET /teams/{team_id}/members": SEE,
    "PUT /teams/{team_id}/members/{user_id}": TEAMS,
    "DELETE /teams/{team_id}/members/{user_id}": TEAMS,
    "PUT /teams/{team_id}/owners/{user_id}": TEAMS,
    "DELETE /teams/{team_id}/owners/{user_id}": TEAMS,
    "GET /grants": SEE,
    "POST /grants": GRANT,
    "DELETE /grants/{grant_id}": GRANT,
    "GET /deployments": SEE,
    "POST /deployments": PLACES,
    "DELETE /deployments/{deployment_id}": PLACES,
    "POST /deployments/{deployment_id}/code-locations": PLACES,
    "POST /deployments/{deployment_id}/read": PLACES,
    "DELETE /code-locations/{code_location_id}": PLACES,
    "GET /tokens": SCIM,
    "POST /tokens": CREDENTIALS,
    "PATCH /tokens/{token_id}": SCIM,
    "POST /tokens/{token_id}/rotate": CREDENTIALS,
    "DELETE /tokens/{token_id}": CREDENTIALS,
    "GET /keys": KEYS,
    "POST /keys": KEYS,
    "DELETE /keys/{key_id}": KEYS,
    "GET /settings": SEE,
    "PATCH /settings": SETTINGS,
    "PUT /scim": SCIM,
    "PUT /break-glass": CREDENTIALS,
    "DELETE /break-glass": CREDENTIALS,
    "GET /events": AUDIT,
    "GET /requests": SCIM,
    "GET /requests/{request_id}": SCIM,
    "GET /health": SCIM,
}
"""What each route asks for, written down a second time: a route that is not here fails."""

WITH_IDS = [route for route in EXPECTED if "{" in route]
BODIES: dict[str, object] = {
    "PATCH /teams/{team_id}": {"display_name": "New"},
    "POST /teams/{team_id}/link": {},
    "POST /teams/{team_id}/link-preview": {"user_names": []},
    "POST /deployments/{deployment_id}/code-locations": {"name": "x"},
    "PATCH /tokens/{token_id}": {"description": "x"},
    "PATCH /users/{user_id}": {"display_name": "x"},
    "POST /tokens/{token_id}/rotate": {},
}
REFUSED = (401, 403)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Generator[list[Acme]]:
    """Two organizations in one application."""
    with application(tmp_path_factory.mktemp("home"), "acme", "globex") as found:
        yield found


@pytest.fixture(scope="module")
def acme(both: list[Acme]) -> Acme:
    """The first of them."""
    return both[0]


def filled(path: str, ids: dict[str, str]) -> str:
    """A path with ids in it."""
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def routes() -> dict[str, Permission | None]:
    """The permissions of the routes that there are."""
    found: dict[str, Permission | None] = {}
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            asked = [permission_of(one.call) for one in route.dependant.dependencies if one.call]
            for method in route.methods:
                path = route.path.removeprefix("/{org}/api")
                found[f"{method} {path}"] = next((one for one in asked if one), None)
    return found


def test_every_route_asks_for_what_the_table_says() -> None:
    assert routes() == EXPECTED


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", [route for route in EXPECTED if not route.startswith("DELETE")])
def test_each_role_reaches_what_it_may(acme: Acme, role: Role, route: str) -> None:
    method, path = route.split(" ")
    answer = acme.as_role(role.value, method, filled(path, acme.ids | {"user_id": "x", "team_id": "x"}))
    if may(role, EXPECTED[route]):
        assert answer.status_code not in REFUSED, answer.text
    else:
        assert answer.status_code == 403
        assert EXPECTED[route] in answer.json()["detail"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", [route for route in EXPECTED if route.startswith("DELETE")])
def test_each_role_removes_what_it_may(acme: Acme, role: Role, route: str) -> None:
    method, path = route.split(" ")
    nothing = dict.fromkeys(acme.ids, "nothing")
    status = acme.as_role(role.value, method, filled(path, nothing)).status_code
    assert (status == 403) is not may(role, EXPECTED[route])


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("route", EXPECTED)
def test_each_scope_of_a_key_reaches_what_it_allows(acme: Acme, scope: str, route: str) -> None:
    method, path = route.split(" ")
    answer = acme.as_key(method, filled(path, dict.fromkeys(acme.ids, "nothing")), _key(acme, scope))
    assert (answer.status_code in REFUSED) is (EXPECTED[route] not in SCOPES[scope])


@pytest.mark.parametrize("route", EXPECTED)
def test_nobody_without_a_key_or_session_is_let_in(acme: Acme, route: str) -> None:
    method, path = route.split(" ")
    answer = acme.client.request(method, f"/acme/api{filled(path, acme.ids)}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("route", EXPECTED)
def test_a_scim_token_opens_no_route_of_the_api(acme: Acme, route: str) -> None:
    method, path = route.split(" ")
    assert acme.as_key(method, filled(path, acme.ids), acme.scim_token).status_code == 401


@pytest.mark.parametrize("route", EXPECTED)
def test_a_key_opens_no_other_organization_and_does_not_tell_whether_it_exists(both: list[Acme], route: str) -> None:
    acme, globex = both
    method, path = route.split(" ")
    answers = [
        acme.client.request(
            method, f"/{slug}/api{filled(path, globex.ids)}", headers={"Authorization": f"Bearer {acme.key}"}
        )
        for slug in ("globex", "nobody")
    ]
    told = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert told[0] == told[1]


@pytest.mark.parametrize("route", WITH_IDS)
def test_ids_of_another_organization_are_as_good_as_unknown(both: list[Acme], route: str) -> None:
    acme, globex = both
    method, path = route.split(" ")
    before = _last_seq(globex)
    for name in [name for name in acme.ids if f"{{{name}}}" in path]:
        told = []
        for value in (globex.ids[name], f"0{globex.ids[name][1:]}"):
            path_to_it = filled(path, acme.ids | {name: value})
            answer = acme.as_role("organization_admin", method, path_to_it, json=BODIES.get(route))
            told.append((answer.status_code, answer.text.replace(value, "").replace(_id(answer), "")))
        assert told[0] == told[1]
        assert told[0][0] == 404 or (method == "DELETE" and told[0][0] == 204)
    assert _last_seq(globex) == before


def _id(answer: Any) -> str:
    return str(answer.headers["x-request-id"])


def _last_seq(one: Acme) -> int:
    return one.desk.read(organizations.by_id).last_seq


_KEYS: dict[tuple[int, str], str] = {}


def _key(acme: Acme, scope: str) -> str:
    if (id(acme), scope) not in _KEYS:
        _KEYS[id(acme), scope] = acme.new_key(scope)
    return _KEYS[id(acme), scope]
