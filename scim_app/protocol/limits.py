"""What is checked before anything is understood: size, encoding, media type and strict JSON."""

from typing import Any

import orjson
from scim2_models import InvalidFilterException, InvalidSyntaxException, PayloadTooLargeException
from scim2_server.errors import UnsupportedMediaTypeException
from scim2_server.service import is_json_media_type
from starlette.requests import Request

BODY_BYTES = 16 * 1024 * 1024
"""Largest request body; a group of 100,000 members fits."""


async def read_body(request: Request, most: int) -> bytes:
    """Return a request's body.

    Raises:
        PayloadTooLargeException: when it is larger than `most` bytes; no more than that is read.
        UnsupportedMediaTypeException: when it is compressed.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaTypeException(detail="compressed bodies are not read; send Content-Encoding: identity")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise PayloadTooLargeException(detail=f"the body is larger than {most} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def read_json(body: bytes, content_type: str | None) -> dict[str, Any]:
    """Return a body as a JSON object.

    Raises:
        UnsupportedMediaTypeException: when the media type is not JSON.
        InvalidSyntaxException: when the body is not one strict JSON object in UTF-8.
    """
    if content_type and not is_json_media_type(content_type):
        raise UnsupportedMediaTypeException(
            detail=f"{content_type.split(';')[0]} is not read; send application/scim+json"
        )
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidSyntaxException(detail=f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidSyntaxException(detail="the body must be a JSON object")
    return value


FILTER_BYTES = 4 * 1024
"""Longest filter, of a search or in the path of a PATCH."""


def check_filter(text: str) -> str:
    """Return a filter that is short enough to be parsed.

    Raises:
        InvalidFilterException: when it is longer than `FILTER_BYTES`.
    """
    if len(text.encode(errors="surrogatepass")) > FILTER_BYTES:
        raise InvalidFilterException(detail=f"the filter is longer than {FILTER_BYTES} bytes")
    return text
