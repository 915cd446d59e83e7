"""What an organization admin does on the first day, in a real browser, with a real SCIM client and OpenID provider."""

import re
from collections.abc import Callable
from typing import Any

import httpx2
import make
import pytest
import sqlalchemy as sa
from browser.places import Place
from playwright.sync_api import Page, expect
from scim2_client.engines.httpx2 import SyncSCIMClient

from scim_app.directory.roles import ORGANIZATION, Role
from scim_app.store.access import grants, organization_settings
from scim_app.store.db.sign_in_tables import sessions
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

pytestmark = pytest.mark.browser
PEOPLE = ("ada@example.com", "grace@example.com", "alan@example.com")


def change(place: Place, work: Callable[[Unit], Any]) -> None:
    """A change of the organization by its operator."""
    store = Store(place.organization.settings.store_url)
    store.write(lambda db: work(Unit.begin(db, place.organization.id, make.ACTOR)))
    store.close()


def provision(scim: httpx2.Client) -> dict[str, str]:
    """Three users by a real SCIM client; their ids by name."""
    client = SyncSCIMClient(scim)
    client.discover()
    made = {}
    for name in PEOPLE:
        shown, emails = name.split("@")[0].title(), [{"value": name, "primary": True}]
        user = client.get_resource_model("User")(user_name=name, display_name=shown, active=True, emails=emails)
        made[name] = client.create(user).id
    return made


def push_group(scim: httpx2.Client, name: str, *members: str) -> None:
    """A group, pushed as an identity provider does."""
    answer = scim.post("/Groups", json=make.group(name, *members, externalId=f"group-{name}"))
    assert answer.status_code == 201, answer.text


def confirm(page: Page, button: str) -> None:
    """Say yes on the page that asks."""
    page.get_by_role("button", name=button, exact=True).click()


def test_the_first_day_of_an_admin(place: Place) -> None:
    change(place, lambda unit: organization_settings.switch_scim(unit, on=False))
    page = place.admin()

    page.get_by_role("link", name="Provisioning", exact=True).click()
    page.get_by_role("button", name="Enable SCIM provisioning").click()
    expect(page.get_by_text("SCIM is on", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="SCIM base URL")).to_have_value(
        f"{place.address}/{place.organization.slug}/scim/v2"
    )

    page.get_by_role("link", name="Tokens", exact=True).click()
    page.get_by_label("What it is for").fill("Okta production")
    page.get_by_label("Identity provider").select_option("okta")
    page.get_by_role("button", name="Create SCIM token").click()
    token = page.get_by_label("New SCIM token").input_value()
    page.goto(f"{place.settings}/tokens")
    assert token not in page.content()

    with place.scim(token) as scim:
        ids = provision(scim)
        page.get_by_role("link", name="Users", exact=True).click()
        badges = page.locator("tbody .badge", has_text="synced")
        expect(badges).to_have_count(3)
        assert "Okta" in (badges.first.get_attribute("title") or "")
        link_a_team(page, place, scim, ids)
        grant_a_role(page, place, ids)
        lose_access(place, scim, ids)
        read_why_a_push_failed(page, place, scim)


def link_a_team(page: Page, place: Place, scim: httpx2.Client, ids: dict[str, str]) -> None:
    """A team made here, with Alan in it, is linked to a group of Ada and Grace."""
    page.goto(f"{place.settings}/teams/new")
    page.get_by_label("Name of the team").fill("Data Platform")
    page.get_by_role("button", name="Create team").click()
    page.get_by_label("Add by user name").fill("alan@example.com")
    page.get_by_role("button", name="Add member").click()
    expect(page.get_by_role("link", name="Alan")).to_be_visible()

    page.get_by_role("link", name="Link to a group").click()
    page.get_by_label("User names in the group").fill("ada@example.com\ngrace@example.com\nlinus@example.com")
    page.get_by_role("button", name="Preview").click()
    preview = page.locator("section", has=page.locator("#preview"))
    expect(preview.locator("li.green")).to_have_text(["ada@example.com", "grace@example.com"])
    expect(preview.locator("li.red")).to_have_text(["alan@example.com"])
    expect(preview).to_contain_text("linus@example.com")
    page.get_by_role("button", name="Link this team").click()
    expect(page.locator("h1 .badge")).to_have_text("waits for its group")

    push_group(scim, "Data Platform", ids["ada@example.com"], ids["grace@example.com"])
    page.reload()
    expect(page.locator("h1 .badge")).to_have_text("linked")
    expect(page.locator("#results tbody th")).to_have_count(2)


