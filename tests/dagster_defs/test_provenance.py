"""Two hosts with one Dagster: a run stands on the warehouse that its inputs were written to, or fails."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import make
import pytest
from dagster._core.storage.tags import TagType, get_tag_type
from directories import Directory, materialize_all

from dagster_defs import asset_checks, provenance
from dagster_defs.assets import access, changes, events, findings, history, marts, reports, review_packs, snapshots
from dagster_defs.assets.evidence import EVIDENCE
from dagster_defs.assets.evidence_files import evidence_files
from dagster_defs.resources import Warehouse, resources
from scim_app.settings import Settings

Host = Callable[..., dg.ExecuteInProcessResult]
READERS = [
    *(history.history, snapshots.snapshots, changes.access_changes, changes.deprovisioned_accounts, access.tokens),
    *(access.orphaned_access, findings.findings, reports.compliance_report, review_packs.access_review_report),
    *(events.provisioning_events, marts.marts, evidence_files, *EVIDENCE),
]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """The Dagster instance that both hosts use."""
    with dg.DagsterInstance.ephemeral() as shared:
        yield shared


@pytest.fixture
def first(directory: Directory, settings: Settings, instance: dg.DagsterInstance) -> Host:
    """Materializes on the host that has the warehouse, which has taken in a leaver."""
    directory.deactivate(directory.user("ada@example.com"))

    def run(*assets: Any, **options: Any) -> dg.ExecuteInProcessResult:
        return materialize_all(settings, [], *assets, instance=instance, raise_on_error=False, **options)

    result = run(events.provisioning_events, history.history)
    assert result.success, reason(result)
    return run


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a second host: the same store, a home of its own."""
    home = tmp_path / "second"
    home.mkdir()
    return make.settings(home, database_url=settings.store_url)


@pytest.fixture
def second(first: Host, elsewhere: Settings, instance: dg.DagsterInstance) -> Host:
    """Materializes on the second host."""

    def run(*assets: Any, **options: Any) -> dg.ExecuteInProcessResult:
        return materialize_all(elsewhere, [], *assets, instance=instance, raise_on_error=False, **options)

    return run


def reason(result: dg.ExecuteInProcessResult) -> str:
    """Why the first step of a run failed."""
    failed = [event for event in result.all_events if event.is_step_failure]
    assert failed, "no step failed"
    return failed[0].step_failure_data.error.to_string()  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore:.*run_id:DeprecationWarning")  # the packs ask for it as `context.run_id`
def test_on_a_host_with_an_empty_warehouse_every_run_fails_and_says_what_to_do(
    first: Host, second: Host, elsewhere: Settings
) -> None:
    for asset in READERS:
        result = second(asset)
        assert not result.success, asset.node_def.name
        for words in ("is not the one that earlier runs wrote", "DAGSTER_SCIM_HOME", "--new-warehouse"):
            assert words in reason(result), asset.node_def.name
    assert not list(elsewhere.reports_path.glob("*"))
    with duckdb.connect(str(elsewhere.warehouse_path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
    assert first(history.history).success


def test_a_check_on_another_host_fails_too(first: Host, elsewhere: Settings, instance: dg.DagsterInstance) -> None:
    check = asset_checks.log.event_log_has_no_gap
    selection = dg.AssetSelection.checks(check)
    held = resources(elsewhere)
    result = dg.materialize([check], selection=selection, resources=held, instance=instance, raise_on_error=False)
    assert "is not the one that earlier runs wrote" in reason(result)


def test_an_old_copy_of_the_warehouse_is_not_the_warehouse(
    first: Host, second: Host, settings: Settings, elsewhere: Settings
) -> None:
    shutil.copy(settings.warehouse_path, elsewhere.warehouse_path)
    assert first(history.history).success
    assert "wrote" in reason(second(history.history))
    shutil.copy(settings.warehouse_path, elsewhere.warehouse_path)
    assert second(history.history).success
    assert "wrote" in reason(first(history.history))


def test_a_run_that_failed_or_was_killed_leaves_the_warehouse_what_it_was(first: Host, settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("ALTER TABLE identity.marks RENAME TO hidden")
        connection.execute("CREATE VIEW identity.marks AS SELECT 1 AS nothing")
    assert not first(history.history).success
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("DROP VIEW identity.marks")
        connection.execute("ALTER TABLE identity.hidden RENAME TO marks")
    assert first(history.history).success


def test_a_run_with_the_tags_of_another_has_not_stood_on_the_warehouse_yet(
    first: Host, second: Host, instance: dg.DagsterInstance
) -> None:
    """Dagster gives the tags of a run to its retries and re-executions, which may still be in the queue."""
    (stood,) = instance.get_runs()
    instance.create_run_for_job(dg.GraphDefinition("waiting").to_job(), tags=stood.tags)
    assert first(history.history).success
    assert first(history.history, tags=dict(stood.tags)).success
    assert "wrote" in reason(second(history.history, tags=dict(stood.tags)))
    assert first(history.history).success


def test_the_list_of_runs_shows_no_tag_of_it(first: Host, instance: dg.DagsterInstance) -> None:
    (stood,) = instance.get_runs()
    shown = [key for key in stood.tags if get_tag_type(key) != TagType.HIDDEN]
    assert provenance.STOOD in stood.tags
    assert not [key for key in shown if "warehouse" in key]


def test_an_operator_begins_a_new_warehouse_after_the_old_one_was_deleted(first: Host, settings: Settings) -> None:
    settings.warehouse_path.unlink()
    assert "--new-warehouse" in reason(first(events.provisioning_events))
    assert first(events.provisioning_events, tags={provenance.NEW: "true"}).success
    assert first(events.provisioning_events, history.history).success


@pytest.mark.parametrize("kept", [True, False])
def test_after_an_upgrade_the_copy_of_the_log_tells_which_warehouse_it_is(
    directory: Directory, settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    directory.user("ada@example.com")
    with monkeypatch.context() as earlier_release:
        earlier_release.setattr(Warehouse, "setup_for_execution", lambda *_: None)
        assert materialize_all(settings, [], events.provisioning_events, instance=instance).success
    if not kept:
        settings.warehouse_path.unlink()
    result = materialize_all(settings, [], history.history, instance=instance, raise_on_error=False)
    assert result.success is kept
    assert kept or "copied up to event 3, and this one has it up to event 0" in reason(result)


def test_a_new_installation_begins_with_an_empty_warehouse(
    directory: Directory, materialize: Any, instance: dg.DagsterInstance
) -> None:
    assert materialize(events.provisioning_events, history.history, instance=instance).success
