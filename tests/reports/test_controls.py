"""Each control test fails on a violation that was planted in the period, and not on a case that is alike.

A violation that was over before the period's end counts; what happened in another period is no occurrence.
"""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import make
import pytest
from reports.conftest import dbt_build
from reports.planted import Org, take_in
from reports.violations import CASES, FIRST, LAST

from dagster_defs.assets.marts import make_sources
from dagster_defs.resources import resources
from scim_app.directory.controls import TESTS

ALL = [(test, number) for test, cases in CASES.items() for number in range(len(cases))]


def slug(test: str, number: int) -> str:
    return f"{test.replace('_', '-')}-{number}"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[str, int]]:
    """Result and population by organization and test."""
    home: Path = tmp_path_factory.mktemp("planted")
    settings = make.settings(home)
    orgs: list[Org] = []
    for test, number in ALL:
        org = Org(slug(test, number))
        CASES[test][number][1](org)
        orgs.append(org)
    take_in(settings.warehouse_path, orgs, date.fromisoformat(LAST))
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        # What nobody can see from the chain alone: the hashes are in order, what one is of was changed.
        warehouse.execute(
            "UPDATE identity.provisioning_events SET document = '{\"userName\":\"eve\"}' WHERE subject_id = 'tampered'"
        )
    make_sources(resources(settings)["warehouse"])
    dbt_build("duckdb", home, warehouse=str(settings.warehouse_path), as_of_day=LAST, period_start=FIRST)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        rows = warehouse.execute(
            "SELECT organization, test_name, result, population FROM reports.control_matrix"
        ).fetchall()
    return {(org, test): (result, population) for org, test, result, population in rows}


def test_every_control_test_has_a_planted_violation_and_a_case_that_is_alike() -> None:
    assert CASES.keys() == TESTS.keys()
    for test, cases in CASES.items():
        assert {"fail", "pass"} <= {expected for expected, _ in cases}, test


@pytest.mark.parametrize(("test", "number"), ALL)
def test_a_control_test_is_what_happened_in_the_period(results: Any, test: str, number: int) -> None:
    expected = CASES[test][number][0]
    found, population = results[slug(test, number), test]
    assert found == expected, population
    assert (population == 0) == (expected == "no occurrence")
