"""What is checked before anything is understood: size, encoding, media type and strict JSON, in linear time.

`docs/limits.md` has the numbers for those who connect.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from unicodedata import is_normalized

import orjson
from scim2_models import InvalidSyntaxException, InvalidValueException, PayloadTooLargeException, TooManyException
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
NAMES = 100
"""Most attributes that `attributes` or `excludedAttributes` names: each is looked for in every resource."""
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

_NESTING = frozenset({dict, list})
_TWICE = "an object names an attribute twice; name each once, whatever the case of its letters"
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_LONG_NUMBER = re.compile(rb"\d(?:\d{15}|[eE])")
"""What every number beyond 2^53 has."""
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
    bare, longest = _bare(body)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > size.nodes:
        raise PayloadTooLargeException(detail=f"the body has more than {size.nodes} values; send it in parts")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidSyntaxException(detail=f"the body is not JSON: {error}; send one JSON object in UTF-8") from error
    if not isinstance(value, dict):
        raise InvalidSyntaxException(detail="the body is not a JSON object; send one")
    plain = body.isascii() and b"\\" not in body
    harmless = plain and longest <= STRING and b"\x7f" not in body and not _LONG_NUMBER.search(bare)
    if _walk(value, harmless=harmless) != bare.count(b":"):
        raise InvalidSyntaxException(detail=_TWICE)
    return value if plain else _composed(value)


def _bare(body: bytes) -> tuple[bytes, int]:
    """Return a body without its strings, and the length of the longest one; without escapes every quote parts them."""
    if b"\\" in body:
        return _STRING.sub(b"", body), len(body)
    parts = body.split(b'"')
    return b"".join(parts[::2]), max(map(len, parts))


def _composed(value: dict[str, Any]) -> dict[str, Any]:
    """Return a body with its texts as they compare, so that what is stored can be compared as it is."""
    text = orjson.dumps(value).decode()
    return value if is_normalized("NFC", text) else orjson.loads(composed(text))


def _walk(root: Any, *, harmless: bool) -> int:
    """Check every value, level by level, and return how many names there are in all objects.

    Args:
        root: the body.
        harmless: whether no text in it can be too long, a control character or half a surrogate pair, and no number
            too large.
    """
    names, level = 0, [root]
    for _ in range(DEPTH):
        objects = [value for value in level if isinstance(value, dict)]
        names += sum(map(len, objects))
        for shape in dict.fromkeys(map(tuple, objects)):  # the objects of a list have the same names, nearly always
            _check_names(shape, harmless=harmless)
        below = [*chain.from_iterable([value.values() if isinstance(value, dict) else value for value in level])]
        if not harmless:
            for value in below:
                _check_scalar(value)
        if _NESTING.isdisjoint(map(type, below)):
            return names
        level = [value for value in below if isinstance(value, (dict, list))]
    raise InvalidSyntaxException(detail=f"the body is nested deeper than {DEPTH} levels; send it flatter")


def _check_names(names: tuple[str, ...], *, harmless: bool) -> None:
    """Refuse the names of an object that differ by case alone (RFC 7643 §2.1), or can't be kept as they are."""
    if not harmless:
        for name in names:
            check_text(name)
    if len(names) > 1 and len(set(map(str.lower, names))) != len(names):
        raise InvalidSyntaxException(detail=_TWICE)


def _check_scalar(value: Any) -> None:
    """Refuse a value that can't be kept as it is."""
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, (int, float)) and not -NUMBER <= value <= NUMBER:
        raise InvalidValueException(detail=f"a number is beyond {NUMBER} (2^53) and loses digits; send it as a string")


def check_names(parameters: Mapping[str, Any]) -> None:
    """Refuse `attributes` and `excludedAttributes`, in any case, that name too many attributes.

    Raises:
        TooManyException: when there are more than `NAMES`.
    """
    for name, value in parameters.items():
        if name.lower() not in ("attributes", "excludedattributes"):
            continue
        named = value.count(",") + 1 if isinstance(value, str) else len(value) if isinstance(value, list) else 0
        if named > NAMES:
            raise TooManyException(detail=f"{name} names {named} attributes; name at most {NAMES}, or leave it out")


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
