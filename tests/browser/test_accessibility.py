"""Everybody can use every page: axe-core finds nothing serious, nothing is cut off, and the keyboard reaches all."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import make
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from browser import scene
from browser.places import Place
from make import Organization, Service
from playwright.sync_api import Browser, BrowserContext, Page

from scim_app.store.access import organizations
from scim_app.store.log.session import Store

pytestmark = pytest.mark.browser
THEMES = ("light", "dark")
WIDTHS = (360, 768, 1000, 1280)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def place(iam_service: tuple[Service, Path], iam_server: Any, browser: Browser) -> Place:
    """An organization with a short history, which the identity provider pushes to."""
    running, home = iam_service
    token = scene.populate(home, people=20, days=120)
    settings = make.settings(home)
    store = Store(settings.store_url)
    found = store.read(lambda db: organizations.by_slug(db, scene.SLUG))
    store.close()
    place = Place(running.address, Organization(settings, found.id, scene.SLUG, token), iam_server, browser)
    scene.push(place)
    scene.grant(home)
    return place


@pytest.fixture(scope="module")
def admin(place: Place) -> Generator[BrowserContext]:
    """A browser in which the local administrator is signed in."""
    page = place.admin(bypass_csp=True)  # axe-core is put into the page as a script
    yield page.context
    page.context.close()


@pytest.fixture(scope="module")
def pages(place: Place, admin: BrowserContext) -> dict[str, str]:
    """Addresses of pages by name."""
    cookies = {one["name"]: one["value"] for one in admin.cookies()}
    return {name: f"{place.settings}/{path}" for name, path in scene.scene(place, cookies).pages.items()}


def violations(page: Page) -> list[str]:
    """What axe-core finds that is serious or worse: rule and element."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {node['html']}" for one in found if one["impact"] in SERIOUS for node in one["nodes"]]


OUTSIDE = """() => [...document.querySelectorAll('.card')].flatMap(card =>
    [...card.querySelectorAll('td, th, a, button, input, select, time')]
        .filter(one => !one.closest('.scroll, .sr, pre') && one.getBoundingClientRect().width > 1)
        .filter(one => one.getBoundingClientRect().right > card.getBoundingClientRect().right + 1)
        .map(one => one.outerHTML.slice(0, 120)))"""
"""Gives what runs out of its card on the right, where the next card covers it."""


def cut_off(page: Page) -> list[str]:
    """Widths of screens that are too narrow for a page, and what runs out of its card there."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        needed = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{needed} px on a screen of {width}"] if needed > width else []
        found += [f"outside its card on a screen of {width}: {part}" for part in page.evaluate(OUTSIDE)]
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_every_page_is_readable_by_all_and_fits_every_screen(
    admin: BrowserContext, pages: dict[str, str], theme: Any
) -> None:
    page = admin.new_page()
    page.emulate_media(color_scheme=theme)
    found: dict[str, Any] = {}
    for name, address in pages.items():
        assert page.goto(address).status == 200, name
        if problems := violations(page) + cut_off(page):
            found[name] = problems
    page.close()
    assert found == {}


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious_where_nobody_is_signed_in(place: Place, theme: Any) -> None:
    page = place.context(bypass_csp=True, color_scheme=theme).new_page()
    found = {}
    for address in (
        f"{place.settings}/sign-in",
        place.setup_link(),
        f"{place.address}/",
        f"{place.address}/none/settings",
    ):
        page.goto(address)
        if problems := violations(page):
            found[address] = problems
    page.context.close()
    assert found == {}


def test_the_keyboard_skips_to_the_content_and_reaches_every_field(
    admin: BrowserContext, pages: dict[str, str]
) -> None:
    page = admin.new_page()
    page.goto(pages["users"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    page.close()
    assert {"q", "origin", "state", "role"} <= reached
