"""Another project that merges our definitions with its own keeps its assets and checks out of our jobs."""

import dagster as dg
import pytest

from dagster_defs import check_states, jobs
from dagster_defs.cadence import CADENCE
from dagster_defs.definitions import defs


@dg.asset
def theirs() -> None:
    """An asset that says nothing of itself."""


@dg.asset(group_name="reports")
def their_report() -> None:
    """An asset in a group with a name of ours."""


@dg.asset(group_name="evidence", tags={CADENCE: "daily"})
def their_daily_report() -> None:
    """An asset with a tag of ours."""


@dg.asset_check(asset="users")
def their_check() -> dg.AssetCheckResult:
    """A check of an asset of ours."""
    return dg.AssetCheckResult(passed=False)


MERGED = dg.Definitions.merge(
    defs, dg.Definitions(assets=[theirs, their_report, their_daily_report], asset_checks=[their_check])
)


@pytest.mark.parametrize("job", [job.name for job in jobs.JOBS])
def test_our_jobs_make_our_assets_alone(job: str) -> None:
    alone, merged = (some.resolve_job_def(job).asset_layer for some in (defs, MERGED))
    assert merged.selected_asset_keys == alone.selected_asset_keys
    assert alone.selected_asset_keys or job == jobs.proof.name


def test_the_proof_is_of_our_checks_alone() -> None:
    alone, merged = ({node.name for node in some.resolve_job_def(jobs.proof.name).nodes} for some in (defs, MERGED))
    assert merged == alone


def test_alerts_are_of_our_checks_and_of_all_of_them() -> None:
    assert set(check_states.KEYS) == set(defs.resolve_asset_graph().asset_check_keys)
    assert set(MERGED.resolve_asset_graph().asset_check_keys) - set(check_states.KEYS) == {
        dg.AssetCheckKey(dg.AssetKey("users"), "their_check")
    }
