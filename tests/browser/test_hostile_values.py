"""Ten thousand hostile values in people's and teams' attributes: no page of them runs a script or loads anything."""

import itertools
from typing import Any

import make
import pytest
from browser.places import Place

from scim_app.directory.events import EventType
from scim_app.directory.kinds import TEAM, USER
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import resources

pytestmark = pytest.mark.browser

PAYLOADS = (
    "<script>{0}</script>",
    '"><script>{0}</script>',
    "'><img src=x onerror={0}>",
    '"><svg onload={0}>',
    '" autofocus onfocus={0} x="',
    "' onmouseover={0} '",
    "</title><script>{0}</script>",
    "</textarea><script>{0}</script>",
    "</select><img src=x onerror={0}>",
    "</code></pre><script>{0}</script>",
    "javascript:{0}",
    "<a href=javascript:{0}>x</a>",
    "<iframe srcdoc='<script>{0}</script>'></iframe>",
    "<object data=javascript:{0}>",
    "<style>@import 'http://evil.example/x.css';</style>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<base href=http://evil.example/>",
    "<form action=http://evil.example/><button>x</button></form>",
    "{{{{ {0} }}}}",
    "{{% for x in y %}}{0}",
    "&lt;script&gt;{0}&lt;/script&gt;",
    "\u202e<script>{0}</script>",
    "<ſcript>{0}</ſcript>",
    "<scr\u0000ipt>{0}</scr\u0000ipt>".replace("\u0000", ""),
    "--><script>{0}</script><!--",
    "]]><script>{0}</script>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror={0}>",
    "<details open ontoggle={0}>",
    "<input onfocus={0} autofocus>",
)
PEOPLE, EACH = 25, 400
_numbers = itertools.count()


def hostile() -> str:
    """The next hostile value; no two are alike."""
    number = next(_numbers)
    return PAYLOADS[number % len(PAYLOADS)].format(f"window.pwned={number}")


def document(number: int) -> dict[str, Any]:
    """A user all of whose attributes are hostile."""
    lists = {name: [{"value": hostile(), "type": hostile()} for _ in range(98)] for name in ("phoneNumbers", "ims")}
    name = {part: hostile() for part in ("givenName", "familyName")}
    plain = {part: hostile() for part in ("displayName", "title", "userType")}
    plain["externalId"] = f"{hostile()}{number}"
    user_name = f"{hostile()}{number}"
    return {"schemas": [make.USER], "userName": user_name, "active": True, "name": name, **plain, **lists}


def fill(place: Place) -> list[str]:
    """Put the hostile people and teams into the store, and return the ids of the people."""
    store, org_id = Store(place.organization.settings.store_url), place.organization.id
    people = [document(number) for number in range(PEOPLE)]
    teams = [{"schemas": [make.GROUP], "displayName": f"{hostile()}{number}"} for number in range(PEOPLE)]

    def write(db: Any) -> list[str]:
        unit = Unit.begin(db, org_id, make.ACTOR)
        resources.insert_all(unit, TEAM, teams, EventType.TEAM_CREATED, "scim")
        return resources.insert_all(unit, USER, people, EventType.USER_CREATED, "scim")

    try:
        return store.write(write)
    finally:
        store.close()


def test_no_page_runs_what_is_written_in_names(place: Place) -> None:
    ids = fill(place)
    assert next(_numbers) >= PEOPLE * EACH
    page = place.admin()
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.on("request", lambda request: None if request.url.startswith(place.address) else asked.append(request.url))
    page.on(
        "console", lambda message: asked.append(message.text) if "Content Security Policy" in message.text else None
    )
    lists = ["users", "users?sort=-changed", "teams", "audit", "audit?after=40", "roles", "roles/grant", "provisioning"]
    for path in [*lists, "audit/40", *(f"users/{user_id}" for user_id in ids)]:
        answer = page.goto(f"{place.settings}/{path}")
        assert answer is not None
        assert answer.status == 200
        assert page.evaluate("window.pwned") is None, path
        assert page.locator("script:not([src]), style, [style], iframe, object, base").count() == 0, path
    assert asked == []
    assert "window.pwned" in page.content()
