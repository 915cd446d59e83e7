"""Addresses of lists: the next page, the same list sorted otherwise, and cursors as text."""

import base64
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson

from scim_app.admin.failures import bad_request, sentence
from scim_app.admin.visits import Visit
from scim_app.admin.wording import plural
from scim_app.store.views.lists import SORTS, Cursor, Query


@dataclass(frozen=True, slots=True)
class Pages:
    """Where a list goes on; empty where it does not."""

    words: str
    first: str
    next: str


@dataclass(frozen=True, slots=True)
class Sorting:
    """How a list is sorted, and the addresses that sort it otherwise."""

    column: str
    down: bool
    links: dict[str, str]


def query_of(visit: Visit) -> Query:
    """Return what the address asks a list to show."""
    filters = {name: visit.query(name) for name in ("origin", "state", "role", "team")}
    try:
        return Query(search=visit.query("q"), sort=visit.query("sort") or "name", **filters)
    except ValueError as problem:
        raise bad_request(sentence(problem), visit.request.url.path) from problem


def cursor_of(visit: Visit) -> Cursor | None:
    """Return the cursor of the address, None at the start of a list."""
    text = visit.request.query_params.get("after", "")
    if not text:
        return None
    try:
        key, row_id = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return str(key), str(row_id)
    except (ValueError, TypeError) as problem:
        raise bad_request("This page of the list can't be found again.", visit.request.url.path) from problem


def pages_of(visit: Visit, shown: int, after: object, cursor: Cursor | str | None) -> Pages:
    """Return where a list goes on after a page of `shown` rows."""
    text = cursor if isinstance(cursor, str) else _packed(cursor) if cursor else ""
    words = f"{plural(shown, 'row')} on this page" if text or after else plural(shown, "row")
    return Pages(words, _address(visit, after="") if after else "", _address(visit, after=text) if text else "")


def sorting_of(visit: Visit, query: Query) -> Sorting:
    """Return how a list is sorted; choosing the column it is sorted by turns it round."""
    column, down = query.sort.removeprefix("-"), query.sort.startswith("-")
    turned = {name: name if name != column or down else f"-{name}" for name in SORTS}
    return Sorting(column, down, {name: _address(visit, sort=sort, after="") for name, sort in turned.items()})


def _packed(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(cursor)).decode().rstrip("=")


def _address(visit: Visit, **changed: str) -> str:
    asked = {**visit.request.query_params, **changed}
    return f"{visit.request.url.path}?{urlencode({name: value for name, value in asked.items() if value})}"
