"""Every page, for every role; every form, from every wrong place; and each kind of credential at its own door only."""

from collections.abc import Generator
from typing import Any

import pytest
from acme import ADDRESS, Acme, application
from fastapi.routing import APIRoute

from scim_app.admin import sign_in
from scim_app.admin.router import ROUTERS
from scim_app.admin.viewers import csrf_token
from scim_app.directory.permissions import Permission, may
from scim_app.directory.roles import Role
from scim_app.store.access import organizations
from scim_app.store.sign_in import setup_links

SEE, ADD, REMOVE = Permission.SEE_USERS, Permission.ADD_USERS, Permission.REMOVE_USERS
TEAMS, GRANT, PLACES = Permission.MANAGE_TEAMS, Permission.GRANT, Permission.MANAGE_DEPLOYMENTS
SCIM, SETTINGS, AUDIT = Permission.MANAGE_SCIM, Permission.MANAGE_SETTINGS, Permission.SEE_AUDIT_LOG
EDIT, KEYS = Permission.EDIT_USERS, Permission.MANAGE_API_KEYS
CREDENTIALS = Permission.MANAGE_CREDENTIALS

EXPECTED = {
    "GET ": SEE,
    "POST /sign-out": SEE,
    "GET /users": SEE,
    "GET /users/new": ADD,
    "POST /users/new": ADD,
    "GET /users/{user_id}": SEE,
    "GET /users/{user_id}/edit": EDIT,
    "POST /users/{user_id}/edit": EDIT,
    "POST /users/{user_id}/forget": CREDENTIALS,
    "POST /users/{user_id}/confirm-sign-in": CREDENTIALS,
    "POST /users/{user_id}/decline-sign-in": CREDENTIALS,
    "POST /users/{user_id}/remove": REMOVE,
    "POST /users/{user_id}/restore": ADD,
    "GET /teams": SEE,
    "GET /teams/new": TEAMS,
    "POST /teams/new": TEAMS,
    "GET /teams/{team_id}": SEE,
    "POST /teams/{team_id}/rename": TEAMS,
    "POST /teams/{team_id}/remove": TEAMS,
    "POST /teams/{team_id}/restore": TEAMS,
    "GET /teams/{team_id}/link": TEAMS,
    "POST /teams/{team_id}/link": TEAMS,
    "POST /teams/{team_id}/unlink": TEAMS,
    "POST /teams/{team_id}/members/add": TEAMS,
    "POST /teams/{team_id}/members/remove": TEAMS,
    "POST /teams/{team_id}/owners/add": TEAMS,
    "POST /teams/{team_id}/owners/remove": TEAMS,
    "GET /roles": SEE,
    "GET /roles/grant": GRANT,
    "POST /roles/grant": GRANT,
    "POST /roles/revoke": GRANT,
    "GET /deployments": SEE,
    "POST /deployments": PLACES,
    "POST /deployments/locations": PLACES,
    "POST /deployments/locations/{location_id}/remove": PLACES,
    "POST /deployments/read": PLACES,
    "POST /deployments/{deployment_id}/remove": PLACES,
    "GET /provisioning": SCIM,
    "POST /provisioning/enable": SCIM,
    "POST /provisioning/disable": SCIM,
    "GET /provisioning/requests": SCIM,
    "GET /provisioning/requests/{request_id}": SCIM,
    "GET /provisioning/{guide}": SCIM,
    "GET /tokens": SCIM,
    "POST /tokens": CREDENTIALS,
    "GET /tokens/{token_id}": SCIM,
    "POST /tokens/{token_id}/describe": SCIM,
    "POST /tokens/{token_id}/rotate": CREDENTIALS,
    "POST /tokens/{token_id}/revoke": CREDENTIALS,
    "GET /keys": KEYS,
    "POST /keys": KEYS,
    "POST /keys/{key_id}/revoke": KEYS,
    "GET /audit": AUDIT,
    "GET /audit.csv": AUDIT,
    "GET /audit.json": AUDIT,
    "GET /audit/{seq}": AUDIT,
    "GET /reviews": SEE,
    "GET /reviews/new": SETTINGS,
    "POST /reviews/new": SETTINGS,
    "GET /reviews/{review_id}": SEE,
    "POST /reviews/{review_id}/decide": SEE,
    "POST /reviews/{review_id}/close": SETTINGS,
    "GET /reports": AUDIT,
    "GET /reports/{path:path}": AUDIT,
    "GET /general": SEE,
    "POST /general": SETTINGS,
    "POST /general/emergency": CREDENTIALS,
    "POST /general/emergency/off": CREDENTIALS,
}
"""What each page asks for, written down a second time: a page that is not here fails."""

PAGES = [route for route in EXPECTED if route.startswith("GET")]
FORMS = [route for route in EXPECTED if route.startswith("POST")]


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Generator[Acme]:
    with application(tmp_path_factory.mktemp("home"), "acme") as found:
        yield found[0]


def ask(acme: Acme, secret: str, route: str, *, headers: dict[str, str] | None = None, **form: str) -> Any:
    """The answer to a browser that holds a session."""
    method, path = route.split(" ")
    for name, value in (
        acme.ids | {"location_id": "x", "guide": "okta", "seq": "1", "path:path": "x.csv", "review_id": "x"}
    ).items():
        path = path.replace(f"{{{name}}}", value)
    cookie = f"{acme.site.cookie(f'session_{acme.slug}')}={secret}"
    sent = {"Cookie": cookie, "Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"} | (headers or {})
    return acme.client.request(method, f"/{acme.slug}/settings{path}", headers=sent, data=form or None)


def asked(route: APIRoute) -> Permission | None:
    """The permission of a route's dependencies."""
    found = [getattr(one.call, "permission", None) for one in route.dependant.dependencies]
    return next((one for one in found if one), None)


