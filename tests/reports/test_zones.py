"""A period is the organization's own days in sheets, controls and charts alike, wherever it is: recounted in Python."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import make
import orjson
import pytest
from reports.conftest import dbt_build
from reports.planted import Org, take_in

from dagster_defs.assets.marts import make_sources
from dagster_defs.evidence.periods import Period
from dagster_defs.evidence.reading import Report, read, standings
from dagster_defs.evidence.reports import MONTHLY, STATE
from dagster_defs.evidence.writing import write
from dagster_defs.resources import resources
from scim_app.directory.events import describe
from scim_app.directory.replay import FIRST_SETTINGS
from scim_app.directory.thresholds import DEFAULTS

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


def paths() -> Org:
    """Somebody with a role by two paths, who left and came back; a name that went from one account to another."""
    org = Org("paths")
    org.user("2026-01-10", "ada")
    org.user("2026-01-11", "7f/bob")
    org.team("2026-01-12", "Data", ["ada"])
    org.grant("2026-01-13", "g-own", "user:ada")
    org.grant("2026-01-13T01:00", "g-team", "team:Data")
    org.deleted("2026-02-01", "7f")
    org.user("2026-02-05", "8e/bob")
    org.user("2026-03-05", "ada", "deactivated", active=False)
    org.user("2026-03-06", "ada", "reactivated")
    return org


def day() -> Org:
    """One who left too late at the beginning of the month, and one who left in time on its last day."""
    org = Org("day")
    for name in ("ada", "bob"):
        org.user("2026-01-10", name)
    org.asked("2026-02-01", "ada")
    org.user("2026-03-02", "ada", "deactivated", active=False)
    org.user("2026-03-31T12:00", "bob", "deactivated", active=False)
    return org


def idle() -> list[Org]:
    """Organizations with an account that was idle for 80 days at the end of March, and another threshold.

    It was set after the period, within it, or recorded by an upgrade after it and changed later.
    """
    orgs = {slug: Org(slug) for slug in ("after", "within", "upgraded")}
    for org in orgs.values():
        org.user("2026-01-10", "ada")
    orgs["after"].set("2026-04-10", "dormant_days", 90, 30)
    orgs["within"].set("2026-03-10", "dormant_days", 90, 60)
    orgs["within"].set("2026-03-20", "dormant_days", 60, 30)
    orgs["within"].set("2026-04-10", "dormant_days", 30, 365)
    orgs["upgraded"].set("2026-04-05", "dormant_days", None, 40)
    orgs["upgraded"].set("2026-04-10", "dormant_days", 40, 365)
    return list(orgs.values())


def fresh() -> Org:
    """An organization whose first event tells its settings, as a store writes it."""
    org = Org("fresh")
    first = {"name": "Fresh", "time_zone": "UTC", **FIRST_SETTINGS}
    org.events[0]["change"] = orjson.dumps({"attributes": describe(None, first)}).decode()
    return org


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Report], dict[str, tuple[str, int, int]], Any]:
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
    orgs += [changed, paths(), day(), *idle(), fresh()]
    take_in(settings.warehouse_path, orgs, PERIOD.last_day)
    make_sources(resources(settings)["warehouse"])
    asked = {"as_of_day": PERIOD.last_day.isoformat(), "period_start": PERIOD.begins.isoformat()}
    dbt_build("duckdb", home, warehouse=str(settings.warehouse_path), **asked)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        found = {
            standing.slug: read(warehouse, MONTHLY, PERIOD, standing, schema="reports")
            for standing in standings(warehouse, PERIOD.begins, PERIOD.last_day)
        }
        (last,) = (one for one in standings(warehouse, PERIOD.last_day, PERIOD.last_day) if one.slug == "day")
        found["day"] = read(warehouse, STATE, Period("day", PERIOD.last_day, PERIOD.ends), last, schema="reports")
        rows = warehouse.execute(
            "SELECT DISTINCT organization, result, population, findings FROM reports.control_matrix "
            "WHERE test_name = 'leavers_lose_access_in_time'"
        ).fetchall()

    def ask(text: str) -> list[Any]:
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
            return warehouse.execute(text).fetchall()

    return found, {row[0]: row[1:] for row in rows}, ask


@pytest.mark.parametrize("slug", ZONES)
def test_sheets_figures_controls_and_charts_count_the_days_of_the_organization(told: Any, slug: str) -> None:
    reports, controls, _ = told
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
    reports, controls, _ = told
    report = reports["changed"]
    (leaver,) = next(sheet for sheet in report.sheets if sheet.spec.name == "leavers").records
    assert (leaver["sla_seconds"], leaver["is_within_sla"]) == (3_600, False)
    assert controls["changed"] == ("fail", 1, 1)
    assert (report.standing.name, report.standing.time_zone, report.standing.thresholds) == (
        "Old name",
        "Asia/Tokyo",
        DEFAULTS | {"deprovision_sla_seconds": 3_600},
    )
    unknown = reports["tokyo"].standing.of_the_present
    assert unknown == ["name", *DEFAULTS]
    assert report.standing.of_the_present == unknown[2:]


@pytest.mark.parametrize(
    ("slug", "days", "result"), [("after", 90, "pass"), ("within", 30, "fail"), ("upgraded", 40, "fail")]
)
def test_a_threshold_is_that_of_the_end_of_the_period(told: Any, slug: str, days: int, result: str) -> None:
    """Set after the period it changes nothing of it, neither the result nor the evidence id nor the parameters."""
    reports, _, ask = told
    ((found, evidence_id),) = ask(
        "SELECT DISTINCT result, evidence_id FROM reports.control_matrix "
        f"WHERE organization = '{slug}' AND test_name = 'dormant_accounts_are_disabled'"
    )
    standing = reports[slug].standing
    expected = DEFAULTS | {"dormant_days": days}
    rest = " ".join(f"{name}={value}" for name, value in expected.items() if name != "deprovision_sla_seconds")
    digest = hashlib.md5(f"2026-03-01 2026-03-31 {rest}".encode(), usedforsecurity=False).hexdigest()[:8]
    assert (found, evidence_id) == (result, f"dormant_accounts_are_disabled@{standing.last_event}-{digest}")
    assert standing.thresholds == expected
    assert ("dormant_days" in standing.of_the_present) == (slug == "upgraded")


def test_a_new_organization_takes_nothing_from_the_present(told: Any, tmp_path: Path) -> None:
    pack = write(told[0]["fresh"], tmp_path, run_id="run", parameters={})
    parameters = orjson.loads((pack / "manifest.json").read_bytes())["evidence"]["parameters"]
    assert parameters == {"time_zone": "UTC", **DEFAULTS, "taken_from_the_present": ""}
    words = (pack / "report.html").read_text()
    assert "days until an account is dormant: 90" in words
    assert "only later" not in words


def test_a_pack_names_what_its_log_tells_only_later(told: Any, tmp_path: Path) -> None:
    pack = write(told[0]["upgraded"], tmp_path, run_id="run", parameters={})
    parameters = orjson.loads((pack / "manifest.json").read_bytes())["evidence"]["parameters"]
    assert parameters["dormant_days"] == 40
    assert "dormant_days" in parameters["taken_from_the_present"].split(", ")
    assert "The log tells these only later; its first value stands here: " in (pack / "report.html").read_text()


def test_whoever_has_a_role_by_two_paths_is_in_the_roster_twice_and_a_return_is_the_same_account(told: Any) -> None:
    _, _, ask = told
    roster = ask(
        "SELECT user_name, source, grant_id FROM reports.privileged_roster WHERE organization = 'paths' ORDER BY ALL"
    )
    assert roster == [("ada", "team", "g-team"), ("ada", "user", "g-own")]
    joined = ask(
        "SELECT user_name, how, is_return FROM reports.joiners WHERE organization = 'paths' ORDER BY joined_at"
    )
    expected = [("ada", "created", False), ("bob", "created", False), ("bob", "created", False)]
    assert joined == [*expected, ("ada", "reactivated", True)]
    gone = ask("SELECT user_id, returned_at IS NULL FROM reports.leavers WHERE organization = 'paths' ORDER BY left_at")
    assert gone == [("7f", True), ("ada", False)]


def test_figures_of_a_day_are_of_that_day(told: Any) -> None:
    of_the_day = {sheet.name: sheet.within for sheet in STATE.sheets}
    assert of_the_day == {
        "control_matrix": None,
        "control_findings": None,
        "leavers": "left_at",
        "access_review_population": None,
        "review_quality": None,
        "access_review_decisions": "decided_at",
        "sync_failures": "occurred_at",
    }
    reports, *_ = told
    figures = {one.figure.label: one.value for one in reports["day"].figures}
    assert (figures["leavers"], figures["left too late"], figures["refused writes"]) == (1, 0, 0)
