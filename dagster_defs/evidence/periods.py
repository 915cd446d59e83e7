"""Periods that reports tell of: weeks, months, quarters, and the state of a day. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_NAME = re.compile(r"(\d{4})-(?:W(\d{2})|Q([1-4])|(\d{2}))")


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of days: its name, its first day, and the day after its last."""

    name: str
    begins: date
    ends: date

    @classmethod
    def named(cls, name: str) -> "Period":
        """Return a period by its name: `2026-W47`, `2026-11` or `2026-Q4`.

        Raises:
            ValueError: when it is none.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(
                f"{name!r} is no period: write a week (2026-W47), a month (2026-11) or a quarter (2026-Q4)"
            )
        year, week, quarter, month = match.groups()
        if week:
            begins = date.fromisocalendar(int(year), int(week), 1)
            return cls(name, begins, begins + timedelta(days=7))
        months = 3 if quarter else 1
        first = int(quarter) * 3 - 2 if quarter else int(month)
        begins = date(int(year), first, 1)
        following = first + months
        return cls(name, begins, date(int(year) + (following > 12), (following - 1) % 12 + 1, 1))

    @property
    def last_day(self) -> date:
        """The last day."""
        return self.ends - timedelta(days=1)

    def before(self) -> "Period":
        """Return the stretch of as many days just before."""
        length = self.ends - self.begins
        return Period("before", self.begins - length, self.begins)

    def instants(self, zone: str) -> tuple[datetime, datetime]:
        """Return when the period begins and ends in a time zone: UTC without a zone, as the warehouse has instants."""
        bounds = (datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in (self.begins, self.ends))
        begins, ends = (bound.replace(tzinfo=None) for bound in bounds)
        return begins, ends


def week_of(day: date) -> Period:
    """Return the week (ISO 8601) that a day is in."""
    year, week, _ = day.isocalendar()
    return Period.named(f"{year}-W{week:02}")


def month_of(day: date) -> Period:
    """Return the month that a day is in."""
    return Period.named(f"{day:%Y-%m}")


def quarter_of(day: date) -> Period:
    """Return the quarter that a day is in."""
    return Period.named(f"{day.year}-Q{(day.month + 2) // 3}")
