"""What is checked before anything is understood: size, encoding, media type and strict JSON, in linear time.

`docs/limits.md` has the numbers for those who connect.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unicodedata import is_normalized

import orjson
from scim2_models import InvalidSyntaxException, InvalidValueException, PayloadTooLargeException
from scim2_server.errors import UnsupportedMediaTypeException
from scim2_server.service import is_json_media_type

from scim_app.directory.membership import TEAM_MEMBERS
from scim_app.directory.names import composed

MIB = 1024 * 1024
BULK_OPERATIONS = 1_000
PATCH_OPERATIONS = 1_000
DEPTH = 32
"""How deep objects and lists may be nested."""
STRING = 8 * 1024
"""Longest string in characters."""
NAME = 256
"""Longest `userName` and group `displayName` in characters."""
NUMBER = 2**53
"""Numbers beyond this lose digits in most programs (RFC 8259 §6)."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a body may be."""

    body: int
    """Bytes."""
    nodes: int
    """Values, counted as commas and brackets outside strings."""


RESOURCE = Size(MIB, 50_000)
TEAM = Size(16 * MIB, 50_000 + 8 * TEAM_MEMBERS)
"""A team with as many members as it may have."""
BULK = Size(8 * MIB, 500_000)

_TWICE = "an object names an attribute twice; name each once, whatever the case of its letters"
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def check_headers(content_type: str | None, content_encoding: str | None) -> None:
    """Refuse a body that is no JSON in UTF-8.

    Raises:
        UnsupportedMediaTypeException: when the media type, the charset or the encoding is another.
    """
    if (content_encoding or "identity").strip().lower() != "identity":
        raise UnsupportedMediaTypeException(detail="compressed bodies are not read; send Content-Encoding: identity")
    if not content_type:
        return
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [part.partition("=")[2].strip('" ') for part in parameters if part.startswith("charset")]
    if not is_json_media_type(media_type) or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise UnsupportedMediaTypeException(detail=f"{content_type[:80]} is not read; send application/scim+json")


def read_json(body: bytes, size: Size) -> dict[str, Any]:
    """Return a body as a JSON object, its texts in NFC, the form in which the library compares them (RFC 8264 §5.2.4).

    Raises:
        PayloadTooLargeException: when it has more values than `size` allows.
        InvalidSyntaxException: when it is not one strict JSON object in UTF-8, or is nested too deep.
        InvalidValueException: when a string or a number can't be kept as it is.
    """
    bare = _STRING.sub(b"", body)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > size.nodes:
        raise PayloadTooLargeException(detail=f"the body has more than {size.nodes} values; send it in parts")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidSyntaxException(detail=f"the body is not JSON: {error}; send one JSON object in UTF-8") from error
    if not isinstance(value, dict):
        raise InvalidSyntaxException(detail="the body is not a JSON object; send one")
    if _walk(value, _check_number if _is_harmless(body) else _check_scalar) != bare.count(b":"):
        raise InvalidSyntaxException(detail=_TWICE)
    return value if body.isascii() and b"\\" not in body else _composed(value)


def _composed(value: dict[str, Any]) -> dict[str, Any]:
    """Return a body with its texts as they compare, so that what is stored can be compared as it is."""
    text = orjson.dumps(value).decode()
    return value if is_normalized("NFC", text) else orjson.loads(composed(text))


def _is_harmless(body: bytes) -> bool:
    """Tell whether no text in a body can be too long, a control character or half a surrogate pair."""
    return len(body) <= STRING and body.isascii() and b"\\" not in body and b"\x7f" not in body


def _walk(root: Any, check: Callable[[Any], bool]) -> int:
    """Check every value, level by level, and return how many names there are in all objects."""
    names, level = 0, [root]
    for _ in range(DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                names += _check_names(value, check)
                below += value.values()
            else:
                below += value
        level = [value for value in below if isinstance(value, (dict, list)) or check(value)]
        if not level:
            return names
    raise InvalidSyntaxException(detail=f"the body is nested deeper than {DEPTH} levels; send it flatter")


def _check_names(value: dict[str, Any], check: Callable[[Any], bool]) -> int:
    """Return how many names an object has; attribute names differ by more than case (RFC 7643 §2.1)."""
    if any(map(check, value)) or len(set(map(str.lower, value))) != len(value):
        raise InvalidSyntaxException(detail=_TWICE)
    return len(value)


def _check_scalar(value: Any) -> bool:
    """Refuse a value that can't be kept as it is; never true, so that a scan drops what it has seen."""
    if isinstance(value, str):
        check_text(value)
    return _check_number(value)


def _check_number(value: Any) -> bool:
    """Refuse a number that can't be kept as it is; never true."""
    if isinstance(value, (int, float)) and not -NUMBER <= value <= NUMBER:
        raise InvalidValueException(detail=f"a number is beyond {NUMBER} (2^53) and loses digits; send it as a string")
    return False


def check_text(text: str, most: int = STRING) -> str:
    """Return a string that can be kept as it is.

    Raises:
        InvalidValueException: when it is longer than `most`, or has control characters or half a surrogate pair.
    """
    if len(text) > most:
        raise InvalidValueException(detail=f"{text[:20]!r}… has {len(text)} characters; send at most {most}")
    if not text.isprintable() and (found := _CONTROL.search(text)):
        raise InvalidValueException(detail=f"the character U+{ord(found[0]):04X} can't be in a value; leave it out")
    return text
