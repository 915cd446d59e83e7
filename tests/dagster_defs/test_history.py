"""The history in the warehouse is what the log tells, at every event, however it was taken in."""

import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import make
import oracle
import pytest
from event_logs import Log, Warehouse

from dagster_defs import incremental, pictures
from dagster_defs.assets import changes, events, history, snapshots
from dagster_defs.partitions import day_starts
from dagster_defs.resources import resources
from scim_app.cli.history.building import build
from scim_app.cli.opening import opened_store
from scim_app.settings import Settings
from scim_app.store.export import Export, Head

PEOPLE, DAYS = 60, 120


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store with months of joiners, movers, leavers, returns, grants and refusals behind it."""
    settings = make.settings(tmp_path_factory.mktemp("year"))
    settings.ensure_pepper()
    make.migrate.upgrade(settings.store_url)
    with opened_store(settings) as store:
        build(settings, store, "northwind", people=PEOPLE, days=DAYS)
    return settings


@pytest.fixture(scope="module")
def export(year: Settings) -> Generator[Export]:
    """The store's export: its replay of the log in plain Python is what the warehouse is compared with."""
    opened = Export(year.store_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def head(export: Export) -> Head:
    """Where the log stands."""
    return export.heads()[0]


def taken_in(settings: Settings, block: int) -> duckdb.DuckDBPyConnection:
    """A warehouse in memory that took the log in, so many events at a time."""
    connection = duckdb.connect()
    events.copy(connection, resources(settings)["scim"])  # type: ignore[arg-type]
    for carry in (history.carry, changes.carry, changes.carry_gone):
        carry(connection, block)
    snapshots.make_views(connection)
    return connection


def rows(connection: duckdb.DuckDBPyConnection, table: Any, seq: int) -> list[tuple[Any, ...]]:
    """A snapshot of the warehouse at an event, instants as the store writes them."""
    cut = {"day": datetime(2026, 1, 1, tzinfo=UTC).date(), "org": "northwind", "seq": seq}
    snapshots.CUTS.replace(connection, [cut])
    names = ", ".join(column.name for column in table.columns[3:])
    found = connection.execute(f"SELECT {names} FROM {table.address}").fetchall()
    return sorted((tuple(map(_stored, row)) for row in found), key=repr)


def _stored(value: Any) -> Any:
    return f"{value.isoformat(timespec='microseconds')}Z" if isinstance(value, datetime) else value


def test_at_any_event_the_snapshots_are_those_of_a_replay(year: Settings, export: Export, head: Head) -> None:
    with taken_in(year, 1000) as connection:
        for seq in [*range(0, head.last_seq, max(1, head.last_seq // 12)), head.last_seq]:
            told = export.snapshot(head.org_id, seq)
            for table in snapshots.TABLES:
                names = [column.name for column in table.columns[3:]]
                expected = sorted((tuple(row[n] for n in names) for row in getattr(told, table.name)), key=repr)
                assert rows(connection, table, seq) == expected, (table.name, seq)


def test_blocks_of_any_size_give_the_same(year: Settings) -> None:
    def everything(block: int) -> list[Any]:
        with taken_in(year, block) as connection:
            tables = (*history.TABLES, changes.ACCESS_CHANGES, changes.DEPROVISIONED_ACCOUNTS)
            return [connection.execute(f"SELECT * FROM {table.address} ORDER BY ALL").fetchall() for table in tables]

    assert everything(97) == everything(100_000)


def test_a_block_has_no_more_members_than_it_may_have_events() -> None:
    log, members = Log(), [f"user-{number:032d}" for number in range(200)]
    for number in range(6):
        log.team("created", f"team {number}", members)
    for size, most in ((10, 1), (500, 3), (100_000, 6)):
        with Warehouse(log.events) as warehouse:
            taken = list[int]()

            def count(taken: list[int] = taken, connection: duckdb.DuckDBPyConnection = warehouse.connection) -> None:
                taken.extend(connection.execute("SELECT count(*) FROM batch").fetchall()[0])

            assert incremental.advance(warehouse.connection, "other", [], count, size) == sum(taken) == len(log.events)
            assert max(taken) <= most


def test_access_changes_are_those_of_a_walk_through_the_log(year: Settings, export: Export, head: Head) -> None:
    log = [event for event in export.events(head.org_id, limit=100_000) if event["subject_kind"] in ("user", "team")]
    for event in log:
        event |= {name: json.loads(event[name] or "null") for name in ("change", "document")}
    expected = [tuple(row.values()) for row in oracle.access_changes(log)]
    with taken_in(year, 1000) as connection:
        names = ", ".join(next(iter(oracle.access_changes(log))))
        query = f"SELECT {names} FROM identity.access_changes WHERE change <> 'role_change'"
        found = connection.execute(query).fetchall()
    stamps = [tuple(_stored(value) for value in row) for row in found]
    assert sorted(stamps, key=repr) == sorted(expected, key=repr)
    assert {row[6] for row in expected} >= {"created", "joined_team", "left_team", "deactivated"}


def test_a_grant_to_a_team_changes_the_role_of_its_active_members() -> None:
    log = Log()
    log.user("created", "ada")
    log.user("created", "bob", active=False)
    log.team("created", "Data", ["ada", "bob"])
    log.role("granted", "g1", ("team", "Data"), "editor")
    log.role("revoked", "g1", ("team", "Data"), "editor")
    with Warehouse(log.events) as warehouse:
        found = [row for row in warehouse.rows("access_changes", "seq") if row["change"] == "role_change"]
    told = ("how", "user_id", "team_name", "role", "before", "after")
    assert [tuple(row[name] for name in told) for row in found] == [
        ("granted_role", "ada", "Data", "editor", None, "editor"),
        ("revoked_role", "ada", "Data", "editor", "editor", None),
    ]


def test_a_leaver_is_told_with_the_roles_that_were_lost() -> None:
    log = Log()
    log.user("created", "ada")
    log.team("created", "Data", ["ada"])
    log.role("granted", "g1", ("team", "Data"), "editor")
    log.role("granted", "g2", ("user", "ada"), "admin")
    log.user("deactivated", "ada", active=False)
    with Warehouse(log.events) as warehouse:
        (gone,) = warehouse.rows("deprovisioned_accounts", "seq")
    assert gone["grants"] == "admin on organization; editor on organization through team Data"


@pytest.mark.parametrize(
    ("asserted", "within"), [("2026-01-01T00:00:00.000000Z", True), ("2025-12-30T00:00:00Z", False)]
)
def test_the_agreement_runs_from_when_the_identity_provider_said_so(asserted: str, within: bool) -> None:
    log = Log()
    log.user("created", "ada")
    log.user("deactivated", "ada", active=False, change={"asserted_at": asserted})
    with Warehouse(log.events) as warehouse:
        (gone,) = warehouse.rows("deprovisioned_accounts", "seq")
    assert gone["within_sla"] is within


REFUSED = [
    ("PATCH", {"Operations": [{"op": "replace", "path": "active", "value": "False"}]}, True),
    ("PATCH", {"Operations": [{"op": "Replace", "value": {"active": False}}]}, True),
    ("PUT", {"userName": "ada", "active": False}, True),
    ("DELETE", None, True),
    ("PATCH", {"Operations": [{"op": "replace", "path": "title", "value": "Lead"}]}, False),
    ("PUT", {"userName": "ada", "active": True}, False),
]


@pytest.mark.parametrize(("method", "request_", "counts"), REFUSED)
def test_a_deactivation_that_was_refused_first_counts_from_then(method: str, request_: Any, counts: bool) -> None:
    log = Log()
    log.user("created", "ada")
    refused = {"subject_kind": "user", "method": method, "status": 409}
    for _ in range(2):
        log.add("write.rejected", "ada", change={"request": request_}, **refused)
    log.user("deactivated", "ada", active=False)
    with Warehouse(log.events) as warehouse:
        (gone,) = warehouse.rows("deprovisioned_accounts", "seq")
    assert gone["latency_seconds"] == (2 * 3600 if counts else 0)
    assert (gone["asserted_at"] is not None) is counts


def test_a_refusal_before_the_account_was_changed_again_does_not_count() -> None:
    log = Log()
    log.user("created", "ada")
    log.add("write.rejected", "ada", change=None, subject_kind="user", method="DELETE", status=409)
    log.user("updated", "ada", title="Lead")
    log.user("deactivated", "ada", active=False)
    with Warehouse(log.events) as warehouse:
        (gone,) = warehouse.rows("deprovisioned_accounts", "seq")
    assert gone["asserted_at"] is None


def test_a_leaver_is_told_with_the_keys_that_are_the_accounts_own() -> None:
    log = Log()
    log.user("created", "ada")
    log.add("api_key.created", "k1", actor="ada", subject_name="backup", change={"scopes": ["users:read"]})
    log.add("api_key.created", "k2", actor="ada", subject_name="old", change={"scopes": ["users:read"]})
    log.add("api_key.revoked", "k2", actor="ada", subject_name="old")
    log.add("api_key.created", "k3", actor="bob", subject_name="someone else's", change={"scopes": ["users:read"]})
    log.user("deactivated", "ada", active=False)
    with Warehouse(log.events) as warehouse:
        (gone,) = warehouse.rows("deprovisioned_accounts", "seq")
    assert gone["tokens"] == "backup"


def test_who_granted_a_role_is_an_id_also_where_older_events_have_the_name_of_then() -> None:
    log = Log()
    log.add("user.created", "u1", {"userName": "ada@example.com", "active": True})
    granted = {"holder_kind": "user", "holder_id": "u1", "role": "admin", "scope_kind": "organization"}
    for number, actor in enumerate(("ada@example.com", "u1", "cli", "key k1"), 1):
        grant = {"grant_id": f"g{number}", **granted, "scope_id": None}
        log.add("role.granted", f"g{number}", change={"grant": grant}, actor=actor)
    log.add("user.updated", "u1", {"userName": "lovelace@example.com", "active": True})
    log.add("user.created", "u2", {"userName": "ada@example.com", "active": True})
    with Warehouse(log.events) as warehouse:
        warehouse.cut(len(log.events))
        rows = warehouse.rows("role_grants", "grant_id")
    assert [row["granted_by"] for row in rows] == ["u1", "u1", "cli", "key k1"]


ZONES = (
    *("UTC", "Europe/Paris", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "America/Havana"),
    *("Pacific/Apia", "Australia/Lord_Howe", "Asia/Tehran", "America/Asuncion", "Asia/Kathmandu"),
)


@pytest.mark.parametrize("zone", ZONES)
def test_every_instant_is_in_exactly_one_day_of_every_zone(zone: str) -> None:
    """Also where clocks change at midnight, by half an hour, or by a whole day."""
    starts = day_starts(zone, datetime(2000, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC))
    assert [begins for _, begins in starts] == sorted({begins for _, begins in starts})
    assert [day for day, _ in starts] == sorted({day for day, _ in starts})


def test_the_chart_of_accounts_counts_what_the_snapshots_hold(year: Settings) -> None:
    with taken_in(year, 100_000) as connection:
        last = datetime.now(UTC).date()
        snapshots.cut(connection, [last - timedelta(days=number) for number in range(40)])
        found = {row[0]: row[1:] for row in connection.execute(pictures.ACCOUNTS_BY_DAY, [last, 40]).fetchall()}
        query = "SELECT day, count(*) FILTER (active), count(*) FILTER (NOT active) FROM identity.users GROUP BY day"
        assert found == {row[0]: row[1:] for row in connection.execute(query).fetchall()}
