"""An organization with a past, and the addresses of its pages."""

import re
from dataclasses import dataclass
from pathlib import Path

import httpx2
import make
from browser.places import Place

SLUG = "northwind"


PAGES = {
    "users": "users",
    "user": "users/{user}",
    "user-granted": "users/{granted}",
    "user-edit": "users/{user}/edit",
    "user-flagged": "users/{flagged}",
    "user-new": "users/new",
    "teams": "teams",
    "team": "teams/{team}",
    "team-pending": "teams/{pushed}",
    "team-link": "teams/{team}/link?external_id=&user_names=ada.lovelace%40example.com",
    "team-new": "teams/new",
    "roles": "roles",
    "roles-who": "roles?where=organization%3A&role=viewer",
    "grant": "roles/grant?holder=team:{team}",
    "deployments": "deployments",
    "provisioning": "provisioning",
    "okta": "provisioning/okta",
    "entra": "provisioning/entra",
    "requests": "provisioning/requests",
    "request": "provisioning/requests/{request}",
    "tokens": "tokens",
    "token": "tokens/{token}",
    "keys": "keys",
    "audit": "audit",
    "event": "audit/20",
    "reviews": "reviews",
    "review-new": "reviews/new",
    "review": "reviews/{review}",
    "reports": "reports",
    "general": "general",
    "nobody": "users?q=nobody+is+called+so",
}
"""Pages by name: paths below the settings, with what `_ids` finds."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Pages by name: paths below the settings."""

    pages: dict[str, str]


def populate(home: Path, people: int, days: int) -> str:
    """Make the organization with its history, and return a SCIM token of it."""
    sizes = ("--people", str(people), "--days", str(days))
    key = ("token", "create-key", SLUG, "--scope", "audit:read", "--description", "Nightly export")
    token = ("token", "create", SLUG, "--description", "Okta production")
    for arguments in (("history", SLUG, *sizes), key, token):
        done = make.command(*arguments, home=home)
        assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def push(place: Place) -> None:
    """Let the identity provider push what is fine and what is refused, as on a busy day."""
    with place.scim(place.organization.token) as scim:
        scim.get("/Users", params={"startIndex": "1", "count": "2"})
        for name in ("ada.lovelace", "grace", "alan"):
            scim.get("/Users", params={"filter": f'userName eq "{name}@example.com"'})
        ada = scim.post("/Users", json=make.user("ada.lovelace@example.com", displayName="Ada Lovelace"))
        scim.post("/Users", json=make.user("ada.lovelace@example.com"))
        scim.post("/Users", json=make.user("grace", displayName="Grace Hopper"))
        scim.post("/Groups", json=make.group("Mathematicians", ada.json()["id"], "not-provisioned-yet"))
        scim.patch(f"/Users/{ada.json()['id']}", json=make.patch({"op": "replace", "path": "shoeSize", "value": 42}))


def grant(home: Path) -> None:
    """Grant roles to a person whom the identity provider pushed, with reasons as people write them."""
    for role, where in (("editor", "organization"), ("launcher", "all-branch-deployments")):
        reason = "Stands in for the on-call engineer: https://tickets.example.com/access-requests/2026/ACCESS-20481"
        given = ("role", "grant", SLUG, "user:ada.lovelace@example.com", role, "--on", where, "--reason", reason)
        done = make.command(*given, home=home)
        assert done.returncode == 0, done.stderr


def scene(place: Place, cookies: dict[str, str]) -> Scene:
    """The pages of an organization, with the ids of what is there."""
    with httpx2.Client(base_url=place.settings, cookies=cookies, trust_env=False) as client:
        make.until(lambda: "requests/" in client.get("/provisioning/requests?outcome=failed").text, what="the log")
        ids = _ids(client)
    return Scene({name: path.format(**ids) for name, path in PAGES.items()})


def _ids(client: httpx2.Client) -> dict[str, str]:
    def first(page: str, pattern: str) -> str:
        found = re.search(pattern, client.get(page).text)
        assert found, (page, pattern)
        return found[1]

    uuid = "([0-9a-f-]{36})"
    return {
        "user": first("/users?role=admin&state=active", rf"/settings/users/{uuid}"),
        "granted": first("/users?q=Ada+Lovelace", rf"/settings/users/{uuid}"),
        "flagged": first("/users?q=Grace+Hopper", rf"/settings/users/{uuid}"),
        "team": first("/teams?sort=name", rf"/settings/teams/{uuid}"),
        "pushed": first("/teams?q=Mathematicians", rf"/settings/teams/{uuid}"),
        "token": first("/tokens", r"/settings/tokens/(\w{12})/revoke"),
        "review": first("/reviews", rf"/settings/reviews/{uuid}"),
        "request": first("/provisioning/requests?outcome=failed", rf"/provisioning/requests/{uuid}"),
    }
