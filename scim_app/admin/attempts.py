"""How often something may be tried: a bucket for each key, in this process."""

import threading
import time
from http import HTTPStatus

from scim_app.admin.failures import PageProblem

KEYS = 10_000


class Attempts:
    """At most so many attempts of a key in so many seconds, then none until time has passed."""

    def __init__(self, most: int, *, seconds: float) -> None:
        self._most = most
        self._rate = most / seconds
        self._lock = threading.Lock()
        self._held: dict[str, tuple[float, float]] = {}

    def require(self, key: str) -> None:
        """Count an attempt.

        Raises:
            PageProblem: with status 429 when there were too many.
        """
        now = time.monotonic()
        with self._lock:
            left, at = self._held.get(key, (float(self._most), now))
            left = min(self._most, left + (now - at) * self._rate)
            if len(self._held) >= KEYS:
                self._held.clear()
            self._held[key] = (max(0.0, left - 1), now)
        if left < 1:
            text = "Too many attempts. Wait a minute, then try again."
            raise PageProblem(HTTPStatus.TOO_MANY_REQUESTS, "Not so fast", text)