def test_every_page_asks_for_what_the_table_says() -> None:
    found = {
        f"{method} {route.path.removeprefix('/{org}/settings')}": asked(route)
        for router in ROUTERS
        if router is not sign_in.router
        for route in router.routes
        if isinstance(route, APIRoute) and route.path != "/"
        for method in route.methods
    }
    assert found == EXPECTED


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", EXPECTED)
def test_each_role_reaches_what_it_may(acme: Acme, role: Role, route: str) -> None:
    if route == "POST /sign-out":
        return  # tried below, since it ends the session
    secret = acme.secrets[role]
    form = {"csrf": csrf_token(acme.site, secret)} if route in FORMS else {}
    answer = ask(acme, secret, route, **form)
    assert answer.status_code < 500, answer.text
    refused = answer.status_code == 403 and "does not allow this" in answer.text
    assert refused is not may(role, EXPECTED[route])


@pytest.mark.parametrize("route", PAGES)
def test_nobody_sees_a_page_without_a_session(acme: Acme, route: str) -> None:
    for headers in ({}, {"Authorization": f"Bearer {acme.scim_token}"}, {"Authorization": f"Bearer {acme.key}"}):
        answer = ask(acme, "nothing", route, headers=headers)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/acme/settings/sign-in?next=/acme/settings")


@pytest.mark.parametrize("route", FORMS)
def test_a_form_from_anywhere_else_is_refused(acme: Acme, route: str) -> None:
    secret = acme.secrets["organization_admin"]
    good, others = csrf_token(acme.site, secret), csrf_token(acme.site, acme.secrets["viewer"])
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    wrong: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"some": "field"}, {}),
        ({"csrf": others}, {}),
        ({"csrf": good}, elsewhere),
        ({"csrf": good}, {"Sec-Fetch-Site": "same-site"}),
        ({"csrf": good}, {"Content-Type": "text/plain"}),
    ]
    before = acme.site.store.read(lambda db: _events(db, acme))
    for form, headers in wrong:
        assert ask(acme, secret, route, headers=headers, **form).status_code == 403, (form, headers)
    assert acme.site.store.read(lambda db: _events(db, acme)) == before


def test_an_old_browser_is_known_by_its_origin(acme: Acme) -> None:
    secret = acme.secrets["organization_admin"]
    cookie = f"{acme.site.cookie(f'session_{acme.slug}')}={secret}"
    form = {"csrf": csrf_token(acme.site, secret), "name": "x"}
    path = f"/{acme.slug}/settings/teams/new"
    for origin, status in ((None, 403), ("null", 403), ("https://evil.example", 403), (ADDRESS, 303)):
        headers = {"Cookie": cookie} | ({"Origin": origin} if origin else {})
        assert acme.client.post(path, headers=headers, data=form).status_code == status


def test_a_session_opens_no_scim_route(acme: Acme) -> None:
    secret = acme.secrets["organization_admin"]
    for headers in ({"Cookie": f"scim_session_acme={secret}"}, {"Authorization": f"Bearer {secret}"}):
        assert acme.client.get("/acme/scim/v2/Users", headers=headers).status_code == 401


@pytest.mark.parametrize("route", PAGES)
def test_every_page_has_the_headers(acme: Acme, route: str) -> None:
    answer = ask(acme, acme.secrets["organization_admin"], route)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "/acme/settingsevil", "javascript:alert(1)"),
        *("/acme/settings/../../evil", "/globex/settings", "/acme/settings/\nx", "\t//evil.example", ""),
    ],
)
def test_signing_in_leads_nowhere_else(acme: Acme, path: str) -> None:
    assert sign_in.own_path(acme.site, "acme", path) == "/acme/settings"


def test_signing_in_leads_back_to_the_page_asked_for(acme: Acme) -> None:
    assert sign_in.own_path(acme.site, "acme", "/acme/settings/audit/7") == "/acme/settings/audit/7"


def test_a_form_that_is_too_long_or_of_unknown_length_is_not_read(acme: Acme) -> None:
    secret = acme.secrets["organization_admin"]
    long = ask(acme, secret, "POST /teams/new", csrf=csrf_token(acme.site, secret), name="x" * 70_000)
    assert long.status_code == 413


@pytest.mark.parametrize("path", ["../../pepper", "..%2f..%2fpepper", "%2e%2e/%2e%2e/store.sqlite3", "x%00.csv"])
def test_reports_give_out_nothing_but_reports(acme: Acme, path: str) -> None:
    cookie = f"{acme.site.cookie(f'session_{acme.slug}')}={acme.secrets['organization_admin']}"
    answer = acme.client.get(f"/acme/settings/reports/{path}", headers={"Cookie": cookie})
    assert answer.status_code in (303, 404)
    assert "pepper" not in answer.text


def test_signing_out_ends_the_session(acme: Acme) -> None:
    secret = acme.secrets["launcher"]
    assert ask(acme, secret, "POST /sign-out", csrf=csrf_token(acme.site, secret)).status_code == 303
    assert ask(acme, secret, "GET /users").status_code == 303


def _events(db: Any, acme: Acme) -> int:
    return organizations.by_slug(db, acme.slug).last_seq


def test_a_setup_link_opens_the_settings_once_and_only_when_it_is_confirmed(acme: Acme) -> None:
    code = acme.site.store.write(lambda db: setup_links.make(db, acme.desk.organization.id))
    path = f"GET /setup?code={code}"
    assert [ask(acme, "nothing", path).status_code for _ in range(3)] == [200] * 3
    opened = ask(acme, "nothing", "POST /setup", code=code)
    assert opened.status_code == 303
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ask(acme, "nothing", "POST /setup", code=code).status_code == 403
