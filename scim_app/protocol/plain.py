"""Bodies in the plain form that clients nearly always send, read without the library's models.

A body is plain when every attribute has its canonical name, the type that it should have and a printable text in
ASCII. Whatever is not plain is the library's; a test holds the two equal.
"""

from collections.abc import Callable, Mapping
from typing import Any

from scim_app.directory.kinds import ENTERPRISE, USER, Document, Kind
from scim_app.protocol import limits

Json = Mapping[str, Any]
Read = Callable[[Any], Any]

_SCHEMA = str(USER.model.__schema__)
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_DROPPED = frozenset({"id", "meta", "groups"})
"""Read-only: a client's values are left out (RFC 7644 §3.5.1)."""


class NotPlain(Exception):
    """The library has to read it."""


def _text(value: Any) -> str:
    if type(value) is not str or not value or not value.isascii() or not value.isprintable() or value.isspace():
        raise NotPlain
    return value


def _name_text(value: Any) -> str:
    text = _text(value)
    if len(text) > limits.NAME:
        raise NotPlain
    return text


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise NotPlain
    return value


def _member_of(*values: str) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not str or value not in values:
            raise NotPlain
        return value

    return read


def _complex(attributes: Mapping[str, Read]) -> Read:
    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict or not value or not value.keys() <= attributes.keys():
            raise NotPlain
        return {name: attributes[name](value[name]) for name in attributes if name in value}

    return read


def _one_of(read_element: Read) -> Read:
    def read(value: Any) -> list[Any]:
        if type(value) is not list or len(value) != 1:
            raise NotPlain
        element = read_element(value[0])
        if "value" not in element:
            raise NotPlain
        return [element]

    return read


_NAME = ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
_EMAIL = {"value": _text, "display": _text, "type": _member_of("work", "home", "other"), "primary": _boolean}
_WORK = ("employeeNumber", "costCenter", "organization", "division", "department")
_USER: dict[str, Read] = {
    "externalId": _text,
    "userName": _name_text,
    "name": _complex(dict.fromkeys(_NAME, _text)),
    **dict.fromkeys(("displayName", "nickName", "title", "userType"), _text),
    **dict.fromkeys(("preferredLanguage", "locale", "timezone"), _text),
    "active": _boolean,
    "emails": _one_of(_complex(_EMAIL)),
    ENTERPRISE: _complex(dict.fromkeys(_WORK, _text)),
}
"""The plain attributes of a user in the order that the library writes them in."""

_SET = {name: _USER[name] for name in ("active", "displayName", "nickName", "title", "userType", "locale", "timezone")}
"""What a plain PATCH may set."""
_OPS = frozenset({"add", "replace"})
_SPELLED = {"True": True, "False": False, "true": True, "false": False}


def user(body: Json) -> dict[str, Any] | None:
    """Return the document of a user's body, None when the body is not plain."""
    schemas = body.get("schemas")
    if schemas != ([_SCHEMA, ENTERPRISE] if ENTERPRISE in body else [_SCHEMA]) or "userName" not in body:
        return None
    if not body.keys() <= _USER.keys() | _DROPPED | {"schemas"}:
        return None
    try:
        return {"schemas": schemas} | {name: read(body[name]) for name, read in _USER.items() if name in body}
    except NotPlain:
        return None


def changes(kind: Kind, body: Json) -> dict[str, Any] | None:
    """Return the attributes that a user's PATCH sets, None when the body is not plain."""
    if kind is not USER or set(body) != {"schemas", "Operations"} or body["schemas"] != [_PATCH]:
        return None
    operations = body["Operations"]
    if type(operations) is not list or not 1 <= len(operations) <= 10:
        return None
    found: dict[str, Any] = {}
    try:
        for operation in operations:
            found |= _operation(operation)
    except NotPlain:
        return None
    return found


def _operation(operation: Any) -> dict[str, Any]:
    if type(operation) is not dict or not operation.keys() <= {"op", "path", "value"} or "value" not in operation:
        raise NotPlain
    op: Any = operation.get("op")
    path: Any = operation.get("path")
    value: Any = operation["value"]
    if type(op) is not str or op.lower() not in _OPS:
        raise NotPlain
    if type(path) not in (str, type(None)):
        raise NotPlain
    asked: Any = value if "path" not in operation else {path: value}
    if type(asked) is not dict or not asked or not all(name in _SET for name in asked):
        raise NotPlain
    return {name: _SET[name](_spelled(name, held)) for name, held in asked.items()}


def _spelled(name: str, value: Any) -> Any:
    """Entra ID spells truth values out."""
    return _SPELLED.get(value, value) if name == "active" and type(value) is str else value


def applied(before: Document, found: Json) -> dict[str, Any] | None:
    """Return a document with attributes set that it has already, None when one is new: its place is the library's."""
    if not found.keys() <= before.keys():
        return None
    return {name: found.get(name, value) for name, value in before.items() if name not in _DROPPED}
