"""The small chart of requests by hour: heights as numbers, so that the page needs no style and no script."""

from collections.abc import Sequence
from dataclasses import dataclass

from scim_app.admin.wording import plural
from scim_app.store.views.request_list import Hour

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
    most = max((hour.answered + hour.refused for hour in hours), default=0) or 1
    bars = [_bar(place, hour, HEIGHT / most) for place, hour in enumerate(hours)]
    answered, refused = sum(hour.answered for hour in hours), sum(hour.refused for hour in hours)
    return Spark(f"{plural(answered, 'request')} answered and {refused:,} refused in 24 hours", bars)


def _bar(place: int, hour: Hour, scale: float) -> Bar:
    ok, fail = round(hour.answered * scale, 2), round(hour.refused * scale, 2)
    title = f"{hour.label}: {hour.answered:,} answered, {hour.refused:,} refused"
    return Bar(title, place * STEP + 1, round(HEIGHT + 1 - ok, 2), ok, round(HEIGHT + 1 - ok - fail, 2), fail)
