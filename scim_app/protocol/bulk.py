"""Bulk requests (RFC 7644 §3.7): one transaction, each failing operation undone alone, answers in request order."""

from collections.abc import Sequence
from http import HTTPStatus

import orjson
from scim2_models import (
    BulkRequest,
    InvalidSyntaxException,
    InvalidValueException,
    PayloadTooLargeException,
    SCIMException,
)
from scim2_server.requests import ScimRequest

from scim_app.protocol.bulk_order import Ids, Json, in_order, may_refer, substituted
from scim_app.protocol.calls import Call, Reply
from scim_app.protocol.refusing import end_access, remember
from scim_app.protocol.wire import scim_error
from scim_app.protocol.writing import WORK, create
from scim_app.store.log.event_log import Unit
from scim_app.store.resources.resources import fresh_id

RESPONSE_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
TOGETHER = 25
"""Operations that run in a row; where one of them is refused, these are run again, each in a savepoint of its own."""


def read(call: Call) -> tuple[list[Json], int | None]:
    """Return the operations, their names in lower case, and `failOnErrors` of a bulk request.

    Raises:
        PayloadTooLargeException: when there are more operations than the configuration announces.
        InvalidSyntaxException: when the body is no bulk request.
        InvalidValueException: when `failOnErrors` is not a number above zero.
    """
    body = {name.lower(): value for name, value in call.body.items()}
    asked, most = body.get("operations"), body.get("failonerrors")
    schemas = body.get("schemas")
    if not isinstance(schemas, list) or str(BulkRequest.__schema__) not in schemas:
        raise InvalidSyntaxException(detail=f"schemas must name {BulkRequest.__schema__}")
    if not isinstance(asked, list) or not asked or not all(isinstance(one, dict) for one in asked):
        raise InvalidSyntaxException(detail="Operations must be a list of one or more operations")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise InvalidValueException(detail="failOnErrors must be a whole number above zero")
    limit = call.service.config.bulk.max_operations if call.service.config.bulk else 0
    if limit is not None and len(asked) > limit:
        raise PayloadTooLargeException(
            detail=f"{len(asked)} operations are more than maxOperations ({limit}); split the request"
        )
    return [{name.lower(): value for name, value in one.items()} for one in asked], most


def run(unit: Unit, call: Call, operations: list[Json], fail_on_errors: int | None) -> Reply:
    """Run a bulk request in the transaction and return the outcome of every operation that ran.

    Where references go round in a circle, ids are promised; a promise that could not be kept (a creation
    failed, or gave an account that was there) undoes the attempt, and the circle is refused instead.
    """
    outcomes = _run_promising(unit, call, operations, fail_on_errors) if may_refer(operations) else None
    if outcomes is None:
        outcomes = _run_all(unit, call, operations, fail_on_errors, Ids(operations, None))
    body = {"schemas": [RESPONSE_SCHEMA], "Operations": [outcomes[index] for index in sorted(outcomes)]}
    return Reply(HTTPStatus.OK, orjson.dumps(body))


class _BrokenPromise(Exception):
    pass


def _run_promising(
    unit: Unit, call: Call, operations: list[Json], fail_on_errors: int | None
) -> dict[int, Json] | None:
    """Run operations that may be promised ids; None, and nothing is done, where a promise could not be kept."""
    ids = Ids(operations, fresh_id)
    try:
        with unit.attempt():
            outcomes = _run_all(unit, call, operations, fail_on_errors, ids)
            if not ids.kept:
                raise _BrokenPromise
            return outcomes
    except _BrokenPromise:
        return None


def _run_all(unit: Unit, call: Call, operations: list[Json], fail_on_errors: int | None, ids: Ids) -> dict[int, Json]:
    outcomes: dict[int, Json] = {}
    errors, order = 0, in_order(operations)
    for start in range(0, len(order), TOGETHER):
        indexes = order[start : start + TOGETHER]
        if (done := _in_a_row(unit, call, operations, indexes, ids)) is not None:
            outcomes |= done
            continue
        for index in indexes:
            outcomes[index] = _run_one(unit, call, operations[index], index, ids)
            errors += int(outcomes[index]["status"]) >= HTTPStatus.BAD_REQUEST
            if errors == fail_on_errors:
                _end_access(unit, call, [operations[rest] for rest in order if rest not in outcomes])
                return outcomes
    return outcomes


def _in_a_row(unit: Unit, call: Call, operations: list[Json], indexes: list[int], ids: Ids) -> dict[int, Json] | None:
    """Run operations behind one savepoint and return their outcomes; None, and nothing is done, where one is refused.

    On SQLite a savepoint has every page copied that is changed after it: one for each operation costs half the request.
    """
    try:
        with unit.attempt(), ids.attempt():
            return {index: _done(unit, call, operations[index], index, ids) for index in indexes}
    except Exception as problem:
        _refusal(problem)
        return None


