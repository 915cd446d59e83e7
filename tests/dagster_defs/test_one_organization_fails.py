"""One organization's log is damaged: the others go on as if nothing were, it is named, and catches up once mended."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import make
import pytest
import sqlalchemy as sa
from directories import BEFORE_DBT, materialize_all
from recording import Recorder

from dagster_defs import asset_checks, sensors
from dagster_defs.assets import alerts, findings, snapshots
from dagster_defs.assets.evidence import Packs, write_packs
from dagster_defs.evidence.periods import Period
from dagster_defs.evidence.reading import left_out, standings
from dagster_defs.evidence.reports import WEEKLY
from dagster_defs.resources import resources
from scim_app.directory.kinds import TEAM, USER, Kind
from scim_app.directory.membership import MemberDelta
from scim_app.store.access import organizations
from scim_app.store.db.stamps import written_at
from scim_app.store.export.packs import RUN
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store, open_writer

SOUND, BROKEN = ("acme", "initech", "umbrella"), "globex"
FIRST = datetime.combine(datetime.now(UTC).date() - timedelta(days=10), time(8), UTC)
DAYS = [FIRST.date() + timedelta(days=number) for number in range(4)]
CHECKS = [check for check in asset_checks.CHECKS if "access_review_population" not in str(check.check_key)]
TABLES = (
    *("users", "teams", "team_members", "effective_access", "user_versions", "membership_versions"),
    *("access_changes", "deprovisioned_accounts", "calendar"),
)
EVENT = f"org_id = (SELECT id FROM organizations WHERE slug = '{BROKEN}') AND subject_name = 'cid@example.com'"
"""The event of the third day that is damaged."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with four organizations that did the same for four days; nothing was copied yet."""
    home = tmp_path_factory.mktemp("sound")
    settings = make.settings(home)
    settings.ensure_pepper()
    make.migrate.upgrade(settings.store_url)
    with closing(Store(settings.store_url)) as store:
        for slug in (*SOUND, BROKEN):
            store.write(partial(write, slug))
    return home


def write(slug: str, db: sa.Connection) -> None:
    """Write the four days of an organization."""
    with written_at(FIRST):
        org_id = organizations.create(db, slug, actor=make.ACTOR).id

    def create(day: int, kind: Kind, document: make.Body, *members: str) -> str:
        with written_at(FIRST + timedelta(days=day)):
            delta = MemberDelta(added=dict.fromkeys(members))
            return writes.create(Unit.begin(db, org_id, make.ACTOR), kind, document, delta).id

    ada = create(0, USER, make.user("ada@example.com"))
    bob = create(1, USER, make.user("bob@example.com"))
    create(1, TEAM, {"schemas": [make.GROUP], "displayName": "Data"}, ada, bob)
    create(2, USER, make.user("cid@example.com"))
    with written_at(FIRST + timedelta(days=2)):
        gone = make.user("bob@example.com", active=False)
        writes.update(Unit.begin(db, org_id, make.ACTOR), USER, bob, lambda *_: (gone, MemberDelta()))
    create(3, USER, make.user("dan@example.com"))


