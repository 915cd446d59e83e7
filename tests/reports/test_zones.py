"""A period is the organization's own days in sheets, controls and charts alike, wherever it is: recounted in Python."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import make
import pytest
from reports.conftest import dbt_build
from reports.planted import Org, take_in

from dagster_defs.assets.marts import make_sources
from dagster_defs.evidence.periods import Period
from dagster_defs.evidence.reading import Report, read, standings
from dagster_defs.evidence.reports import MONTHLY
from dagster_defs.resources import resources

PERIOD = Period.named("2026-03")
ZONES = {
    "tokyo": "Asia/Tokyo",
    "new-york": "America/New_York",  # summer time begins in the period
    "honolulu": "Pacific/Honolulu",
    "kiritimati": "Pacific/Kiritimati",
    "utc": "UTC",
}
AROUND = [timedelta(microseconds=-1), timedelta(0), timedelta(hours=5), timedelta(hours=-5)]


def bounds(zone: str) -> list[datetime]:
    """Midnights at which March begins and ends in a zone (UTC), by the standard library alone."""
    days = date(2026, 3, 1), date(2026, 4, 1)
    return [
        datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
        for day in days
    ]


def leaving(slug: str) -> list[tuple[str, datetime]]:
    """Who leaves when: just before, at and after both ends of the period."""
    moments = [end + step for end in bounds(ZONES[slug]) for step in AROUND]
    return [(f"u{number}", moment) for number, moment in enumerate(moments)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Report], dict[str, tuple[str, int, int]]]:
    """Reports of March, and what the control test of leavers says, by organization."""
    home: Path = tmp_path_factory.mktemp("zones")
    settings = make.settings(home)
    orgs: list[Org] = []
    for slug, zone in ZONES.items():
        org = Org(slug, zone)
        for user, moment in leaving(slug):
            org.user("2026-01-10", user)
            org.asked("2026-02-01", user)
            org.user(moment.isoformat(), user, "deactivated", active=False)
        orgs.append(org)
    # Another name, zone and agreement, set after the period: what was, stays.
    changed = Org("changed", "Asia/Tokyo")
    changed.set("2026-02-01", "deprovision_sla_seconds", 86_400, 3_600)
    changed.user("2026-01-10", "ada")
    changed.asked("2026-03-05", "ada")
    changed.user("2026-03-05T12:00", "ada", "deactivated", active=False)
    changed.set("2026-04-10", "deprovision_sla_seconds", 3_600, 604_800)
    changed.set("2026-04-10", "name", "Old name", "New name")
    changed.set("2026-04-10", "time_zone", "Asia/Tokyo", "Pacific/Honolulu")
    orgs.append(changed)
    take_in(settings.warehouse_path, orgs, PERIOD.last_day)
    make_sources(resources(settings)["warehouse"])
    asked = {"as_of_day": PERIOD.last_day.isoformat(), "period_start": PERIOD.begins.isoformat()}
    dbt_build("duckdb", home, warehouse=str(settings.warehouse_path), **asked)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        found = {
            standing.slug: read(warehouse, MONTHLY, PERIOD, standing, schema="reports")
            for standing in standings(warehouse, PERIOD.begins, PERIOD.last_day)
        }
        rows = warehouse.execute(
            "SELECT DISTINCT organization, result, population, findings FROM reports.control_matrix "
            "WHERE test_name = 'leavers_lose_access_in_time'"
        ).fetchall()
    return found, {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize("slug", ZONES)
def test_sheets_figures_controls_and_charts_count_the_days_of_the_organization(told: Any, slug: str) -> None:
    reports, controls = told
    begins, ends = bounds(ZONES[slug])
    expected = sorted(user for user, moment in leaving(slug) if begins <= moment < ends)
    sheets = {sheet.spec.name: sheet for sheet in reports[slug].sheets}
    assert sorted(row["user_name"] for row in sheets["leavers"].records) == expected
    figures = {one.figure.label: one.value for one in reports[slug].figures}
    assert (figures["leavers"], figures["left too late"]) == (len(expected), len(expected))
    assert controls[slug] == ("fail", len(expected), len(expected))
    latency = next(chart for chart in reports[slug].charts if "asked to ended" in chart.title)
    assert f"longer: {len(expected)}" in latency.svg
    assert reports[slug].instants == (begins, ends)


def test_what_is_set_after_a_period_does_not_change_its_results(told: Any) -> None:
    reports, controls = told
    report = reports["changed"]
    (leaver,) = next(sheet for sheet in report.sheets if sheet.spec.name == "leavers").records
    assert (leaver["sla_seconds"], leaver["is_within_sla"]) == (3_600, False)
    assert controls["changed"] == ("fail", 1, 1)
    assert (report.standing.name, report.standing.time_zone, report.standing.sla_seconds) == (
        "Old name",
        "Asia/Tokyo",
        3_600,
    )
    assert report.standing.of_the_present == []
    assert reports["tokyo"].standing.of_the_present == ["name", "deprovision_sla_seconds"]
