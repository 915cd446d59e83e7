"""Who has called a moment ago, so that a write on a server need not ask twice whose token it carries.

Every write reads its token in its own transaction before it changes or tells anything; asking for it by itself as well
takes a round trip and a thread, a quarter of what a write costs. So nothing is done with a token that was revoked.
"""

import hashlib
import time
from dataclasses import dataclass

from scim_app.protocol.calls import WRITES
from scim_app.store.credentials.tokens import Caller
from scim_app.store.db.stamps import now

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
