"""Each check passes on a sound store and fails when its sentence is not true."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import make
import pytest
import sqlalchemy as sa
from directories import Directory, materialize_all

from dagster_defs import asset_checks, reconcile
from dagster_defs.asset_checks import log
from dagster_defs.resources import resources
from scim_app.cli.opening import opened_store
from scim_app.directory.kinds import USER
from scim_app.directory.membership import MemberDelta
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import open_writer

BEFORE_DBT = [check for check in asset_checks.CHECKS if "access_review_population" not in str(check.check_key)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home with a few people in a team, materialized, and their ids."""
    home = tmp_path_factory.mktemp("company")
    directory = Directory(make.organization(make.settings(home)))
    ada, bob = directory.user("ada@example.com"), directory.user("bob@example.com")
    team = directory.team("Data", ada, bob)
    directory.deactivate(bob)
    directory.store.close()
    materialize_all(directory.organization.settings, [])
    return home, {"ada": ada, "bob": bob, "team": team}


@pytest.fixture
def settings(made: tuple[Path, Any], tmp_path: Path) -> Settings:
    """Settings of a copy of that home."""
    return make.settings(shutil.copytree(made[0], tmp_path / "home"))


@pytest.fixture
def company(made: tuple[Any, dict[str, str]]) -> dict[str, str]:
    """The ids of those people."""
    return made[1]


@pytest.fixture
def checked(settings: Settings) -> Callable[..., set[str]]:
    """Runs the checks, or the one named, and returns the names of those that fail."""

    def run(name: str = "", **tags: str) -> set[str]:
        checks = [check for check in BEFORE_DBT if name in str(check.check_key)]
        result = dg.materialize(
            checks,
            selection=dg.AssetSelection.checks(*checks),
            resources=resources(settings),
            tags=tags,
            raise_on_error=False,
        )
        evaluations = result.get_asset_check_evaluations()
        assert len(evaluations) == len(checks)
        return {one.check_name for one in evaluations if not one.passed}

    return run


def in_the_store(settings: Settings, *statements: str) -> None:
    engine = open_writer(settings.store_url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def in_the_warehouse(settings: Settings, statement: str) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(statement)


def test_all_checks_pass_on_a_sound_store(checked: Any) -> None:
    assert checked() == set()
    assert checked(**{log.PROOF: "whole"}) == set()


def test_changes_past_the_log_are_found(checked: Any, settings: Settings) -> None:
    in_the_store(settings, "UPDATE users SET document = replace(document, 'ada@', 'eve@')")
    assert checked() == {"every_change_has_an_event"}


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE users SET document = replace(document, 'ada@', 'eve@')", "ada"),
        ("DELETE FROM users WHERE user_name LIKE 'bob%'", "bob"),
        ("DELETE FROM team_members", "team"),
    ],
)
def test_in_a_large_store_they_are_found_by_the_nightly_proof(
    company: dict[str, str], settings: Settings, statement: str, found: str
) -> None:
    scim, held = resources(settings)["scim"], resources(settings)["warehouse"]
    with opened_store(settings) as store:
        (organization,) = store.read(organizations.listing)
        document = make.user("written after the copy")
        store.write(
            lambda db: writes.create(Unit.begin(db, organization.id, make.ACTOR), USER, document, MemberDelta())
        )
    with scim.opened() as export, held.get_connection() as warehouse:
        (head,) = export.heads()
        with scim.opened_in_bulk() as bulk:
            assert reconcile.unexplained(warehouse, bulk, head) == []
        in_the_store(settings, statement)
        with scim.opened_in_bulk() as bulk:
            assert reconcile.unexplained(warehouse, bulk, head) == [company[found]]


def test_an_event_changed_afterwards_is_found_by_the_nightly_proof(checked: Any, settings: Settings) -> None:
    chain = "event_log_chain_holds"
    assert checked(chain) == set()
    in_the_store(settings, "DROP TRIGGER events_no_update", "UPDATE events SET subject_name = 'eve' WHERE seq = 3")
    assert checked(chain) == set()  # it was verified before: the night goes through all of it again
    assert checked(chain, **{log.PROOF: "whole"}) == {chain}


