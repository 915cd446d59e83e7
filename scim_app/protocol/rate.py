"""How fast one token may ask."""

from scim2_models import SCIMException

from scim_app.rate import Buckets


class TooManyRequests(SCIMException):
    """The token asked faster than it may (RFC 6585 §4).

    Args:
        seconds: after how many whole seconds the next request is served; Okta reads no other form.
    """

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(detail=f"this token asks too fast; try again in {seconds} s")
        self.seconds = seconds


class RateLimit(Buckets):
    """Buckets by token."""

    def require(self, token_id: str) -> None:
        """Let a request pass.

        Raises:
            TooManyRequests: when the token's bucket is empty.
        """
        if seconds := self.take(token_id):
            raise TooManyRequests(seconds)
