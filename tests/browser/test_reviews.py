"""An access review in a real browser: opened, decided by another person, closed, and its revocation seen to be done."""

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import make
import pytest
from browser.places import Place
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def provision(place: Place) -> dict[str, str]:
    """Ada and Bob in the pushed team Data."""
    with place.scim(place.organization.token) as scim:
        names = ("ada@example.com", "bob@example.com")
        ids = {name: scim.post("/Users", json=make.user(name)).json()["id"] for name in names}
        pushed = scim.post("/Groups", json=make.group("Data", *ids.values(), externalId="g1"))
        assert pushed.status_code == 201, pushed.text
        return ids | {"Data": pushed.json()["id"]}


RUN = """
import dagster as dg
from dagster_defs.definitions import defs
from dagster_defs.partitions import DAYS, last_day
day = last_day(DAYS).isoformat()
with dg.DagsterInstance.ephemeral() as instance:
    for job, partition in {"provisioning": day, "reporting": None}.items():
        assert defs.resolve_job_def(job).execute_in_process(instance=instance, partition_key=partition).success
"""
"""What the sensors ask for when there are new events."""


def newest_pack(place: Place, admin: Page) -> tuple[str, Path]:
    """Run what follows every change, and return the newest pack of the review: its name on the page, its folder."""
    home = place.organization.settings.home
    env = make.environment(home, DAGSTER_SCIM_PUBLIC_URL=place.address)
    told: Any = {"env": env, "cwd": make.ROOT, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", RUN], timeout=300, check=False, **told)
    assert done.returncode == 0, done.stderr[-3000:]
    pack = max((home / "reports" / place.organization.slug / "access_review").iterdir())
    admin.get_by_role("link", name="Reports", exact=True).click()
    expect(admin.get_by_role("heading", name=pack.name)).to_be_visible()
    verified = make.command("reports", "verify", str(pack), home=home)
    assert (verified.returncode, "The pack holds" in verified.stdout) == (0, True), verified.stderr
    return pack.name, pack


def outcomes(pack: Path) -> dict[str, str]:
    """What came of each decision, by account."""
    with (pack / "access_review_decisions.csv").open(newline="") as text:
        return {row["user_name"]: row["outcome"] for row in csv.DictReader(text)}


def test_a_review_from_opening_to_the_last_revocation(place: Place) -> None:
    ids = provision(place)
    admin = place.admin()
    admin.get_by_role("link", name="Access reviews", exact=True).click()
    admin.get_by_role("link", name="New review").first.click()
    admin.get_by_label("Name", exact=True).fill("Q4 2026")
    admin.get_by_label("Who reviews everything else").fill("ada@example.com")
    admin.get_by_role("button", name="Open review").click()
    expect(admin.get_by_role("alert")).to_contain_text("Nobody can review 'Data' of ada@example.com")
    admin.get_by_label("Who reviews everything else").fill("ada@example.com\nbob@example.com")
    admin.get_by_role("button", name="Open review").click()
    expect(admin.get_by_role("status")).to_contain_text("It asks for 2 accesses")
    review = admin.url

    ada = place.signed_in(place.person("ada", "ada@example.com"))
    ada.goto(review)
    expect(ada.get_by_role("checkbox")).to_have_count(1)
    ada.get_by_role("checkbox", name="bob@example.com: Data").check()
    ada.get_by_label("Reason").fill("left the project")
    ada.get_by_role("button", name="Revoke what is ticked").click()
    expect(ada.get_by_role("status")).to_contain_text("1 access will be taken away")

    admin.goto(review)
    admin.get_by_role("button", name="Close review").click()
    expect(admin.get_by_text("1 access is not decided")).to_be_visible()
    admin.get_by_role("button", name="Close review").click()
    task = admin.get_by_text("remove bob@example.com from the group 'Data'")
    expect(task).to_be_visible()
    expect(admin.get_by_text("still there")).to_be_visible()

    first, pack = newest_pack(place, admin)
    assert outcomes(pack) == {"ada@example.com": "not_reviewed", "bob@example.com": "open"}
    assert "remove bob@example.com from the group" in (pack / "report.html").read_text()

    with place.scim(place.organization.token) as scim:
        gone = make.patch({"op": "remove", "path": f'members[value eq "{ids["bob@example.com"]}"]'})
        assert scim.patch(f"/Groups/{ids['Data']}", json=gone).is_success
    admin.goto(review)
    expect(task).not_to_be_visible()
    expect(admin.get_by_text("gone", exact=True)).to_be_visible()

    # The next snapshot shows that it is gone, so the review gets another pack.
    second, pack = newest_pack(place, admin)
    assert second > first
    assert outcomes(pack) == {"ada@example.com": "not_reviewed", "bob@example.com": "gone"}
