"""Days that a person backfills in the Dagster UI: each partition's page tells what the warehouse holds of its day."""

import json
import subprocess
from collections.abc import Generator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import make
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from running_dagster import Dagster, daemon, environment, prepare, ui

pytestmark = pytest.mark.line

TODAY = datetime.now(UTC).date()
DAYS = [str(TODAY - timedelta(days=back)) for back in range(9, 2, -1)]
"""Seven days that have ended."""
GROUP = "locations/__repository__@dagster_scim/asset-groups"
SNAPSHOTS = ("users", "teams", "team_members", "role_grants", "effective_access", "tokens")

LAUNCH = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
} }"""
BACKFILLS = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { id status } } } }"
AUTOMATION = """{
    sensorsOrError(repositorySelector: %s) { ... on Sensors { results { state: sensorState { id } } } }
    schedulesOrError(repositorySelector: %s) { ... on Schedules { results { state: scheduleState { id } } } }
}""".replace("%s", '{ repositoryLocationName: "dagster_scim", repositoryName: "__repository__" }')
STOP_SENSOR = "mutation ($id: String) { stopSensor(id: $id) { __typename } }"
STOP_SCHEDULE = "mutation ($id: String) { stopRunningSchedule(id: $id) { __typename } }"
PAGE = """query ($asset: AssetKeyInput!, $days: [String!]) { assetOrError(assetKey: $asset) { ... on Asset {
    assetMaterializations(partitions: $days) {
        partition
        runOrError { ... on Run { tags { key value } } }
        metadataEntries { label
            ... on IntMetadataEntry { intValue } ... on JsonMetadataEntry { jsonString }
            ... on TextMetadataEntry { text } ... on TableMetadataEntry { table { records } }
        }
    }
} } }"""
"""What the page of a partition asks for."""

Told = tuple[int, Any, list[Any]]
"""Number of rows, event of each organization (None where none is told), the first rows as ids."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Dagster]:
    """A running Dagster that has taken in the log of an organization with twelve days behind it, and rests."""
    home = tmp_path_factory.mktemp("backfill")
    ended = make.command("history", "acme", "--days", "12", "--people", "30", home=home)
    assert ended.returncode == 0, ended.stderr
    prepare(home)
    copy = ["asset", "materialize", "--select", "provisioning_events,group:history", "-m", "dagster_defs.definitions"]
    command = [str(make.BIN / "dagster"), *copy]
    subprocess.run(command, env=environment(home), cwd=make.ROOT, check=True, capture_output=True)
    with ui(home) as started:
        automation = started.query(AUTOMATION)
        for name, mutation in (("sensors", STOP_SENSOR), ("schedules", STOP_SCHEDULE)):
            for one in automation[f"{name}OrError"]["results"]:
                started.query(mutation, id=one["state"]["id"])
        with daemon(home):
            yield started


def done(running: Dagster, backfill: str) -> bool:
    """Whether a backfill came to its end; the test fails with it."""
    found = running.query(BACKFILLS)["partitionBackfillsOrError"]["results"]
    status = next(one["status"] for one in found if one["id"] == backfill)
    assert not status.endswith(("FAILED", "CANCELED")), status
    return status == "COMPLETED_SUCCESS"


def pages(running: Dagster, asset: str, backfill: str) -> dict[str, list[Told]]:
    """What the pages of the days tell of the materializations by a backfill."""
    found: dict[str, list[Told]] = {day: [] for day in DAYS}
    answer = running.query(PAGE, asset={"path": [asset]}, days=DAYS)
    for made in answer["assetOrError"]["assetMaterializations"]:
        if {"key": "dagster/backfill", "value": backfill} in made["runOrError"]["tags"]:
            found[made["partition"]].append(told({entry["label"]: entry for entry in made["metadataEntries"]}))
    return found


def told(entries: dict[str, dict[str, Any]]) -> Told:
    """What a materialization tells."""
    at, shown = entries.get("at_event"), entries["preview"].get("table") or {"records": []}
    rows = [json.loads(record) for record in shown["records"]]
    return (
        entries["dagster/partition_row_count"]["intValue"],
        json.loads(at["jsonString"]) if at else None,
        sorted((row["day"], row["org"], row["seq"]) for row in rows),
    )