class Home:
    """A copy of that home with a Dagster of its own."""

    def __init__(self, written: Path, path: Path, instance: dg.DagsterInstance) -> None:
        self.settings = make.settings(shutil.copytree(written, path))
        self.instance, self.channel = instance, Recorder("operator")

    def run(self) -> dg.ExecuteInProcessResult:
        """What a run of `provisioning` does, as of today."""
        chosen = [*BEFORE_DBT, *CHECKS]
        return materialize_all(self.settings, [self.channel], *chosen, raise_on_error=False, instance=self.instance)

    def end_days(self) -> None:
        """What `end_of_day` does."""
        with self.warehouse() as connection:
            snapshots.cut(connection, DAYS)

    def warehouse(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.settings.warehouse_path))

    def rows(self, *slugs: str) -> dict[str, list[Any]]:
        with self.warehouse() as connection:
            return {
                table: connection.execute(
                    f"SELECT * FROM identity.{table} WHERE org IN (SELECT unnest(?)) ORDER BY ALL", [list(slugs)]
                ).fetchall()
                for table in TABLES
            }

    def store(self, *statements: sa.Executable | str, **values: Any) -> list[Any]:
        """Change the store past its service; the rows that the last statement returned."""
        engine = open_writer(self.settings.store_url)
        try:
            with engine.begin() as connection:
                for name in ("update", "delete"):
                    connection.execute(sa.text(f"DROP TRIGGER IF EXISTS events_no_{name}"))
                for statement in statements:
                    found = connection.execute(sa.text(str(statement)), values)
                return [dict(row) for row in found.mappings()] if found.returns_rows else []
        finally:
            engine.dispose()

    def damage(self, statement: str) -> Callable[[], None]:
        """Damage the event, and return what mends it."""
        (row,) = self.store(f"SELECT * FROM events WHERE {EVENT}")
        self.store(statement)

        def mend() -> None:
            self.store(f"DELETE FROM events WHERE {EVENT}")
            self.store(f"INSERT INTO events ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", **row)

        return mend

    def asks(self) -> int:
        """How many runs are asked for because an event may have been mended."""
        sensor, known = sensors.mended_log_sensor, resources(self.settings)
        needed = {name: known[name] for name in sensor.required_resource_keys}
        context = dg.build_sensor_context(instance=self.instance, resources=needed, sensor_name=sensor.name)
        answer: Any = sensor(context)
        return 0 if isinstance(answer, dg.SkipReason) else len(answer.run_requests or [])

    def catch_up(self) -> None:
        """Run for as long as runs are asked for."""
        for _ in range(3):
            if self.asks():
                assert self.run().success
        assert self.asks() == 0

    def packs(self, period: Period) -> Packs:
        known: dict[str, Any] = resources(self.settings)
        given = {name: known[name] for name in ("dbt", "scim", "warehouse")}
        return write_packs(WEEKLY, period, **given, root=self.settings.reports_path, run_id="")