def _run_one(unit: Unit, call: Call, asked: Json, index: int, ids: Ids) -> Json:
    """Run one operation in a savepoint and return its outcome; a refused one is remembered as any refused write."""
    try:
        with unit.attempt():
            return _done(unit, call, asked, index, ids)
    except Exception as problem:
        error = _refusal(problem)
        ids.settle(_bulk_id(asked), index, None)
        _remember(unit, call, asked, error)
        return _named(call, asked) | {"status": str(error.status), "response": error.to_error().model_dump()}


def _refusal(problem: Exception) -> SCIMException:
    """Return why an operation is refused; raises the problem again where that is not the client's."""
    error = scim_error(problem)
    if error is None or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise problem
    return error


def _done(unit: Unit, call: Call, asked: Json, index: int, ids: Ids) -> Json:
    """Do what one operation asks for and return its outcome; raises to refuse."""
    bulk_id, asked = _bulk_id(asked), substituted(asked, ids.of)
    outcome, reply = _named(call, asked), _apply(unit, call, asked, bulk_id, index, ids)
    if location := reply.headers.get("Content-Location"):
        outcome["location"] = location
        ids.settle(bulk_id, index, location.rpartition("/")[2])
    if etag := reply.headers.get("ETag"):
        outcome["version"] = etag
    return outcome | {"status": str(int(reply.status))}


def _bulk_id(asked: Json) -> str | None:
    return asked["bulkid"] if isinstance(asked.get("bulkid"), str) else None


def _named(call: Call, asked: Json) -> Json:
    """Return what an outcome says of its operation."""
    bulk_id = _bulk_id(asked)
    outcome: Json = {"method": asked.get("method")} | ({"bulkId": bulk_id} if bulk_id else {})
    if asked.get("method") != "POST":
        outcome["location"] = f"{call.base_url}/{str(asked.get('path') or '').lstrip('/')}"
    return outcome


def _apply(unit: Unit, call: Call, asked: Json, bulk_id: str | None, index: int, ids: Ids) -> Reply:
    if asked.get("method") == "POST" and not ids.names(bulk_id, index):
        raise InvalidValueException(detail="a POST needs a bulkId that no other POST of the request has")
    one = _call_of(call, asked)
    if one.target.operation not in WORK:
        raise InvalidValueException(detail="a bulk operation is a POST, PUT, PATCH or DELETE of users or groups")
    promised = ids.promised.get(bulk_id or "")
    work = create(one, promised) if promised else WORK[one.target.operation](one)
    unit.actor = one.actor
    return work.run(unit)


def _call_of(call: Call, asked: Json) -> Call:
    """Return an operation as the single request it stands for."""
    method, path, data, version = (asked.get(name) for name in ("method", "path", "data", "version"))
    if not isinstance(method, str) or not isinstance(path, str):
        raise InvalidValueException(detail="an operation needs a method and a path")
    if method.upper() != "DELETE" and not isinstance(data, dict):
        raise InvalidValueException(detail="a POST, PUT or PATCH needs data, an object")
    headers = {"If-Match": version} if isinstance(version, str) else {}
    request = ScimRequest(method, call.request.base_url, f"/{path.strip('/')}", headers=headers)
    body = data if isinstance(data, dict) else {}
    return call.like(request, call.service.match(request), body)


def _remember(unit: Unit, call: Call, asked: Json, error: SCIMException) -> None:
    try:
        one = _call_of(call, asked)
    except SCIMException:
        one = call.like(call.request, call.target, {name: asked.get(name) for name in ("method", "path", "bulkId")})
    remember(unit, one, error)


def leavers(call: Call) -> list[Call]:
    """Return the operations of a bulk request that tell a user to leave, however wrong the request is otherwise."""
    body = {name.lower(): value for name, value in (call.body or call.refused_body).items()}
    asked = body.get("operations")
    return _leavers(call, [one for one in asked if isinstance(one, dict)] if isinstance(asked, list) else [])


def _leavers(call: Call, operations: Sequence[Json]) -> list[Call]:
    found: list[Call] = []
    for asked in operations:
        try:
            one = _call_of(call, {name.lower(): value for name, value in asked.items()})
        except SCIMException:
            continue
        if one.leaving:
            found.append(one)
    return found


def _end_access(unit: Unit, call: Call, operations: Sequence[Json]) -> None:
    """End the access of those whom operations tell to leave that did not run: `failOnErrors` keeps nobody inside."""
    for one in _leavers(call, operations):
        end_access(unit, one)
