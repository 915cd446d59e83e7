"""Chromium on this machine, and an organization that browsers visit."""

import shutil
from dataclasses import dataclass
from typing import Any

import httpx2
import make
from make import Organization
from playwright.sync_api import Browser, BrowserContext, Page

ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def chromium_path() -> str | None:
    """Where Chromium is, None where there is none."""
    return next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)


@dataclass(frozen=True, slots=True)
class Place:
    """An organization in a running service, and browsers that visit it."""

    address: str
    organization: Organization
    iam: Any
    browser: Browser

    @property
    def settings(self) -> str:
        """Address of the organization's settings."""
        return f"{self.address}/{self.organization.slug}/settings"

    def setup_link(self) -> str:
        """A link that opens the settings once."""
        home = self.organization.settings.home
        done = make.command("org", "open", self.organization.slug, home=home, DAGSTER_SCIM_PUBLIC_URL=self.address)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def context(self, **values: Any) -> BrowserContext:
        """A browser with a profile of its own."""
        return self.browser.new_context(**values)

    def admin(self, **values: Any) -> Page:
        """A page of the local administrator, signed in by a setup link."""
        page = self.context(**values).new_page()
        page.goto(self.setup_link())
        page.get_by_role("button", name="Open the settings").click()
        page.wait_for_url(f"{self.settings}/users")
        return page

    def person(self, name: str, email: str) -> Any:
        """A person whom the OpenID provider knows."""
        known = self.iam.models.User(
            user_name=name, formatted_name=name.title(), family_name=name.title(), emails=[email], password="password"
        )
        self.iam.backend.save(known)
        self.iam.consent(known)
        return known

    def signed_in(self, person: Any) -> Page:
        """A page of a person who signs in at the OpenID provider."""
        page = self.context().new_page()
        self.iam.login(person)
        page.goto(self.settings)
        page.get_by_role("link", name="Continue with").click()
        self.iam.logout()
        return page

    def scim(self, token: str) -> httpx2.Client:
        """A plain SCIM client with a token."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
        base = f"{self.address}/{self.organization.slug}/scim/v2"
        return httpx2.Client(base_url=base, headers=headers, trust_env=False, timeout=30)
