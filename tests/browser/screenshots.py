"""`make screenshots`: each page of the settings in light and dark, wide and narrow, for the documents."""

import base64
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import make
from browser import scene
from browser.places import ARGUMENTS, Place, chromium_path
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from scim_app.store.access import organizations
from scim_app.store.log.session import Store

TARGET = make.ROOT / "docs" / "images" / "settings"
WIDTHS = {1280: 860, 360: 760}
THEMES = ("light", "dark")
OIDC = {"DAGSTER_SCIM_OIDC_ISSUER": "https://northwind.okta.example", "DAGSTER_SCIM_OIDC_CLIENT_ID": "settings"}
"""A provider whose name the sign-in page shows; nobody signs in there."""
OUTSIDE = {"sign-in": "sign-in", "confirm": "sign-in?again=yes", "nowhere": "none/at/all"}
"""Pages of those who are not signed in."""


def main() -> None:
    """Take the pictures of an organization with a year behind it."""
    path = chromium_path()
    if path is None:
        raise SystemExit("Chromium is missing: `make setup-browser` installs it where it may")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        make.organization(make.settings(home), "first")
        token = scene.populate(home, people=120, days=365)
        _write_reports(home)
        with make.service(home, **OIDC) as running:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            place = _place(home, running.address, token, browser)
            scene.push(place)
            _take(place)


def _write_reports(home: Path) -> None:
    """Let Dagster write the evidence packs of the month that ended last."""
    env = make.environment(home, DAGSTER_HOME=str(home / "dagster"))
    (home / "dagster").mkdir(exist_ok=True)
    for module in (["dagster_defs.run"], ["dagster_defs.evidence_run", "monthly_jml"]):
        subprocess.run([sys.executable, "-m", *module], env=env, cwd=make.ROOT, check=True, capture_output=True)


def _place(home: Path, address: str, token: str, browser: Browser) -> Place:
    settings = make.settings(home)
    store = Store(settings.store_url)
    found = store.read(lambda db: organizations.by_slug(db, scene.SLUG))
    store.close()
    return Place(address, make.Organization(settings, found.id, scene.SLUG, token), None, browser)


def _take(place: Place) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    for old in TARGET.glob("*.webp"):
        old.unlink()
    context = place.admin(device_scale_factor=1).context
    cookies = {one["name"]: one["value"] for one in context.cookies()}
    visits = ((context, scene.scene(place, cookies).pages), (place.context(device_scale_factor=1), OUTSIDE))
    for width, height in WIDTHS.items():
        for theme in THEMES:
            for visitor, pages in visits:
                _take_all(visitor, place, pages, width, height, theme)


def _take_all(
    context: BrowserContext, place: Place, pages: dict[str, str], width: int, height: int, theme: Any
) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": height})
    devtools = context.new_cdp_session(page)
    for name, path in pages.items():
        page.goto(f"{place.settings}/{path}")
        picture = devtools.send("Page.captureScreenshot", {"format": "webp", "quality": 60})
        _write(TARGET / f"{name}-{width}-{theme}.webp", picture["data"])
    page.close()


def _write(file: Path, data: str) -> None:
    file.write_bytes(base64.b64decode(data))


if __name__ == "__main__":
    main()
