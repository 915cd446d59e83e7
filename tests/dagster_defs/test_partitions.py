"""Each partition tells of its own day, and any of the snapshots can be made alone, together, and by range."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import duckdb
import make
import pytest
import time_machine
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from directories import Directory

from dagster_defs.assets import access, events, history, snapshots
from dagster_defs.resources import resources
from scim_app.settings import Settings

TODAY = datetime.now(UTC).date()
DAYS = [TODAY - timedelta(days=back) for back in (3, 2, 1, 0)]
PARTITIONS = dg.DailyPartitionsDefinition(start_date=DAYS[0].isoformat(), end_offset=1)
OF_DAYS = (snapshots.snapshots, access.tokens)
TABLES = (*snapshots.TABLES, access.TOKENS)


@pytest.fixture
def grown(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An organization that gains a person and a team each day."""
    for module in (snapshots, access):
        monkeypatch.setattr(module, "DAYS", PARTITIONS)
    noon = datetime.combine(DAYS[0], datetime.min.time(), UTC) + timedelta(hours=12)
    with time_machine.travel(noon, tick=True):
        directory = Directory(make.organization(settings))
    for number, day in enumerate(DAYS[:3]):
        with time_machine.travel(noon + (day - DAYS[0]), tick=True):
            directory.team(f"Team {number}", directory.user(f"person-{number}@example.com"))
    directory.store.close()
    return settings


@pytest.fixture
def ranged(grown: Settings) -> Iterator[Callable[..., dg.DagsterInstance]]:
    """Copies the log and makes a range of days, of all snapshots or those selected; the instance knows the events."""
    of_days = [one.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=PARTITIONS)) for one in OF_DAYS]
    tags = {ASSET_PARTITION_RANGE_START_TAG: str(DAYS[0]), ASSET_PARTITION_RANGE_END_TAG: str(DAYS[-1])}
    given: Any = {"resources": resources(grown)}

    def make_range(*selected: str) -> dg.DagsterInstance:
        chosen = list(selected) or None
        assert dg.materialize([events.provisioning_events, history.history], instance=instance, **given).success
        assert dg.materialize(of_days, selection=chosen, tags=tags, instance=instance, **given).success
        return instance

    with dg.DagsterInstance.ephemeral() as instance:
        yield make_range


def told(instance: dg.DagsterInstance, table: str) -> dict[str, tuple[Any, Any, list[str]]]:
    """What the page of each partition says: number of rows, event, and the days of the rows in the preview."""
    found: dict[str, tuple[Any, Any, list[str]]] = {}
    for record in instance.fetch_materializations(dg.AssetKey(table), limit=100).records:
        made = record.asset_materialization
        assert made is not None
        assert made.partition is not None
        assert made.partition not in found, "one event for each partition"
        preview, at = made.metadata["preview"], made.metadata.get("at_event")
        rows = preview.records if isinstance(preview, dg.TableMetadataValue) else []
        count = made.metadata["dagster/partition_row_count"].value
        found[made.partition] = (count, at.value if at else None, sorted({str(row.data["day"]) for row in rows}))
    return found


def held(settings: Settings, table: str) -> dict[str, tuple[Any, Any, list[str]]]:
    """The same from the warehouse."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        counts = dict(connection.execute(f"SELECT day, count(*) FROM identity.{table} GROUP BY day").fetchall())
        cuts = dict(connection.execute("SELECT day, seq FROM identity.snapshot_cuts").fetchall())
    at = {day: None if table == access.TOKENS.name else {"acme": cuts[day]} for day in DAYS}
    return {str(day): (counts.get(day, 0), at[day], [str(day)] if counts.get(day) else []) for day in DAYS}


def test_each_day_of_a_range_tells_its_own_rows_and_its_own_event(ranged: Any, grown: Settings) -> None:
    instance = ranged()
    for table in TABLES:
        assert told(instance, table.name) == held(grown, table.name), table.name
    assert [count for count, *_ in told(instance, "users").values()] == [3, 3, 2, 1]
    assert len({str(event) for _, event, _ in told(instance, "users").values()}) == 3


@pytest.mark.parametrize("table", ["users", "effective_access"])
def test_one_snapshot_is_made_of_many_days_without_the_others(ranged: Any, grown: Settings, table: str) -> None:
    instance = ranged(table)
    assert told(instance, table) == held(grown, table)
    assert [other.name for other in TABLES if told(instance, other.name)] == [table]


def test_the_chart_of_accounts_ends_with_the_last_day_that_was_made(ranged: Any) -> None:
    records = ranged().fetch_materializations(dg.AssetKey("users"), limit=10).records
    with_chart = [one.partition_key for one in records if "chart" in one.asset_materialization.metadata]
    assert with_chart == [str(DAYS[-1])]