def held(running: Dagster, asset: str) -> dict[str, list[Told]]:
    """The same of the days in the warehouse."""
    found: dict[str, list[Told]] = {}
    for day in DAYS:
        rows = asked(running, f"SELECT day::VARCHAR, org, seq FROM identity.{asset} WHERE day = ? ORDER BY ALL", day)
        at = asked(running, "SELECT org, seq FROM identity.snapshot_cuts WHERE day = ?", day)
        found[day] = [(len(rows), None if asset == "tokens" else dict(at), rows[:10])]
    return found


def asked(running: Dagster, query: str, *values: str) -> list[Any]:
    """What the warehouse answers, once no run writes it."""

    def ask() -> list[list[Any]]:
        try:
            with duckdb.connect(str(running.home / "warehouse.duckdb"), read_only=True) as connection:
                return [connection.execute(query, values).fetchall()]
        except duckdb.IOException:
            return []

    return make.until(ask, seconds=120, what="a warehouse that nobody writes")[0]


def test_seven_days_that_the_api_backfills_tell_what_the_warehouse_holds(running: Dagster) -> None:
    launched = {assets: launch(running, assets) for assets in (("users",), SNAPSHOTS)}
    for assets, backfill in launched.items():
        make.until(lambda backfill=backfill: done(running, backfill), seconds=300, what="the end of the backfill")
        for asset in assets:
            assert pages(running, asset, backfill) == held(running, asset), asset
        for asset in set(SNAPSHOTS) - set(assets):
            assert not any(pages(running, asset, backfill).values()), asset


def launch(running: Dagster, assets: Sequence[str]) -> str:
    """Backfill the days of some assets and return the id of the backfill."""
    params = {"assetSelection": [{"path": [asset]} for asset in assets], "partitionNames": DAYS}
    launched = running.query(LAUNCH, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    return launched["backfillId"]


def test_seven_days_that_a_person_backfills_tell_what_the_warehouse_holds(
    running: Dagster, browser: Browser, request: pytest.FixtureRequest
) -> None:
    """From the page of one asset; with `--full` from the page of all snapshots as well."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(120_000)
    places: dict[tuple[str, ...], str] = {("users",): "assets/users"}
    if request.config.getoption("--full"):
        places[SNAPSHOTS] = f"{GROUP}/snapshots"
    launched = {assets: launched_by_hand(page, f"{running.address}/{path}") for assets, path in places.items()}
    for assets, backfill in launched.items():
        make.until(lambda backfill=backfill: done(running, backfill), seconds=300, what="the end of the backfill")
        for asset in assets:
            expected = held(running, asset)
            for day in (DAYS[0], DAYS[3], DAYS[-1]):
                page.goto(f"{running.address}/assets/{asset}?view=partitions&partition={day}")
                ((count, at, rows),) = expected[day]
                expect(entry(page, "dagster/partition_row_count")).to_have_text(str(count))
                if at is not None:
                    assert json.loads(entry(page, "at_event").inner_text()) == at
                shown = entry(page, "preview").get_by_role("row").filter(has_text=day)
                expect(shown).to_have_count(len(rows))
    page.close()


def launched_by_hand(page: Page, address: str) -> str:
    """Backfill the days from a page of assets, as a person does, and return the id of the backfill."""
    page.goto(address)
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    days = dialog.get_by_role("textbox").first
    days.fill(f"[{DAYS[0]}...{DAYS[-1]}]")
    days.press("Enter")
    expect(dialog).to_contain_text(f"{len(DAYS)} partitions")
    with page.expect_response(
        lambda response: "aunchPartitionBackfill" in (response.request.post_data or "")
    ) as answer:
        dialog.get_by_role("button", name="Launch backfill").click()
    return answer.value.json()["data"]["launchPartitionBackfill"]["backfillId"]


def entry(page: Page, label: str) -> Locator:
    """What the page of a partition shows for an entry of the metadata."""
    name = page.get_by_role("cell", name=label, exact=True)
    return page.get_by_role("row").filter(has=name).get_by_role("cell").nth(1)
