"""The operations of SCIM, one function each: read the request, work in one transaction, shape the answer."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

import sqlalchemy as sa
from scim2_models import InvalidFilterException, ResponseParameters, SearchRequest
from scim2_server.conditions import Conditions
from scim2_server.routing import Operation

from scim_app.directory.kinds import Kind
from scim_app.protocol import decode, encode
from scim_app.protocol.calls import Call, Reply
from scim_app.protocol.quirks import unquoted_filter_value
from scim_app.protocol.wire import kind_of, scim_service
from scim_app.store import resources, writes
from scim_app.store.event_log import Unit
from scim_app.store.filters import compile_filter, compile_sort
from scim_app.store.resources import Stored
from scim_app.store.session import Store
from scim_app.store.writes import Edit

T = TypeVar("T")

LAST_INDEX = 2**31 - 1


async def create(store: Store, call: Call) -> Reply:
    """Create a user or a group: 201 with the resource (RFC 7644 §3.3)."""
    kind, wanted = _kind(call), _wanted(call)
    document, delta = decode.read_creation(kind, call.body)

    def work(unit: Unit) -> Reply:
        stored = writes.create(unit, kind, document, delta)
        return _resource(unit.connection, call, kind, stored, wanted, HTTPStatus.CREATED)

    return await _write(store, call, work)


async def query(store: Store, call: Call) -> Reply:
    """Return one resource, or 304 when the client has it (RFC 7644 §3.4.1, §3.14)."""
    kind, wanted = _kind(call), _wanted(call)

    def work(connection: sa.Connection) -> Reply:
        stored = resources.get(connection, call.caller.org_id, kind, _id(call))
        if not _conditions(call).check(stored.etag, "GET"):
            return Reply(HTTPStatus.NOT_MODIFIED, headers={"ETag": stored.etag})
        return _resource(connection, call, kind, stored, wanted)

    return store.read(work)


async def replace(store: Store, call: Call) -> Reply:
    """Replace a resource and return it (RFC 7644 §3.5.1)."""
    return await _change(store, call, decode.read_replacement(_kind(call), call.body))


async def patch(store: Store, call: Call) -> Reply:
    """Change a resource and return it (RFC 7644 §3.5.2)."""
    return await _change(store, call, decode.read_patch(_kind(call), call.body))


async def delete(store: Store, call: Call) -> Reply:
    """Remove a resource: 204, and 404 from then on (RFC 7644 §3.6)."""
    kind = _kind(call)

    def work(unit: Unit) -> Reply:
        writes.delete(unit, kind, _id(call), lambda stored: _conditions(call).check(stored.etag, "DELETE"))
        return Reply(HTTPStatus.NO_CONTENT)

    return await _write(store, call, work)


async def search(store: Store, call: Call) -> Reply:
    """Return a page of resources asked for by query (RFC 7644 §3.4.2)."""
    return _search(store, call, dict(call.request.query))


async def search_with_body(store: Store, call: Call) -> Reply:
    """Return a page of resources asked for by POST (RFC 7644 §3.4.3)."""
    return _search(store, call, call.body)


async def service_provider_config(_store: Store, call: Call) -> Reply:
    """Tell what the service can do (RFC 7643 §5)."""
    return Reply.of(scim_service().service_provider_config(call.request.url, call.request.query))


async def resource_types(_store: Store, call: Call) -> Reply:
    """List the resource types (RFC 7643 §6)."""
    return Reply.of(scim_service().resource_types(call.request.url, call.request.query))


async def resource_type(_store: Store, call: Call) -> Reply:
    """Return one resource type."""
    return Reply.of(scim_service().resource_type(call.request.url, _id(call), call.request.query))


async def schemas(_store: Store, call: Call) -> Reply:
    """List the schemas (RFC 7643 §7)."""
    return Reply.of(scim_service().schemas(call.request.url, call.request.query))


async def schema(_store: Store, call: Call) -> Reply:
    """Return one schema by its URN."""
    return Reply.of(scim_service().schema(call.request.url, _id(call), call.request.query))


async def bulk(_store: Store, call: Call) -> Reply:
    """Refuse bulk requests: the configuration does not announce them (RFC 7644 §3.7)."""
    scim_service().read_bulk(call.request.body, call.request.header("Content-Type"))
    return Reply(HTTPStatus.NOT_IMPLEMENTED)


OPERATIONS: dict[Operation, Callable[[Store, Call], Awaitable[Reply]]] = {
    Operation.create: create,
    Operation.query: query,
    Operation.replace: replace,
    Operation.patch: patch,
    Operation.delete: delete,
    Operation.search: search,
    Operation.search_with_body: search_with_body,
    Operation.service_provider_config: service_provider_config,
    Operation.resource_types: resource_types,
    Operation.resource_type: resource_type,
    Operation.schemas: schemas,
    Operation.schema: schema,
    Operation.bulk: bulk,
}


async def _change(store: Store, call: Call, edit: Edit) -> Reply:
    kind, wanted = _kind(call), _wanted(call)

    def checked(unit: Unit, stored: Stored) -> Any:
        _conditions(call).check(stored.etag, call.request.method)
        return edit(unit, stored)

    def work(unit: Unit) -> Reply:
        stored = writes.update(unit, kind, _id(call), checked)
        return _resource(unit.connection, call, kind, stored, wanted)

    return await _write(store, call, work)


async def _write(store: Store, call: Call, work: Callable[[Unit], T]) -> T:
    """Return what a write gives, once it is durable."""
    return await asyncio.wrap_future(store.submit(call.unit(work)))


def _search(store: Store, call: Call, payload: dict[str, Any]) -> Reply:
    service = scim_service()
    types = service.searched_types(call.target.endpoint)
    asked = {name: value for name, value in payload.items() if name != "schemas"}
    if isinstance(asked.get("filter"), str):
        asked["filter"] = unquoted_filter_value(asked["filter"])
    with service.provider:
        request, _ = service.read_search(types, asked)
    kinds = [kind_of(found) for found in types]
    return store.read(lambda connection: _page(connection, call, kinds, request))


def _page(connection: sa.Connection, call: Call, kinds: list[Kind], request: SearchRequest[Any]) -> Reply:
    """Return a page over one kind, or over several one after the other."""
    start = min(request.start_index or 1, LAST_INDEX)
    left = request.count if request.count is not None else 0
    before, found = 0, []
    for kind in kinds:
        total, rows = _rows(connection, call, kind, request, offset=max(start - 1 - before, 0), count=left)
        found += encode.render(connection, call.caller.org_id, call.base_url, kind, rows, request)
        left -= len(rows)
        before += total
    return Reply(HTTPStatus.OK, encode.list_response(before, start, found))


def _rows(
    connection: sa.Connection, call: Call, kind: Kind, request: SearchRequest[Any], *, offset: int, count: int
) -> tuple[int, list[Stored]]:
    try:
        where = compile_filter(kind, request.filter, call.base_url) if request.filter else None
    except InvalidFilterException:
        if call.target.endpoint is not None:
            raise
        return 0, []  # at the root, an attribute that a kind does not have matches none of it (RFC 7644 §3.4.2.1)
    order = compile_sort(kind, request, call.base_url)
    return resources.page(connection, call.caller.org_id, kind, where, order, offset=offset, count=count)


def _resource(
    connection: sa.Connection,
    call: Call,
    kind: Kind,
    stored: Stored,
    wanted: ResponseParameters[Any],
    status: HTTPStatus = HTTPStatus.OK,
) -> Reply:
    (body,) = encode.render(connection, call.caller.org_id, call.base_url, kind, [stored], wanted)
    place = encode.location(call.base_url, kind, stored.id)
    headers = {"ETag": stored.etag, "Content-Location": place}
    if status == HTTPStatus.CREATED:
        headers["Location"] = place
    return Reply(status, body, headers)


def _kind(call: Call) -> Kind:
    return kind_of(scim_service().resource_type_at(call.target.endpoint or ""))


def _id(call: Call) -> str:
    return call.target.resource_id or ""


def _conditions(call: Call) -> Conditions:
    return scim_service().read_conditions(call.request)


def _wanted(call: Call) -> ResponseParameters[Any]:
    service = scim_service()
    return service.read_response_parameters(service.resource_type_at(call.target.endpoint or ""), call.request.query)
