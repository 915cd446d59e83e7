"""Searches (RFC 7644 §3.4.2, §3.4.3): over one kind or all, by index or by cursor (RFC 9865)."""

import re
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import orjson
import sqlalchemy as sa
from scim2_models import InvalidCountException, InvalidCursorException, InvalidValueException, SearchRequest
from scim2_models.path import ScimFilter

from scim_app.directory.kinds import USER, Kind
from scim_app.protocol import encode, limits
from scim_app.protocol.calls import Call, Reply
from scim_app.protocol.filter_limits import check_filter
from scim_app.protocol.wire import kind_of
from scim_app.store.log.session import Store
from scim_app.store.resources import emails
from scim_app.store.search.pages import Found, Listing, Place
from scim_app.store.search.plans import Part, Shape
from scim_app.store.search.terms import Values, read_terms
from scim_app.store.search.walks import Step, Walks

Json = dict[str, Any]

LAST_INDEX = 2**31 - 1
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}")


async def search(store: Store, call: Call, asked: Json) -> Reply:
    """Return a page of resources.

    Args:
        store: the open store.
        call: the request; its endpoint says what is searched.
        asked: the parameters, from the query or from the body of `/.search`.

    Raises:
        InvalidFilterException: when the filter is not in the grammar, too large, or names an unknown attribute.
        TooManyException: when the filter or the search costs too much.
        InvalidValueException: when `count` or `startIndex` is no number.
        InvalidCursorException: when the cursor was not given out for this search of this organization.
        InvalidCountException: when a cursor comes with another `count`.
        ExpiredCursorException: when the cursor is too old.
    """

    def work(connection: sa.Connection) -> Reply:
        # In the thread as well: to read 4 KiB of filter takes as long as a dozen answers.
        types = call.service.searched_types(call.target.endpoint)
        with call.service.provider:
            request, position = call.service.read_search(types, _checked(asked, call))
        place = None if position is None else _place(call, position)
        kinds = [kind_of(found) for found in types]
        listing = Listing(connection, call.caller.org_id, *planned(kinds, request, call.base_url))
        fields: Json = {"totalResults": 0}
        size = request.count or 0
        if request.cursor is None:
            step = Step(call.caller.org_id, call.caller.token_id, _search_key(kinds, request), _start(request))
            fields["totalResults"], rows = _walk(Walks(store), listing, step, size)
            fields["startIndex"] = step.start
        else:
            fields["totalResults"] = listing.count()
            page = listing.from_place(place, size)
            rows = page.rows
            if rows and page.later:
                fields["nextCursor"] = call.service.seal(types, request, _position(call, rows[-1], backwards=False))
            if rows and page.earlier:
                fields["previousCursor"] = call.service.seal(types, request, _position(call, rows[0], backwards=True))
        return Reply(HTTPStatus.OK, encode.list_response(fields, _render(connection, call, kinds, rows, request)))

    return await store.reading(work, call.caller.org_id)


def _start(request: SearchRequest[Any]) -> int:
    return min(request.start_index or 1, LAST_INDEX)


def _search_key(kinds: list[Kind], request: SearchRequest[Any]) -> str:
    """Return what stands for a search among walks, whatever page of it is asked for."""
    names = ",".join(kind.name for kind in kinds)
    asked = [str(one) for one in (request.filter, request.sort_by, request.sort_order) if one is not None]
    return sha256(orjson.dumps([names, *asked])).hexdigest() if asked else names


def _walk(walks: Walks, listing: Listing, step: Step, size: int) -> tuple[int, list[Found]]:
    """Return the total and the rows of a page by index; one that goes on from another begins where that ended."""
    behind = walks.behind(step, lambda place: -listing.count_behind(place)) if size else None
    if behind is None:
        total = listing.count()
        rows = [] if step.start > total else listing.by_index(step.start - 1, size)
    else:
        total, rows = step.start - 1 + listing.count_behind(behind), listing.from_place(behind, size).rows
    if rows and (after := step.start + len(rows)) <= total:
        walks.remember(step._replace(start=after), Place(rows[-1].value, rows[-1].stored.position))
    return total, rows


def _checked(asked: Json, call: Call) -> Json:
    """Return the parameters in the form the RFC wants them; names in any case, numbers as numbers."""
    limits.check_names(asked)
    checked: Json = {}
    for name, value in asked.items():
        match name.lower():
            case "schemas":
                continue
            case "filter" if isinstance(value, str):
                checked[name] = check_filter(_read_filter(value, call))
            case "count" | "startindex" if isinstance(value, str):
                checked[name] = _number(name, value, by_cursor="cursor" in {key.lower() for key in asked})
            case _:
                checked[name] = value
    return checked


def _read_filter(text: str, call: Call) -> str:
    """Return a filter in the form of the grammar; where that is another one than was sent, the call says so."""
    read = call.dialect.filter(text)
    if read != text:
        call.note = f"the filter was read as {read}"
    return read


def _number(name: str, text: str, *, by_cursor: bool) -> int:
    if _NUMBER.fullmatch(text.strip()):
        return int(text)
    if by_cursor:
        raise InvalidCountException(detail=f"{name} must be a whole number")
    raise InvalidValueException(detail=f"{name} must be a whole number")


def planned(kinds: list[Kind], request: SearchRequest[Any], base_url: str) -> tuple[Shape, Values]:
    """Return what a search asks for, and the values apart.

    Raises:
        InvalidFilterException: when a value does not fit its attribute.
    """
    values: Values = {"base": base_url}
    parts = tuple(_part(kind, request, values) for kind in kinds)
    return Shape(parts, request.sort_order == SearchRequest.SortOrder.descending), values


def _part(kind: Kind, request: SearchRequest[Any], values: Values) -> Part:
    scim_filter = request.filter
    sort = request.sort_binding(kind.model) if request.sort_by else None
    if not isinstance(scim_filter, ScimFilter):
        return Part(kind, sort=sort)
    email = emails.asked(scim_filter.ast) if kind is USER else None
    if email is not None:
        values |= emails.values(email)
    return Part(kind, read_terms(kind, scim_filter, values), sort, email is not None)


def _place(call: Call, position: Any) -> Place:
    org_id, value, number, backwards = position
    if org_id != call.caller.org_id:
        raise InvalidCursorException
    return Place(value, number, backwards)


def _position(call: Call, found: Found, *, backwards: bool) -> list[Any]:
    return [call.caller.org_id, found.value, found.stored.position, backwards]


def _render(
    connection: sa.Connection, call: Call, kinds: list[Kind], rows: list[Found], request: SearchRequest[Any]
) -> list[str]:
    """Return the rows as JSON in their order; each kind is rendered at once."""
    texts: dict[str, str] = {}
    for kind in kinds:
        stored = [found.stored for found in rows if found.kind is kind]
        rendered = encode.render(connection, call.caller.org_id, call.base_url, kind, stored, request)
        texts |= {one.id: text for one, text in zip(stored, rendered, strict=True)}
    return [texts[found.stored.id] for found in rows]