@pytest.fixture(scope="module")
def never_broken(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The home as it is without damage."""
    with dg.DagsterInstance.ephemeral() as instance:
        home = Home(written, tmp_path_factory.mktemp("never") / "home", instance)
        assert home.run().success
        home.end_days()
        yield home


@pytest.fixture
def home(written: Path, tmp_path: Path) -> Iterator[Home]:
    """A home to damage."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Home(written, tmp_path / "home", instance)


GAP, CHANGED, UNREADABLE, NO_JSON = (
    f"DELETE FROM events WHERE {EVENT}",
    f"UPDATE events SET document = replace(document, 'cid@', 'eve@') WHERE {EVENT}",
    f"""UPDATE events SET change = '{{"created_at": "yesterday"}}' WHERE {EVENT}""",
    f"UPDATE events SET document = '{{' WHERE {EVENT}",
)


@pytest.mark.parametrize(
    ("damage", "failing", "words"),
    [
        (GAP, "event_log_has_no_gap", "event {seq} is missing from its log; its data end at event {last}"),
        (CHANGED, "event_log_chain_holds", "event {seq} was changed after it was written"),
        (UNREADABLE, "every_event_is_taken_in", "event {seq} can't be read (ConversionException)"),
        (NO_JSON, "event_log_has_no_gap", "event {seq} can't be read (ValueError)"),
    ],
    ids=["gap", "changed", "unreadable", "no-json"],
)
def test_others_go_on_and_the_broken_one_is_named_and_catches_up(
    home: Home, never_broken: Home, monkeypatch: pytest.MonkeyPatch, damage: str, failing: str, words: str
) -> None:
    mend = home.damage(damage)
    (seq,) = (row["seq"] for row in never_broken.store(f"SELECT seq FROM events WHERE {EVENT}"))
    said = words.format(seq=seq, last=seq - 1)

    result = home.run()
    home.end_days()
    assert result.success
    assert home.rows(*SOUND) == never_broken.rows(*SOUND)
    failed = {one.check_name: one for one in result.get_asset_check_evaluations() if not one.passed}
    named = {name: one.metadata["organizations"].value for name, one in failed.items()}
    assert {org for of_check in named.values() for org in of_check} == {BROKEN}  # type: ignore[union-attr]
    assert said in named[failing][BROKEN]  # type: ignore[index, operator, call-overload]
    assert said in (failed[failing].description or "")

    materialize_all(home.settings, [home.channel], findings.findings, alerts.alert_deliveries, instance=home.instance)
    title = f"[{BROKEN}] Check failed: {failing.replace('_', ' ')}"
    (message,) = (one for one in home.channel.sent if one.title == title)
    assert said in message.body
    assert not any(slug in f"{message.title} {message.text}" for slug in SOUND)

    assert home.asks() == 0
    mend()
    if damage != GAP:
        assert home.asks() == 0
        monkeypatch.setattr(sensors, "TRIED_AGAIN_SECONDS", 0)  # an hour later
        assert home.run().success if home.asks() else None
        monkeypatch.undo()
    home.catch_up()
    assert home.rows(*SOUND, BROKEN) == never_broken.rows(*SOUND, BROKEN)
    with home.warehouse() as connection:
        assert connection.execute("FROM identity.failures").fetchall() == []


def test_no_report_is_made_that_lacks_what_is_missing_from_the_log(home: Home, never_broken: Home) -> None:
    mend = home.damage(GAP)
    home.run()
    period = Period("three-days", DAYS[0], DAYS[3])
    packs, whole = home.packs(period), never_broken.packs(period)
    assert [pack.parents[1].name for pack in packs.folders] == list(SOUND)
    assert list(packs.left_out) == [BROKEN]
    assert "is missing from its log; its data end at event" in packs.left_out[BROKEN]
    assert not (home.settings.reports_path / BROKEN).exists()
    expected = {pack.parents[1].name: pack for pack in whole.folders}
    assert (set(expected), whole.left_out) == ({*SOUND, BROKEN}, {})
    for pack in packs.folders:
        assert files(pack) == files(expected[pack.parents[1].name])

    with home.warehouse() as connection:  # a period that ended before the gap is whole
        assert left_out(connection, standings(connection, DAYS[0], DAYS[0])) == {}
        breaks = connection.execute("SELECT org, finding FROM identity.log_breaks").fetchall()
        assert [org for org, _ in breaks] == [BROKEN]
    mend()
    home.catch_up()
    with home.warehouse() as connection:
        assert left_out(connection, standings(connection, DAYS[0], DAYS[3])) == {}


def files(pack: Path) -> dict[str, Any]:
    """The files of a pack."""
    return {path.name: path.read_bytes() for path in pack.iterdir() if path.name != RUN}


def test_a_check_tells_of_each_organization_apart(home: Home, never_broken: Home) -> None:
    """Both are broken in one check: each gets a finding of its own."""
    home.run()
    with home.warehouse() as connection:
        connection.execute("UPDATE identity.user_versions SET user_name = 'x' WHERE org IN ('acme', 'globex')")
    check = asset_checks.snapshots.user_names_are_unique
    dg.materialize(
        [check],
        selection=dg.AssetSelection.checks(check),
        resources=resources(home.settings),
        instance=home.instance,
        raise_on_error=False,
    )
    materialize_all(home.settings, [home.channel], findings.findings, alerts.alert_deliveries, instance=home.instance)
    told = [one for one in home.channel.sent if "user names are unique" in one.title]
    assert [one.title.split()[0] for one in told] == ["[acme]", "[globex]"]
    assert not any(slug in one.text for one in told for slug in (*SOUND, BROKEN))
