"""How pages say things: times, names, events and causes in plain words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

_STEPS = ((60, "second"), (60, "minute"), (24, "hour"), (30, "day"), (12, "month"))


def moment(at: str) -> datetime:
    """Return an instant of the store as a time in UTC."""
    return datetime.fromisoformat(at).astimezone(UTC)


def ago(at: str, now: datetime | None = None) -> str:
    """Return how long ago, or how far ahead, an instant of the store is: `3 minutes ago`, `in 12 days`."""
    span = ((now or datetime.now(UTC)) - moment(at)).total_seconds()
    size, unit = abs(span), "year"
    if size < 45:
        return "just now" if span >= 0 else "in a moment"
    for limit, name in _STEPS:
        if round(size) < limit:
            unit = name
            break
        size /= limit
    number = max(1, round(size))
    words = f"{number} {unit}{'s' * (number != 1)}"
    return f"{words} ago" if span >= 0 else f"in {words}"


def clock(at: str, zone: str = "UTC") -> str:
    """Return an instant of the store as people of a zone read it: `25 Nov 2026, 17:56`."""
    return moment(at).astimezone(ZoneInfo(zone)).strftime("%-d %b %Y, %H:%M")


def initials(name: str | None) -> str:
    """Return at most two letters that stand for a name."""
    words = [word for word in (name or "").split("@")[0].replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


def plural(number: int, word: str, many: str | None = None) -> str:
    """Return a number with its word: `1 team`, `2,000 teams`."""
    return f"{number:,} {word if number == 1 else many or word + 's'}"


def words(name: str) -> str:
    """Return a name of code as words: `organization_admin` → `Organization admin`."""
    return name.replace("_", " ").capitalize()


def breakable(address: str) -> Markup:
    """Return an e-mail address that a narrow column breaks before the domain, and not within a word."""
    return escape(address).replace("@", Markup("@<wbr>"))


def scalar(value: Any) -> str:
    """Return an attribute's value as one line of text."""
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        inner = value.get("value", value.get("formatted"))
        return scalar(inner) if inner else ", ".join(f"{name}: {scalar(held)}" for name, held in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(scalar(item) for item in value) or "—"
    return str(value)
