"""Who calls: the token of a request, callers who are known for a moment, and how fast each may ask.

A write reads its token in its own transaction, before it changes or tells anything. Asking by itself as well takes a
round trip and a thread, a quarter of what a write costs. So a caller is known for a moment, and still nothing is done
with a token that was revoked.
"""

import hashlib
import re
import time
from dataclasses import dataclass

from scim2_models import SCIMException
from starlette.types import Scope

from scim_app.directory.token_faults import TokenFault
from scim_app.protocol.calls import WRITES
from scim_app.rate import Buckets, network_of
from scim_app.store.credentials.tokens import Caller
from scim_app.store.db.stamps import now

_LONGEST = 512
"""Characters of a header that may hold a token."""
_FORM = re.compile(r"\s*(?:bearer:?\s+)*(?!bearer:?\s*$)(\S+)\s*", re.IGNORECASE)
_NOTHING = re.compile(r"\s*(?:bearer:?\s*)*", re.IGNORECASE)


def read_token(scope: Scope) -> tuple[str, TokenFault | None]:
    """Return the token that a request offers; empty with the fault where there is none.

    It is `Bearer` and the token (RFC 6750 §2.1). Okta's *Header Auth* applications send the field as an admin filled
    it in, so the scheme may be missing or come twice, in any case and with any spaces.
    """
    offered = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(offered) != 1:
        return "", TokenFault.REPEATED if offered else TokenFault.MISSING
    text = offered[0].decode("latin-1")
    if len(text) > _LONGEST:
        return "", TokenFault.MALFORMED
    if form := _FORM.fullmatch(text):
        return form[1], None
    return "", TokenFault.MISSING if _NOTHING.fullmatch(text) else TokenFault.MALFORMED


SECONDS = 1.0
"""How long a caller is known."""
_MOST = 1_000
_Key = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    until: float


class KnownCallers:
    """Callers by organization and token; of the token only a digest is kept."""

    def __init__(self) -> None:
        self._known: dict[_Key, _Known] = {}

    def note(self, slug: str, token: str, caller: Caller) -> None:
        """Remember whom a token was found to stand for; nobody whose organization has SCIM switched off."""
        if not caller.scim_enabled:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[_key(slug, token)] = _Known(caller, time.monotonic() + SECONDS)

    def writer(self, slug: str, token: str, method: str, path: str) -> Caller | None:
        """Return who asks for a write, None for all that is no write, and where the store has to be asked."""
        if method not in WRITES or ".search" in path:
            return None
        known = self._known.get(_key(slug, token))
        if known is None or known.until < time.monotonic() or known.caller.expires_at <= now():
            return None
        return known.caller


def _key(slug: str, token: str) -> _Key:
    return slug, hashlib.sha256(token.encode()).digest()


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
