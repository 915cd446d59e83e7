"""Identifiers and instants, as the store writes them."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_VERSION_7 = 0x7 << 76 | 0b10 << 62
_OPEN = ~(0xF << 76 | 0b11 << 62)
"""All bits but those of the version and the variant."""
_MOMENT: ContextVar[datetime | None] = ContextVar("moment", default=None)


def now() -> str:
    """Return the present as ISO 8601 text in UTC with microseconds, 27 characters that sort as they pass."""
    moment = _MOMENT.get()
    if moment is not None:
        return instant(moment)
    second, microsecond = divmod(time.time_ns() // 1_000, 1_000_000)
    return f"{_to_the_second(second)}.{microsecond:06}Z"


@lru_cache(maxsize=1)
def _to_the_second(second: int) -> str:
    # Asked for several times by every request: written out once for all of the same second.
    return instant(datetime.fromtimestamp(second, UTC)).partition(".")[0]


def instant(moment: datetime) -> str:
    """Return a moment as the store writes it; one without a zone is in UTC, wherever the service runs.

    Raises:
        OverflowError: when it is before the year 1 or after 9999 in UTC.
    """
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def read_instant(name: str, text: str) -> str:
    """Return a date or time that a person wrote in ISO 8601 as the store writes it, "" for an empty text.

    A date is its midnight; a time without a zone is in UTC.

    Raises:
        ValueError: when the text is neither; `name` says in the message what it was for.
    """
    try:
        return instant(datetime.fromisoformat(text.strip().upper())) if text else ""
    except (ValueError, OverflowError) as error:
        example = "2026-11-25 or 2026-11-25T14:30:00Z"
        raise ValueError(f"{name} {text!r} is no date or time of ISO 8601: write it like {example}") from error


def same_moment(text: Any) -> Any:
    """Return the text of a moment as the store writes it, and anything else as it is."""
    try:
        return instant(datetime.fromisoformat(text.upper()))
    except (AttributeError, ValueError, OverflowError):
        return text


@contextmanager
def written_at(moment: datetime) -> Generator[None]:
    """Let what is written in the block be written as of a past moment: how a history is brought in.

    The log stays in order all the same: a write is never before the organization's last event.
    """
    token = _MOMENT.set(moment)
    try:
        yield
    finally:
        _MOMENT.reset(token)


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562 §5.7): opaque, unique, and near its neighbours in an index."""
    bits = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    text = f"{bits & _OPEN | _VERSION_7:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
