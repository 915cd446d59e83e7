"""`make screenshots`: the assets in Dagster's own UI, for the documents."""

import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import make
from browser import scene
from browser.places import ARGUMENTS, chromium_path
from playwright.sync_api import Page, sync_playwright

TARGET = make.ROOT / "docs" / "images" / "dagster"
DAYS = 180
"""Days whose snapshots are made, so that charts have something to show."""
STEPS = ("provisioning_events,group:history", "group:snapshots", "*")
"""What is materialized, in this order: the middle one of many days, the last one of the running day."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page of Dagster, and what is on it once all of it is there."""

    path: str
    shows: str
    size: tuple[int, int] = (1440, 900)
    opens: str = ""
    """What is clicked on then."""


_ONE = "/assets/deprovisioned_accounts"
_CHECK = "leavers_lose_access_within_the_agreement"
PICTURES = {
    "lineage": Picture("/asset-groups", "sync_health", (1600, 600)),
    "leavers": Picture(f"{_ONE}?view=lineage&lineageScope=neighbors&lineageDepth=2", "findings", (1440, 1240)),
    "snapshot": Picture("/assets/users", "The identity provider's own id"),
    "columns": Picture(_ONE, "returned_at", (1440, 1700)),
    "preview": Picture("/assets/users?view=events", "preview"),
    "accounts": Picture("/assets/users?view=events", "preview", (1440, 620), "[Show Markdown]"),
    "changes": Picture("/assets/access_changes?view=events", "preview", (1440, 620), "[Show Markdown]"),
    "failed_check": Picture(f"{_ONE}?view=checks&checkDetail={_CHECK}", "Every leaver of the last", (1440, 700)),
}


def main() -> None:
    """Take the pictures of an organization with a year behind it."""
    path = chromium_path()
    if path is None:
        raise SystemExit("Chromium is missing: `make setup-browser` installs it where it may")
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        make.organization(make.settings(home), "first")
        scene.populate(home, people=120, days=365)
        materialize(home)
        with webserver(home) as address:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            page = browser.new_page()
            page.goto(address)
            page.get_by_text("Hide navigation").click()
            for name, picture in PICTURES.items():
                take(page, address, picture, TARGET / f"{name}.png")


def take(page: Page, address: str, picture: Picture, file: Path) -> None:
    """Take a picture once the page has come to rest."""
    width, height = picture.size
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address + picture.path)
    page.get_by_text(picture.shows).first.wait_for(timeout=60_000)
    page.wait_for_load_state("networkidle")
    if picture.opens:
        page.get_by_text(picture.opens).click()
    page.wait_for_timeout(2000)  # the graph glides into its place
    page.screenshot(path=file)


def materialize(home: Path) -> None:
    """Let Dagster make every asset, and the snapshots of many days."""
    now = datetime.now(UTC).date()
    (home / "dagster").mkdir()
    (home / "dagster" / "dagster.yaml").write_text((make.ROOT / "dagster_defs" / "dagster.yaml").read_text())
    of_days = {
        STEPS[1]: ["--partition-range", f"{now - timedelta(days=DAYS)}...{now}"],
        STEPS[2]: ["--partition", f"{now}"],
    }
    for selected in STEPS:
        command = ["dagster", "asset", "materialize", "--select", selected, "-m", "dagster_defs.definitions"]
        subprocess.run(
            [str(make.BIN / command[0]), *command[1:], *of_days.get(selected, [])],
            env=environment(home),
            cwd=make.ROOT,
            check=True,
            capture_output=True,
        )


@contextmanager
def webserver(home: Path) -> Generator[str]:
    """Run `dagster-webserver` and give its address."""
    port = make.free_port()
    command = [str(make.BIN / "dagster-webserver"), "--host", "127.0.0.1", "--port", str(port), "-w", "workspace.yaml"]
    with (home / "webserver.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(home), cwd=make.ROOT, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        make.until(lambda: make.answers(f"{address}/server_info"), seconds=180, what="the start of the webserver")
        yield address
    finally:
        process.terminate()
        process.wait(30)


def environment(home: Path) -> dict[str, str]:
    """The environment of Dagster's programs."""
    return make.environment(home, DAGSTER_HOME=str(home / "dagster"))


if __name__ == "__main__":
    main()
