"""Ninety days, each materialized when it ended, are the same when all of them are backfilled afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import make
import pytest
import sqlalchemy as sa
import time_machine
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from dagster_defs.assets import access, events, history, snapshots
from dagster_defs.resources import resources
from dagster_defs.warehouse import Table
from scim_app.cli.history.plan import year
from scim_app.cli.history.writing import Writer
from scim_app.directory.kinds import TEAM
from scim_app.directory.membership import MemberDelta
from scim_app.store.access import organization_settings, organizations, places
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials import tokens
from scim_app.store.db.stamps import written_at
from scim_app.store.export import Export
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

PEOPLE, DAYS = 60, 92
ENDED = datetime.combine(datetime.now(UTC).date(), time(), UTC)
FIRST = ENDED - timedelta(days=DAYS)
PARTITIONS = dg.DailyPartitionsDefinition(start_date=FIRST.date().isoformat(), end_offset=1)
TABLES = (*snapshots.TABLES, access.TOKENS)


class Past:
    """An organization whose days are written one by one: those of a made-up year, and what that leaves out."""

    def __init__(self, home: Path) -> None:
        self.settings = make.settings(home)
        self.pepper = self.settings.ensure_pepper()
        make.migrate.upgrade(self.settings.store_url)
        self.store = Store(self.settings.store_url)
        org = self.store.write(self._found)
        self.org_id, self.writer, self._number = org.id, Writer(org, self.pepper), 0

    @staticmethod
    def _found(db: sa.Connection) -> Organization:
        with written_at(FIRST + timedelta(hours=7)):
            return organizations.create(db, "acme", actor=make.ACTOR)

    def days(self) -> Iterator[date]:
        """Write a day and yield it, day by day."""
        steps = groupby(year(PEOPLE, starts=FIRST, days=DAYS), lambda step: step.at.date())
        planned = {day: list(of_day) for day, of_day in steps}
        for day in (FIRST.date() + timedelta(days=number) for number in range(DAYS)):
            self.store.write(lambda db, day=day: self.writer.write(db, planned.get(day, [])))
            self.store.write(lambda db, day=day: self._besides(db, day))
            yield day

    def _besides(self, db: sa.Connection, day: date) -> None:
        """One thing a day that the made-up year does not have."""
        self._number += 1
        todo = (self._rename, self._place, self._describe, self._rotate, self._reset)
        with written_at(datetime.combine(day, time(20), UTC)):
            todo[self._number % len(todo)](Unit.begin(db, self.org_id, make.ACTOR))

    def _rename(self, unit: Unit) -> None:
        team_id = sorted(self.writer.teams.values())[self._number % len(self.writer.teams)]
        document = {"schemas": [make.GROUP], "displayName": f"Renamed {self._number}"}
        writes.update(unit, TEAM, team_id, lambda *_: (document, MemberDelta()))

    def _place(self, unit: Unit) -> None:
        places.add_deployment(unit, f"deployment-{self._number}")

    def _describe(self, unit: Unit) -> None:
        tokens.describe(unit, self._token(unit), f"said anew {self._number}")

    def _rotate(self, unit: Unit) -> None:
        tokens.rotate(unit, self._token(unit), pepper=self.pepper)

    def _token(self, unit: Unit) -> str:
        return next(one.id for one in tokens.listing(unit.connection, self.org_id) if one.state == "valid")

    def _reset(self, unit: Unit) -> None:
        organization_settings.change(unit, default_role=("viewer", "launcher")[self._number % 2])


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Past]:
    """The organization, on the first of its days."""
    for module in (snapshots, access):
        monkeypatch.setattr(module, "DAYS", PARTITIONS)
    made = Past(tmp_path)
    yield made
    made.store.close()


def live(past: Past, connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """What the run of a day does, without the run."""
    scim: Any = resources(past.settings)["scim"]
    events.copy(connection, scim)
    history.carry(connection)
    snapshots.make_views(connection)
    snapshots.cut(connection, [day])
    with scim.opened() as export:
        access.keep_tokens(connection, export, [day])


def backfill(past: Past, first: date, last: date) -> dg.ExecuteInProcessResult:
    """Let Dagster make a range of partitions in one run, as a backfill in its UI does."""
    of_days = (snapshots.snapshots, access.tokens)
    return dg.materialize(
        [
            *(events.provisioning_events, history.history),
            *(one.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=PARTITIONS)) for one in of_days),
        ],
        resources=resources(past.settings),
        tags={ASSET_PARTITION_RANGE_START_TAG: str(first), ASSET_PARTITION_RANGE_END_TAG: str(last)},
    )


def rows(connection: duckdb.DuckDBPyConnection, table: Table, days: Sequence[date]) -> list[Any]:
    """The rows of a snapshot on some days, each with the event it stands at."""
    query = f"SELECT {table.names} FROM {table.address} WHERE day BETWEEN ? AND ? ORDER BY ALL"
    return connection.execute(query, [days[0], days[-1]]).fetchall()


def test_ninety_days_backfilled_are_those_that_were_made_when_they_ended(past: Past) -> None:
    made: dict[Table, list[Any]] = {table: [] for table in TABLES}
    days: list[date] = []
    with duckdb.connect(config={"threads": 1}) as warehouse:
        for day in past.days():
            days.append(day)
            midnight = datetime.combine(day, time(), UTC) + timedelta(days=1)
            if len(days) % 9 == 0:
                with time_machine.travel(midnight - timedelta(hours=1), tick=True):
                    live(past, warehouse, day)  # as it stands while it runs
            with time_machine.travel(midnight + timedelta(minutes=10), tick=True):
                live(past, warehouse, day)
            for table, found in made.items():
                found += rows(warehouse, table, [day])
    assert backfill(past, days[0], days[-1]).success
    with duckdb.connect(str(past.settings.warehouse_path), read_only=True) as warehouse:
        for table, found in made.items():
            assert rows(warehouse, table, days) == found, table.name
            assert len({row[0] for row in found}) >= 90, table.name
        cuts = dict(warehouse.execute("SELECT day, seq FROM identity.snapshot_cuts").fetchall())
    with closing(Export(past.settings.store_url)) as export:
        ends = {day: f"{day + timedelta(days=1)}T00:00:00.000000Z" for day in days}
        assert cuts == {day: export.seq_at(past.org_id, end) for day, end in ends.items()}
