"""The small chart of requests by hour: heights as numbers, so that the page needs no style and no script."""

from collections.abc import Sequence
from dataclasses import dataclass

from scim_app.admin.wording import plural
from scim_app.store.request_log import Hour

HEIGHT = 50
STEP = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: what was answered, and what was refused on top of it."""

    title: str
    x: int
    ok_y: float
    ok_height: float
    fail_y: float
    fail_height: float


@dataclass(frozen=True, slots=True)
class Spark:
    """The chart and, for those who can't see it, its words."""

    words: str
    bars: list[Bar]


def spark_of(hours: Sequence[Hour]) -> Spark:
    """Return the chart of some hours, the oldest first."""
    most = max((hour.requests for hour in hours), default=0) or 1
    bars = [_bar(place, hour, HEIGHT / most) for place, hour in enumerate(hours)]
    requests, failures = sum(hour.requests for hour in hours), sum(hour.failures for hour in hours)
    return Spark(f"{plural(requests, 'request')} in 24 hours, {failures:,} of them refused", bars)


def _bar(place: int, hour: Hour, scale: float) -> Bar:
    ok, fail = round((hour.requests - hour.failures) * scale, 2), round(hour.failures * scale, 2)
    title = f"{hour.hour[11:]}:00 UTC: {plural(hour.requests, 'request')}, {hour.failures:,} refused"
    return Bar(title, place * STEP + 1, round(HEIGHT + 1 - ok, 2), ok, round(HEIGHT + 1 - ok - fail, 2), fail)