def grant_a_role(page: Page, place: Place, ids: dict[str, str]) -> None:
    """The team gets a role, and its member's page says where the role comes from."""
    page.get_by_role("link", name="Grant a role").click()
    page.get_by_label("Role", exact=True).select_option("editor")
    page.get_by_label("Reason").fill("They build the pipelines")
    page.get_by_role("button", name="Grant", exact=True).click()
    page.goto(f"{place.settings}/users/{ids['ada@example.com']}")
    row = page.locator("section", has=page.locator("#access")).locator("tbody tr")
    expect(row).to_contain_text(["Editor"])
    expect(row.first).to_contain_text("through team Data Platform")


def lose_access(place: Place, scim: httpx2.Client, ids: dict[str, str]) -> None:
    """Ada is signed in and is deactivated: her next click leads out, and being activated again does not help."""
    hers = place.signed_in(place.person("ada", "ada@example.com"))
    expect(hers.get_by_role("heading", name="Users")).to_be_visible()
    expect(hers.get_by_role("link", name="Tokens", exact=True)).to_have_count(0)
    assert scim.patch(f"/Users/{ids['ada@example.com']}", json=make.deactivate()).status_code == 200
    hers.get_by_role("link", name="Teams", exact=True).click()
    expect(hers.get_by_role("heading", name="Sign in")).to_be_visible()
    back = make.patch({"op": "replace", "value": {"active": True}})
    assert scim.patch(f"/Users/{ids['ada@example.com']}", json=back).status_code == 200
    hers.goto(f"{place.settings}/users")
    expect(hers.get_by_role("heading", name="Sign in")).to_be_visible()


def read_why_a_push_failed(page: Page, place: Place, scim: httpx2.Client) -> None:
    """A refused push is in the request log with its reason and what to do."""
    assert scim.post("/Users", json=make.user("grace@example.com")).status_code == 409

    def there() -> bool:
        page.goto(f"{place.settings}/provisioning/requests?outcome=failed")
        return page.locator("#results tbody tr").count() > 0

    make.until(there, what="the request's row in the log")
    row = page.locator("#results tbody tr").first
    expect(row).to_contain_text("Another account or team has this name")
    row.get_by_role("link").click()
    expect(page.get_by_text("Link it instead of creating it")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("grace@example.com")


def test_search_finds_while_typing(place: Place) -> None:
    page = place.admin()
    with place.scim(place.organization.token) as scim:
        for name in PEOPLE:
            scim.post("/Users", json=make.user(name))
    page.goto(f"{place.settings}/users")
    page.get_by_label("Search", exact=True).press_sequentially("GRACE")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=GRACE"))


def test_everything_works_without_scripts(place: Place) -> None:
    page = place.admin(java_script_enabled=False)
    with place.scim(place.organization.token) as scim:
        for name in PEOPLE:
            scim.post("/Users", json=make.user(name))
    page.goto(f"{place.settings}/users")
    page.get_by_label("Search", exact=True).fill("grace")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#results tbody tr")).to_have_count(1)
    page.goto(f"{place.settings}/provisioning")
    page.get_by_role("button", name="Disable SCIM provisioning").click()
    confirm(page, "Disable")
    expect(page.get_by_text("SCIM is off", exact=True)).to_be_visible()


def test_somebody_whom_the_organization_does_not_know_stays_outside(place: Place) -> None:
    page = place.signed_in(place.person("mallory", "mallory@example.com"))
    expect(page.get_by_role("alert")).to_contain_text("not an active member")
    page.goto(f"{place.settings}/users")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_token_is_made_only_a_moment_after_signing_in(place: Place) -> None:
    with place.scim(place.organization.token) as scim:
        ada = scim.post("/Users", json=make.user("ada@example.com", externalId="ada-the-admin")).json()["id"]
    change(place, lambda unit: grants.grant(unit, "user", ada, Role.ORGANIZATION_ADMIN, ORGANIZATION))
    page = place.signed_in(place.person("ada-the-admin", "ada@example.com"))
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    late = sa.update(sessions).values(authenticated_at="2026-01-01T00:00:00.000000Z")
    change(place, lambda unit: unit.connection.execute(late.where(sessions.c.user_id == ada)))

    page.goto(f"{place.settings}/tokens")
    page.get_by_role("button", name="Create SCIM token").click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.get_by_role("link", name="Sign in again with").click()
    page.get_by_label("Login").fill("ada-the-admin")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("textbox", name="Password").fill("password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Tokens", exact=True)).to_be_visible()
    page.get_by_role("button", name="Create SCIM token").click()
    expect(page.get_by_label("New SCIM token")).to_have_value(re.compile("scim_.*"))
