"""The operations of SCIM, one function each, from a request whose caller is known to its answer."""

from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus

import sqlalchemy as sa
from scim2_models import NotImplementedException, PayloadTooLargeException, SCIMException, TooManyException
from scim2_server.routing import Operation

from scim_app.errors import StoreUnavailable
from scim_app.protocol import bulk
from scim_app.protocol.calls import Call, Reply, switched_off, unauthorized
from scim_app.protocol.refusing import end_access, remember
from scim_app.protocol.search import search
from scim_app.protocol.writing import SHORT_WEIGHT, WORK, is_short, resource_reply
from scim_app.store.db import allowance
from scim_app.store.db.allowance import LongWork
from scim_app.store.log.event_log import InUnit, Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import resources


async def write(store: Store, call: Call) -> Reply:
    """Create, replace, patch or delete, and answer once that is durable.

    A transaction holds up everybody who writes. What turns out to take long in it is made before, and stands if nobody
    has changed the resource meanwhile.
    """
    org_id, read, short = call.caller.org_id, partial(WORK[call.target.operation], call), is_short(call)
    with _bounded(_too_much):
        work = read() if call.weight <= SHORT_WEIGHT else await store.aside(read, org_id)
        for _ in range(ATTEMPTS):
            try:
                return await _submitted(store, call, work.run, allowance.SHORT_VALUES, short=short)
            except LongWork:
                if work.ahead is None:
                    raise
                short = False
                await store.reading(work.ahead.make, org_id)
    raise StoreUnavailable(f"{call.kind.scim_name} {call.resource_id} is changed by others all the time; try again")


async def run_bulk(store: Store, call: Call) -> Reply:
    """Run many writes in one transaction (RFC 7644 §3.7)."""
    operations, fail_on_errors = bulk.read(call)

    def work(unit: Unit) -> Reply:
        return bulk.run(unit, call, operations, fail_on_errors)

    with _bounded(_too_much):
        return await _submitted(store, call, work, allowance.MOST_VALUES)


def _too_much() -> SCIMException:
    most = f"the operations times the values of what they change may be at most {allowance.MOST_VALUES}"
    return PayloadTooLargeException(detail=f"{most}; send fewer operations at once, or less in each")


def _too_long() -> SCIMException:
    most = f"the answer takes longer than {allowance.READ_SECONDS:.0f} s"
    return TooManyException(detail=f"{most}; ask for fewer resources or attributes, or by a simpler filter")


ATTEMPTS = 5
"""How often a change is made before its turn, where others change the same resource."""


@contextmanager
def _bounded(refusal: Callable[[], SCIMException]) -> Generator[None]:
    """Refuse work that took more than its allowance."""
    try:
        yield
    except LongWork as problem:
        raise refusal() from problem


async def _submitted(
    store: Store, call: Call, work: Callable[[Unit], Reply], values: int, *, short: bool = False
) -> Reply:
    """Run a write when its turn comes, if its token is still good for it then; raises `LongWork` past its allowance."""

    def allowed(unit: Unit) -> Reply:
        if not unit.rules.token_stands:
            raise unauthorized()
        if not unit.rules.scim_enabled:
            raise switched_off()
        with allowance.of(values):
            return work(unit)

    return await store.writing(call.unit(allowed), call.caller.org_id, short=short)


async def query(store: Store, call: Call) -> Reply:
    """Return one resource, or 304 when the client has it (RFC 7644 §3.4.1, §3.14)."""
    kind = call.kind

    def work(connection: sa.Connection) -> Reply:
        wanted = call.wanted
        stored = resources.get(connection, call.caller.org_id, kind, call.resource_id)
        if not call.conditions.check(stored.etag, "GET"):
            return Reply(HTTPStatus.NOT_MODIFIED, headers={"ETag": stored.etag})
        return resource_reply(connection, call, kind, stored, wanted)

    with _bounded(_too_long):
        return await store.reading(work, call.caller.org_id)


async def search_by_query(store: Store, call: Call) -> Reply:
    """Return a page of resources asked for by query (RFC 7644 §3.4.2)."""
    with _bounded(_too_long):
        return await search(store, call, dict(call.request.query))


async def search_by_body(store: Store, call: Call) -> Reply:
    """Return a page of resources asked for by POST (RFC 7644 §3.4.3)."""
    with _bounded(_too_long):
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