def test_a_new_event_that_was_changed_is_found_at_once(checked: Any, settings: Settings) -> None:
    last = "seq = (SELECT max(seq) FROM events)"
    in_the_warehouse(settings, "UPDATE identity.marks SET seq = seq - 1 WHERE asset = 'chain'")
    in_the_store(settings, "DROP TRIGGER events_no_update", f"UPDATE events SET subject_name = 'eve' WHERE {last}")
    assert checked("event_log_chain_holds") == {"event_log_chain_holds"}


@pytest.mark.parametrize(
    ("statement", "failing"),
    [
        ("UPDATE identity.snapshot_cuts SET seq = 4", "inactive_users_have_no_access"),
        ("DELETE FROM identity.provisioning_events WHERE seq = 3", "event_log_has_no_gap"),
        ("DELETE FROM identity.user_versions WHERE user_name LIKE 'ada%'", "snapshot_counts_equal_the_store"),
        ("UPDATE identity.user_versions SET user_name = 'ADA@example.com'", "user_names_are_unique"),
        ("UPDATE identity.deprovisioned_accounts SET within_sla = false", "leavers_lose_access_within_the_agreement"),
        (
            "INSERT INTO identity.alert_deliveries (finding, channel, status, first_at) "
            "VALUES ('a', 'b', 'given_up', now()::TIMESTAMP)",
            "alerts_are_delivered",
        ),
        (
            "INSERT INTO identity.deprovisioned_accounts SELECT gone.* REPLACE (now()::TIMESTAMP AS occurred_at) "
            "FROM identity.deprovisioned_accounts AS gone, range(20)",
            "deactivation_rate_is_normal",
        ),
    ],
)
def test_what_is_wrong_in_the_warehouse_is_found(
    checked: Any, settings: Settings, statement: str, failing: str
) -> None:
    in_the_warehouse(settings, statement)
    assert checked(failing) == {failing}


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "UPDATE identity.deprovisioned_accounts "
            "SET within_sla = false, day = day - 91, access_ended_at = access_ended_at - INTERVAL 91 DAY",
            "leavers_lose_access_within_the_agreement",
        ),
        (
            "INSERT INTO identity.alert_deliveries (finding, channel, status, first_at) "
            "VALUES ('a', 'b', 'given_up', now()::TIMESTAMP - INTERVAL 8 DAY)",
            "alerts_are_delivered",
        ),
        (
            "UPDATE identity.user_versions SET user_name = if(user_name LIKE 'ada%', 'İpek', 'ipek')",
            "user_names_are_unique",
        ),
    ],
)
def test_what_is_long_ago_or_not_the_same_fails_no_check(
    checked: Any, settings: Settings, statement: str, name: str
) -> None:
    in_the_warehouse(settings, statement)
    assert checked(name) == set()


def test_a_day_without_its_snapshot_is_found(checked: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    today = datetime.now(UTC).date()
    days = dg.DailyPartitionsDefinition(start_date=(today - timedelta(days=120)).isoformat(), end_offset=1)
    monkeypatch.setattr(asset_checks.snapshots, "DAYS", days)
    in_the_warehouse(settings, "UPDATE identity.provisioning_events SET day = day - 100")
    assert checked("no_day_is_missing") == {"no_day_is_missing"}
    in_the_warehouse(
        settings,
        "INSERT INTO identity.snapshot_cuts SELECT day::DATE, 'acme', 1 "
        "FROM generate_series(current_date - 100, current_date - 1, INTERVAL 1 DAY) AS days(day)",
    )
    assert checked("no_day_is_missing") == set()


def test_nobody_inactive_is_among_those_who_are_reviewed(settings: Settings) -> None:
    check = asset_checks.outcomes.inactive_users_hold_no_access

    def passes() -> bool:
        return check(resources(settings)["warehouse"]).passed

    in_the_warehouse(
        settings,
        "CREATE SCHEMA reports; CREATE TABLE reports.access_review_population AS "
        "SELECT org AS organization, user_id, user_name, day AS as_of_day FROM identity.users WHERE active",
    )
    assert passes()
    in_the_warehouse(
        settings,
        "INSERT INTO reports.access_review_population "
        "SELECT org, user_id, user_name, day FROM identity.users WHERE NOT active",
    )
    assert not passes()
