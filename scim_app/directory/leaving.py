"""Whom a write of an identity provider tells to leave, read from the request alone; pure.

It is read before anything else in the request, and more generously than the rest: access ends for whoever is told to
leave, also where the request is refused (decision 36).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from scim_app.directory.events import EventType
from scim_app.directory.kinds import CORE_NAMES, USER

_WORDS = {
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
}
"""Words for truth values, as the protocol library reads them in any case."""
_CORE = frozenset({str(USER.declared.__schema__).lower(), *(name.lower() for name in CORE_NAMES)})
_PLACES = frozenset({"active", *(f"{name}:active" for name in _CORE)})


def asks_to_leave(method: str, body: Mapping[str, Any]) -> bool:
    """Tell whether a write to a user ends its access: a DELETE, or a PUT or PATCH that leaves `active` false.

    Of several statements in a PATCH the last one counts, since its operations are applied in order (RFC 7644 §3.5.2).
    """
    if method.upper() == "DELETE":
        return True
    if method.upper() not in ("PUT", "PATCH"):
        return False
    *_, last = (True, *_statements(body))
    return not last


def asked_to_leave(event: Mapping[str, Any]) -> bool | None:
    """Return whether a refused write to a user asked for the end of its access; None for every other event.

    The event says so itself. One of an older release does not: its request, as far as it was kept, is read instead.

    Args:
        event: a row of the log with `type`, `subject_kind`, `subject_id`, `method` and `change`, a JSON text.
    """
    if event["type"] != EventType.WRITE_REJECTED or event["subject_kind"] != USER.name:
        return None
    change = orjson.loads(event["change"] or "{}")
    if "asked_to_leave" in change:
        return bool(change["asked_to_leave"])
    request = change.get("request")
    known = request if isinstance(request, dict) else {}
    return event["subject_id"] is not None and asks_to_leave(event["method"] or "", known)


def _statements(body: Mapping[str, Any]) -> Iterator[bool]:
    """Yield what a body says of `active`, in order; what can't be read says nothing."""
    operations = _named(body, "operations")
    if operations is None:
        yield from _of_resource(body)
    for operation in _objects(operations):
        yield from _of_operation(operation)


def _of_operation(operation: Mapping[str, Any]) -> Iterator[bool]:
    op, path, value = (_named(operation, name) for name in ("op", "path", "value"))
    removing = str(op).strip().lower() == "remove"
    place = path.strip().lower() if isinstance(path, str) else ""
    if place in _PLACES:
        yield from (True,) if removing else _truth(value)  # an account without the attribute is active
    elif not removing and (not place or place in _CORE):
        for resource in _objects(value):
            yield from _of_resource(resource)


def _of_resource(resource: Mapping[str, Any]) -> Iterator[bool]:
    """Yield what an object says of `active`; its names have no order, so false counts before true."""
    core = (held for name, held in resource.items() if name.lower() in _CORE and isinstance(held, dict))
    found = [
        said
        for one in (resource, *core)
        for name, held in one.items()
        if name.strip().lower() in _PLACES
        for said in _truth(held)
    ]
    if found:
        yield all(found)


def _truth(value: Any) -> Iterable[bool]:
    """Return the truth value in a value, also alone in a list or under `value`, as Entra ID has sent it; else nothing.

    Null leaves the attribute unassigned, and such an account is active.
    """
    for _ in range(2):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            value = _named(value, "value")
    if value is None:
        return (True,)
    if isinstance(value, (bool, int, float)) and value in (0, 1):
        return (bool(value),)
    word = _WORDS.get(value.strip().lower()) if isinstance(value, str) else None
    return () if word is None else (word,)


def _named(held: Mapping[str, Any], name: str) -> Any:
    """Return the value of a name, whatever its case (RFC 7643 §2.1)."""
    return next((value for key, value in held.items() if key.lower() == name), None)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
