"""How fast one token may ask, and one address without a token."""

from scim2_models import SCIMException

from scim_app.rate import Buckets, network_of


class TooManyRequests(SCIMException):
    """The token, or the address, asked faster than it may (RFC 6585 §4).

    Args:
        who: what asked.
        seconds: after how many whole seconds the next request is served; Okta reads no other form.
    """

    status = 429

    def __init__(self, seconds: int, who: str = "this token") -> None:
        super().__init__(detail=f"{who} asks too fast; try again in {seconds} s")
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


class StrangerLimit(Buckets):
    """Buckets by address, of requests without a valid token.

    Those with one are never held up, whatever else comes from their address: a proxy may stand before many.
    """

    def require(self, host: str) -> None:
        """Let a refusal be told and remembered.

        Raises:
            TooManyRequests: when the address has had too many of them.
        """
        if seconds := self.take(network_of(host)):
            raise TooManyRequests(seconds, "this address, without a valid token,")
