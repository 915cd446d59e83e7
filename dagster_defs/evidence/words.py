"""How values read in the pages of a report: one form for HTML and PDF. Pure."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from scim_app.store.export.columns import THRESHOLD_COLUMNS

MOST_ROWS = 400
"""Rows of a table that pages show; the CSV file beside them has all."""

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_NAMES = {"user_name": "account", "display_name": "name", "is_within_sla": "in time", "sla": "SLA"}


def heading(column: str) -> str:
    """Return what a column is called over a table."""
    name = _NAMES.get(column, column.removeprefix("is_").removesuffix("_name"))
    words = name.removesuffix("_at").replace("_", " ")
    return f"{words} (s)".replace(" seconds", "") if name.endswith("_seconds") else words


PARAMETERS = {
    "as_of_day": "last day",
    "period_start": "first day of the period",
    "name": "name",
    "time_zone": "time zone",
    **{column.name: column.description[0].lower() + column.description[1:] for column in THRESHOLD_COLUMNS},
}
"""What the parameters of a report are called on its first page."""
_OF_TODAY = "taken_from_the_present"


def parameters_in_words(values: Mapping[str, Any]) -> str:
    """Return the parameters of a report as sentences; the last one names those whose past values are not known."""
    named = [f"{PARAMETERS.get(name, name)}: {text(value)}" for name, value in values.items() if name != _OF_TODAY]
    of_today = [PARAMETERS.get(name, name) for name in str(values.get(_OF_TODAY, "")).split(", ") if name]
    last = f" The log tells these only later; its first value stands here: {', '.join(of_today)}." if of_today else ""
    return f"{'; '.join(named)}.{last}"


def text(value: Any) -> str:
    """Return a value as a person reads it; characters that can't be seen, or turn text around, are shown as such."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", str(value))


def is_number(value: Any) -> bool:
    """Tell whether a value stands to the right."""
    return isinstance(value, int | float) and not isinstance(value, bool)
