"""Bulk requests (RFC 7644 §3.7): one transaction, a savepoint for each operation, answers in the request's order."""

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

from scim_app.protocol.bulk_order import Ids, Json, in_order, substituted
from scim_app.protocol.calls import Call, Reply
from scim_app.protocol.wire import scim_error
from scim_app.protocol.writing import WORK, create
from scim_app.store.event_log import Unit
from scim_app.store.resources import fresh_id

RESPONSE_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"


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
    try:
        with unit.attempt():
            outcomes = _run_all(unit, call, operations, fail_on_errors, ids := Ids(operations, fresh_id))
            if not ids.kept:
                raise _BrokenPromise
    except _BrokenPromise:
        outcomes = _run_all(unit, call, operations, fail_on_errors, Ids(operations, None))
    body = {"schemas": [RESPONSE_SCHEMA], "Operations": [outcomes[index] for index in sorted(outcomes)]}
    return Reply(HTTPStatus.OK, orjson.dumps(body))


class _BrokenPromise(Exception):
    pass


def _run_all(unit: Unit, call: Call, operations: list[Json], fail_on_errors: int | None, ids: Ids) -> dict[int, Json]:
    outcomes: dict[int, Json] = {}
    errors = 0
    for index in in_order(operations):
        if fail_on_errors is not None and errors >= fail_on_errors:
            break
        outcomes[index] = _run_one(unit, call, operations[index], index, ids)
        errors += int(outcomes[index]["status"]) >= HTTPStatus.BAD_REQUEST
    return outcomes


def _run_one(unit: Unit, call: Call, asked: Json, index: int, ids: Ids) -> Json:
    """Run one operation in a savepoint and return its outcome; a refused one is remembered as any refused write."""
    bulk_id = asked["bulkid"] if isinstance(asked.get("bulkid"), str) else None
    outcome: Json = {"method": asked.get("method")} | ({"bulkId": bulk_id} if bulk_id else {})
    if asked.get("method") != "POST":
        outcome["location"] = f"{call.base_url}/{str(asked.get('path') or '').lstrip('/')}"
    try:
        with unit.attempt():
            reply = _apply(unit, call, asked, bulk_id, index, ids)
    except Exception as problem:
        error = scim_error(problem)
        if error is None or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        ids.settle(bulk_id, index, None)
        _remember(unit, call, asked, error)
        return outcome | {"status": str(error.status), "response": error.to_error().model_dump()}
    if location := reply.headers.get("Content-Location"):
        outcome["location"] = location
        ids.settle(bulk_id, index, location.rpartition("/")[2])
    if etag := reply.headers.get("ETag"):
        outcome["version"] = etag
    return outcome | {"status": str(int(reply.status))}


def _apply(unit: Unit, call: Call, asked: Json, bulk_id: str | None, index: int, ids: Ids) -> Reply:
    if asked.get("method") == "POST" and not ids.names(bulk_id, index):
        raise InvalidValueException(detail="a POST needs a bulkId that no other POST of the request has")
    one = _call_of(call, substituted(asked, ids.of))
    if one.target.operation not in WORK:
        raise InvalidValueException(detail="a bulk operation is a POST, PUT, PATCH or DELETE of users or groups")
    promised = ids.promised.get(bulk_id or "")
    work = create(one, promised) if promised else WORK[one.target.operation](one)
    unit.actor = one.actor
    return work(unit)


def _call_of(call: Call, asked: Json) -> Call:
    """Return an operation as the single request it stands for."""
    method, path, data, version = (asked.get(name) for name in ("method", "path", "data", "version"))
    if not isinstance(method, str) or not isinstance(path, str):
        raise InvalidValueException(detail="an operation needs a method and a path")
    if method != "DELETE" and not isinstance(data, dict):
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
    unit.actor = one.actor
    unit.record(one.refusal(error, unit))
