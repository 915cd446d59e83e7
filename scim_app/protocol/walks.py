"""Walks by index: where the page before ended, so that what comes and goes meanwhile shifts nobody past a reader."""

import time
from collections import OrderedDict

_SECONDS = 15 * 60
_MOST = 10_000

Step = tuple[str, str, int]
"""Who walks (a token's id), over which kind, and the `startIndex` that comes next."""


class Walks:
    """The ends of the pages that were given out lately, in this process."""

    def __init__(self) -> None:
        self._ends: OrderedDict[Step, tuple[int, float]] = OrderedDict()

    def behind(self, step: Step) -> int | None:
        """Return the position behind which the next page of a walk begins, None when it is no walk or too long ago."""
        found = self._ends.get(step)
        return found[0] if found and found[1] > time.monotonic() else None

    def remember(self, step: Step, position: int) -> None:
        """Remember where a page ended."""
        self._ends[step] = (position, time.monotonic() + _SECONDS)
        self._ends.move_to_end(step)
        if len(self._ends) > _MOST:
            self._ends.popitem(last=False)
