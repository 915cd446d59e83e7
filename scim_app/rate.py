"""How fast anybody may ask: buckets that fill at a steady rate and hold a burst."""

import math
import threading
import time

KEYS = 10_000
"""So many are told apart; then all begin anew."""


class Buckets:
    """A bucket for each key, in this process.

    Args:
        rate: how many a second are let through in the long run; 0 sets no limit.
        burst: how many are let through at once.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._lock = threading.Lock()
        self._held: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> int:
        """Return 0 and count one, or after how many whole seconds the next one is let through."""
        if not self._rate:
            return 0
        now = time.monotonic()
        with self._lock:
            left, at = self._held.get(key, (float(self._burst), now))
            left = min(float(self._burst), left + (now - at) * self._rate)
            if len(self._held) >= KEYS:
                self._held.clear()
            self._held[key] = (left - 1 if left >= 1 else left, now)
        return 0 if left >= 1 else math.ceil((1 - left) / self._rate)
