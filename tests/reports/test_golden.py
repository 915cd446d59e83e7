"""The marts' figures for the made-up year are those of a recount, on DuckDB and on PostgreSQL alike."""

from collections import Counter
from typing import Any

import pytest
from recount import Recount, recount

from scim_app.directory.roles import Role

BOTH = pytest.mark.parametrize("ask", ["on_duckdb", "on_postgres"])
"""Each test on both databases."""


@pytest.fixture(scope="session")
def counted(year: Any) -> Recount:
    """The year, recounted."""
    return recount(year.log())


@pytest.fixture
def query(request: pytest.FixtureRequest, ask: str) -> Any:
    """Asks the database of the test."""
    return request.getfixturevalue(ask)


@BOTH
def test_joiners(query: Any, counted: Recount) -> None:
    assert sorted(query("SELECT event, how FROM reports.joiners")) == counted.joined
    assert len(counted.joined) > 300


@BOTH
def test_leavers_with_their_clocks(query: Any, counted: Recount) -> None:
    found = sorted(query("SELECT event, user_name, latency_seconds, is_within_sla FROM reports.leavers"))
    assert found == counted.left
    assert Counter(row[3] for row in counted.left)[False] >= 3, "the year has leavers that were late"


@BOTH
def test_the_access_review_population(query: Any, counted: Recount) -> None:
    teams = query("SELECT team_id, user_id FROM reports.access_review_population WHERE access_kind = 'team'")
    roles = query("SELECT grant_id FROM reports.access_review_population WHERE access_kind = 'role'")
    accounts = query("SELECT DISTINCT user_id FROM reports.access_review_population")
    assert sorted(teams) == sorted(counted.memberships())
    assert {row[0] for row in roles} == {
        key for key, grant in counted.grants.items() if grant["holder_id"] in counted.active
    }
    assert {row[0] for row in accounts} == set(counted.active)


@BOTH
def test_effective_roles_are_the_most_permissive(query: Any, counted: Recount) -> None:
    expected = {}
    for user in counted.active:
        holders = {user, *(team for team, member in counted.memberships() if member == user)}
        held = [Role(grant["role"]) for grant in counted.grants.values() if grant["holder_id"] in holders]
        expected[user] = min([*held, Role.VIEWER], key=lambda role: role.rank).value
    found = query("SELECT DISTINCT user_id, effective_role FROM reports.access_review_population")
    assert dict(found) == expected
    assert {"organization_admin", "admin", "editor", "launcher", "viewer"} == set(expected.values())


@BOTH
def test_refused_writes_and_quiet_days(query: Any, counted: Recount) -> None:
    days, refused, silent = query(
        "SELECT count(*), sum(refused_writes), count(CASE WHEN is_silent THEN 1 END) FROM reports.sync_health_daily"
    )[0]
    assert (days, int(refused)) == (365, counted.refused)
    assert silent >= 4


@BOTH
def test_reviews_and_exceptions(query: Any) -> None:
    reviews = query(
        "SELECT campaign_name, items - decided, self_reviews FROM reports.review_quality ORDER BY opened_at"
    )
    assert [(row[0], int(row[1]), row[2]) for row in reviews] == [
        (f"Access review {number}", 6 if number == 2 else 0, 0) for number in (1, 2, 3, 4)
    ]
    assert sorted(query("SELECT state FROM reports.exceptions")) == [("live",), ("renewed",)]
    assert query("SELECT count(*) FROM reports.access_review_decisions WHERE outcome = 'open'")[0][0] > 0


def test_both_databases_say_the_same(on_duckdb: Any, on_postgres: Any) -> None:
    for text in (
        "SELECT framework, control, test_name, population, findings, excused, result FROM reports.control_matrix",
        "SELECT test_name, subject_id, finding FROM reports.control_findings",
        "SELECT user_name, how, moved_at, teams_kept FROM reports.movers",
        "SELECT finding, subject_id, days_since FROM reports.orphaned_access",
        "SELECT user_name, role, source, held_since FROM reports.privileged_roster",
    ):
        assert sorted(map(str, on_duckdb(text))) == sorted(map(str, on_postgres(text))), text
        assert on_duckdb(text), text
