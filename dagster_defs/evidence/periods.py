"""Days and periods of an organization, the one place that says when they begin and end. Pure.

A day begins at midnight in the organization's time zone, and days never run backwards: when another zone is set, the
day that has begun goes on until the next one begins there. A period is a stretch of such days.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_ZONE = "Pacific/Kiritimati"
"""The zone in which days begin and end before they do anywhere else."""
_INSTANT = timedelta(microseconds=1)
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

    def instants(self, zones: "Zones") -> tuple[datetime, datetime]:
        """Return when the period begins and ends: UTC without a zone, as the warehouse has instants."""
        return zones.begins(self.begins), zones.begins(self.ends)


@dataclass(frozen=True, slots=True)
class Zones:
    """The time zones that an organization has had, each with the instant (UTC, naive) from which on; at least one."""

    spans: tuple[tuple[datetime, str], ...]

    @classmethod
    def of(cls, zone: str) -> "Zones":
        """Return the zones of an organization that has had one."""
        return cls(((datetime.min, zone),))  # noqa: DTZ901 - naive, as all instants here

    def begins(self, day: date) -> datetime:
        """Return when a day begins (UTC, naive): the first instant at which this day, or a later one, is reached."""
        for (since, zone), until in self._until():
            if midnight(day, zone) < until:
                return max(midnight(day, zone), since)
        since, zone = self.spans[-1]
        return max(midnight(day, zone), since)

    def day_of(self, moment: datetime) -> date:
        """Return the day that an instant (UTC, naive) is in."""
        ended = [local_date(until - _INSTANT, zone) for (_, zone), until in self._until() if until <= moment]
        return max([*ended, local_date(moment, self.zone_at(moment))])

    def zone_at(self, moment: datetime) -> str:
        """Return the zone that was set at an instant (UTC, naive)."""
        return next(zone for since, zone in reversed(self.spans) if since <= moment)

    def days(self, first: date, last: date) -> Iterator[tuple[date, datetime, datetime]]:
        """Yield each day from `first` to `last` with its beginning and its end; one that a zone skips is left out."""
        begins = self.begins(first)
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            ends = self.begins(day + timedelta(days=1))
            if begins < ends:
                yield day, begins, ends
            begins = ends

    def _until(self) -> Iterator[tuple[tuple[datetime, str], datetime]]:
        return zip(self.spans, [since for since, _ in self.spans[1:]], strict=False)


def midnight(day: date, zone: str) -> datetime:
    """Return when a day begins in a zone: UTC, naive. Where clocks skip midnight, it begins when they do."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


def local_date(moment: datetime, zone: str) -> date:
    """Return the date in a zone at an instant (UTC, naive)."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


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
