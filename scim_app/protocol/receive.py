"""A request off the wire: which path it really names, and its body within the limits."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from scim2_models import NotFoundException, PayloadTooLargeException
from scim2_server.routing import Operation, Target
from starlette.requests import Request
from starlette.types import Scope

from scim_app.protocol import limits
from scim_app.protocol.limits import Size

_AMBIGUOUS = re.compile(rb"%2f|%5c|%00|%25|//|/\.{1,2}(?:/|$)|[;\\]", re.IGNORECASE)
_LARGE = 256 * 1024


def read_path(scope: Scope) -> str:
    """Return the path below the SCIM base, without a slash at its end.

    A path that a proxy might read otherwise than this service is nobody's (CWE-436).

    Raises:
        NotFoundException: when there can be no endpoint.
    """
    path: str = scope["path_params"]["path"]
    raw: bytes = scope.get("raw_path") or b""
    if (path and not path.startswith("/")) or _AMBIGUOUS.search(raw) or "\ufffd" in path or not path.isprintable():
        raise NotFoundException(detail="there is no SCIM endpoint at this path")
    return path.removesuffix("/")


def size_for(target: Target) -> Size:
    """Return how large the body of a request may be."""
    if target.operation is Operation.bulk:
        return limits.BULK
    return limits.TEAM if target.endpoint == "Groups" else limits.RESOURCE


async def read_body(request: Request, size: Size) -> bytes:
    """Return the body.

    Raises:
        PayloadTooLargeException: when it is larger than allowed; no more than that is read.
    """
    most = size.body
    too_large = PayloadTooLargeException(detail=f"the body is larger than {most} bytes; send it in parts")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > most:
        raise too_large
    chunks, length = [], 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > most:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


async def read_object(request: Request, body: bytes, size: Size) -> dict[str, Any]:
    """Return a body as a JSON object; a large one is read in a thread, so that others need not wait.

    Raises:
        UnsupportedMediaTypeException: when it is no JSON in UTF-8.
        PayloadTooLargeException: when it has more values than allowed.
        InvalidSyntaxException: when it is not one strict JSON object.
        InvalidValueException: when a value can't be kept as it is.
    """
    limits.check_headers(request.headers.get("content-type"), request.headers.get("content-encoding"))
    return await _read(partial(limits.read_json, size=size), body)


async def read_loosely(body: bytes) -> dict[str, Any]:
    """Return a body that was refused as far as it is a JSON object, whatever its values; nothing where it is none."""
    return await _read(_object, body)


async def _read(read: Callable[[bytes], dict[str, Any]], body: bytes) -> dict[str, Any]:
    return read(body) if len(body) < _LARGE else await asyncio.to_thread(read, body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
