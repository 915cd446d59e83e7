"""A closed access review has a pack of its own, which stands at the event that changed it last."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from reports.test_packs import files, problems

from dagster_defs.assets.review_packs import Review, closed, pack
from scim_app.store.export.packs import MANIFEST


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as text:
        return list(csv.DictReader(text))


@pytest.fixture
def written(year: Any, on_duckdb: Any, tmp_path: Path) -> dict[str, tuple[Review, Path, Path]]:
    """Each closed review of the year by name, with its pack, written twice."""
    assert on_duckdb("SELECT count(*) FROM reports.review_quality") != [(0,)]
    with duckdb.connect(str(year.settings.warehouse_path), read_only=True) as connection:
        return {
            one.name: (
                one,
                pack(connection, one, tmp_path / "one", run_id="one"),
                pack(connection, one, tmp_path / "two", run_id="two"),
            )
            for one in closed(connection)
        }


def test_every_closed_review_has_a_pack_that_holds_and_is_the_same_again(written: Any, year: Any) -> None:
    assert len(written) >= 3
    for review, one, two in written.values():
        assert one.name.endswith(f"-seq-{review.standing.last_event:06d}")
        assert files(one) == files(two)
        assert problems(one, year.settings.store_url) == []


def test_a_pack_tells_each_decision_once_and_what_is_left(written: Any) -> None:
    for _, folder, _ in written.values():
        decisions = read(folder / "access_review_decisions.csv")
        left = read(folder / "revocations_open.csv")
        outcomes = Counter(row["outcome"] for row in decisions)
        assert outcomes["open"] == len(left)
        assert all(row["task"] for row in left if row["managed_by"] == "identity_provider")
        entra = Counter(row["ReviewResult"] for row in read(folder / "entra-review-history.csv"))
        assert entra["Approve"] == outcomes["kept"]
        assert entra["Deny"] == outcomes["gone"] + outcomes["open"]
        assert entra["Not reviewed"] == outcomes["not_reviewed"]


def test_the_quarter_has_the_accounts_as_vanta_wants_them(request: pytest.FixtureRequest) -> None:
    quarter: Path = request.getfixturevalue("pack")
    resources = json.loads((quarter / "vanta-user-accounts.json").read_bytes())["resources"]
    active = {row["user_id"] for row in read(quarter / "access_review_population.csv")}
    assert {one["uniqueId"] for one in resources if one["status"] == "ACTIVE"} == active
    assert any(one["status"] == "DEACTIVATED" for one in resources)
    told = {one["file"] for one in json.loads((quarter / MANIFEST).read_bytes())["evidence"]["files"]}
    assert {"vanta-user-accounts.json", "entra-review-history.csv"} <= told
