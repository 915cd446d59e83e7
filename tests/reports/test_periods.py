"""Periods have names, bounds in an organization's own days, and a time before."""

from contextlib import nullcontext
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from dagster_defs.assets.evidence import chosen_period, last_period
from dagster_defs.evidence.periods import Period, Zones
from dagster_defs.evidence.reports import MONTHLY, QUARTERLY, WEEKLY
from dagster_defs.evidence.words import PARAMETERS, parameters_in_words
from scim_app.directory.thresholds import THRESHOLDS


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-W01", date(2025, 12, 29), date(2026, 1, 4)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_is_known_by_its_name(name: str, first: date, last: date) -> None:
    period = Period.named(name)
    assert (period.begins, period.last_day, period.before().last_day.toordinal()) == (
        first,
        last,
        first.toordinal() - 1,
    )


@pytest.mark.parametrize("name", ["2026", "2026-Q5", "last week", "2026-13"])
def test_a_period_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"period|month must be"):
        Period.named(name)


def test_days_end_where_the_organization_is() -> None:
    assert Period.named("2026-11").instants(Zones.of("Asia/Tokyo")) == (
        datetime(2026, 10, 31, 15),
        datetime(2026, 11, 30, 15),
    )


def test_a_run_takes_the_period_that_ended_last() -> None:
    today = date(2026, 1, 5)
    assert [last_period(spec, today).name for spec in (WEEKLY, MONTHLY, QUARTERLY)] == [
        "2026-W01",
        "2025-12",
        "2025-Q4",
    ]


@pytest.mark.parametrize(("name", "ended"), [("2026-10", True), ("2026-11", False), ("2027-03", False), ("", True)])
def test_there_are_packs_of_periods_that_have_ended_alone(name: str, ended: bool) -> None:
    with nullcontext() if ended else pytest.raises(ValueError, match="has not ended"):
        assert chosen_period(MONTHLY, name, date(2026, 11, 30)).name == "2026-10"


def test_days_never_run_backwards_when_another_zone_is_set() -> None:
    zones = Zones(
        (
            *Zones.of("Asia/Tokyo").spans,
            (datetime(2026, 6, 9, 23), "America/New_York"),
            (datetime(2026, 7, 1, 3), "Pacific/Kiritimati"),
        )
    )
    days = {day: (begins, ends) for day, begins, ends in zones.days(date(2026, 6, 8), date(2026, 7, 3))}
    assert days[date(2026, 6, 10)] == (datetime(2026, 6, 9, 15), datetime(2026, 6, 11, 4))
    assert days[date(2026, 7, 1)] == (datetime(2026, 7, 1, 3), datetime(2026, 7, 1, 10))
    bounds = list(days.values())
    assert all(one[1] == other[0] for one, other in pairwise(bounds))
    for day, (begins, ends) in days.items():
        assert zones.day_of(begins) == zones.day_of(ends - timedelta(microseconds=1)) == day


def test_the_first_page_says_the_parameters_in_words_and_which_are_those_of_today() -> None:
    values = {"time_zone": "Asia/Tokyo", "dormant_days": 90, "taken_from_the_present": "dormant_days"}
    assert parameters_in_words(values) == (
        "time zone: Asia/Tokyo; days until an account is dormant: 90. "
        "The log tells these only later; its first value stands here: days until an account is dormant."
    )


def test_every_parameter_of_a_report_has_words() -> None:
    assert THRESHOLDS.keys() <= PARAMETERS.keys()
