"""Identifiers and instants, as the store writes them."""

import secrets
import time
import uuid
from datetime import UTC, datetime


def now() -> str:
    """Return the present as ISO 8601 text in UTC with microseconds, 27 characters that sort as they pass."""
    return datetime.now(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562 §5.7): opaque, unique, and near its neighbours in an index."""
    stamp = time.time_ns() // 1_000_000
    bits = (stamp << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=bits))
