"""How fast one token may ask: a bucket that fills at a steady rate and holds a generous burst."""

import math
import time
from dataclasses import dataclass

from scim2_models import SCIMException


class TooManyRequests(SCIMException):
    """The token asked faster than it may (RFC 6585 §4).

    Args:
        seconds: after how many whole seconds the next request is served; Okta reads no other form.
    """

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(detail=f"this token asks too fast; try again in {seconds} s")
        self.seconds = seconds


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class RateLimit:
    """Buckets by token, in this process.

    Args:
        rate: requests a second that a token may make in the long run; 0 sets no limit.
        burst: requests that it may make at once.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: dict[str, _Bucket] = {}

    def take(self, token_id: str) -> None:
        """Let a request pass.

        Raises:
            TooManyRequests: when the token's bucket is empty.
        """
        if not self._rate:
            return
        now = time.monotonic()
        bucket = self._buckets.setdefault(token_id, _Bucket(self._burst, now))
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.left < 1:
            raise TooManyRequests(math.ceil((1 - bucket.left) / self._rate))
        bucket.left -= 1
