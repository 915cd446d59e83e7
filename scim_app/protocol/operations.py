"""The operations of SCIM, one function each, from a request whose caller is known to its answer."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from http import HTTPStatus

import sqlalchemy as sa
from scim2_models import NotImplementedException, SCIMException
from scim2_server.routing import Operation

from scim_app.directory.kinds import TEAM
from scim_app.protocol import bulk
from scim_app.protocol.calls import Call, Reply, switched_off, unauthorized
from scim_app.protocol.refusing import end_access, remember
from scim_app.protocol.search import search
from scim_app.protocol.writing import WORK, Work, is_short, resource_reply
from scim_app.store import resources
from scim_app.store.event_log import InUnit, Unit
from scim_app.store.session import Store


async def write(store: Store, call: Call) -> Reply:
    """Create, replace, patch or delete, and answer once that is durable."""
    work = WORK[call.target.operation](call)
    return await _submitted(store, call, work, short=is_short(call))


async def run_bulk(store: Store, call: Call) -> Reply:
    """Run many writes in one transaction (RFC 7644 §3.7)."""
    operations, fail_on_errors = bulk.read(call)

    def work(unit: Unit) -> Reply:
        return bulk.run(unit, call, operations, fail_on_errors)

    return await _submitted(store, call, work)


async def _submitted(store: Store, call: Call, work: Work, *, short: bool = False) -> Reply:
    """Run a write when its turn comes, if its token is still good for it then."""

    def allowed(unit: Unit) -> Reply:
        if not unit.rules.token_stands:
            raise unauthorized()
        if not unit.rules.scim_enabled:
            raise switched_off()
        return work(unit)

    return await store.writing(call.unit(allowed), call.caller.org_id, short=short)


async def query(store: Store, call: Call) -> Reply:
    """Return one resource, or 304 when the client has it (RFC 7644 §3.4.1, §3.14)."""
    kind, wanted = call.kind, call.wanted

    def work(connection: sa.Connection) -> Reply:
        stored = resources.get(connection, call.caller.org_id, kind, call.resource_id)
        if not call.conditions.check(stored.etag, "GET"):
            return Reply(HTTPStatus.NOT_MODIFIED, headers={"ETag": stored.etag})
        return resource_reply(connection, call, kind, stored, wanted)

    return await store.reading(work, long=kind is TEAM)


async def search_by_query(store: Store, call: Call) -> Reply:
    """Return a page of resources asked for by query (RFC 7644 §3.4.2)."""
    return await search(store, call, dict(call.request.query))


async def search_by_body(store: Store, call: Call) -> Reply:
    """Return a page of resources asked for by POST (RFC 7644 §3.4.3)."""
    return await search(store, call, call.body)


async def service_provider_config(_store: Store, call: Call) -> Reply:
    """Tell what the service can do (RFC 7643 §5)."""
    return Reply.of(call.service.service_provider_config(call.request.url, call.request.query))


async def resource_types(_store: Store, call: Call) -> Reply:
    """List the resource types (RFC 7643 §6)."""
    return Reply.of(call.service.resource_types(call.request.url, call.request.query))


async def resource_type(_store: Store, call: Call) -> Reply:
    """Return one resource type."""
    return Reply.of(call.service.resource_type(call.request.url, call.resource_id, call.request.query))


async def schemas(_store: Store, call: Call) -> Reply:
    """List the schemas (RFC 7643 §7)."""
    return Reply.of(call.service.schemas(call.request.url, call.request.query))


async def schema(_store: Store, call: Call) -> Reply:
    """Return one schema by its URN."""
    return Reply.of(call.service.schema(call.request.url, call.resource_id, call.request.query))


OPERATIONS: dict[Operation, Callable[[Store, Call], Awaitable[Reply]]] = {
    Operation.create: write,
    Operation.query: query,
    Operation.replace: write,
    Operation.patch: write,
    Operation.delete: write,
    Operation.search: search_by_query,
    Operation.search_with_body: search_by_body,
    Operation.service_provider_config: service_provider_config,
    Operation.resource_types: resource_types,
    Operation.resource_type: resource_type,
    Operation.schemas: schemas,
    Operation.schema: schema,
    Operation.bulk: run_bulk,
}


async def serve(store: Store, call: Call) -> Reply:
    """Return the answer to a request.

    Raises:
        NotImplementedException: for `/Me`: a token of a service stands for no user (RFC 7644 §3.11).
    """
    if call.target.me:
        raise NotImplementedException(detail="/Me is not supported: a SCIM token stands for a client, not for a user")
    return await OPERATIONS[call.target.operation](store, call)


LEAVERS_TOGETHER = 100
"""Most accounts whose access ends in one transaction, so that a refused bulk request does not hold up others."""


def aftermath(call: Call, error: SCIMException | None) -> Iterator[InUnit[None]]:
    """Yield the writes that have to be durable before the answer to a write that was not carried out.

    Args:
        call: the request.
        error: why it was not carried out; None where that is not the client's fault.
    """
    refused = error is not None and error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if call.target.operation is Operation.bulk:
        leavers = bulk.leavers(call)
    else:
        leavers = [call] if call.leaving and not refused else []  # a refused one leaves in the write that remembers it
    for start in range(0, len(leavers), LEAVERS_TOGETHER):
        yield call.unit(_ending(leavers[start : start + LEAVERS_TOGETHER]))
    if error is not None and refused:
        yield call.unit(lambda unit: remember(unit, call, error))


def _ending(leavers: Sequence[Call]) -> Callable[[Unit], None]:
    def work(unit: Unit) -> None:
        for call in leavers:
            end_access(unit, call)

    return work
