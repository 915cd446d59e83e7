"""What identity providers send that the RFC does not allow, rewritten into the legal form before anything reads it.

One function per quirk; each has a recorded exchange in `tests/idp/`. `dialects.py` says who sends which.
What the library tolerates by itself (operations in capitals, "False" for a boolean, dotted keys) needs none.
"""

import re
from collections.abc import Callable
from typing import Any

from scim2_models import SCIMException
from scim2_models.path import Path

from scim_app.directory.kinds import ENTERPRISE, USER, Kind

Json = dict[str, Any]
Quirk = Callable[[Kind, Json], Json]

_MANAGER = f"{ENTERPRISE}:manager".lower()
_UNQUOTED = re.compile(
    r'(\b(?:eq|ne|co|sw|ew)\s+)(?!(?:true|false|null)\b)([A-Za-z_][^\s"()\[\]]*)(?=\s|$|\))', re.IGNORECASE
)


def with_operations(body: Json, change: Callable[[Json], Json]) -> Json:
    """Return a PATCH body with each operation changed; any other body as it is."""
    operations = body.get("Operations")
    if not isinstance(operations, list):
        return body
    return body | {"Operations": [change(one) if isinstance(one, dict) else one for one in operations]}


def names_of_operations(_kind: Kind, body: Json) -> Json:
    """Some clients write `Op`, `Path` and `Value`, or `operations`; names differ by more than case (RFC 7643 §2.1)."""
    body = {"Operations" if name.lower() == "operations" else name: value for name, value in body.items()}
    known = ("op", "path", "value")
    return with_operations(body, lambda one: {n.lower() if n.lower() in known else n: v for n, v in one.items()})


def manager_as_text(kind: Kind, body: Json) -> Json:
    """Entra ID sends the manager as a bare id; the RFC wants `{"value": id}` (RFC 7643 §4.3)."""
    if kind is not USER:
        return body
    return with_operations(_manager_in_resource(body), _manager_in_operation)


def _manager_in_operation(operation: Json) -> Json:
    value = operation.get("value")
    if str(operation.get("path", "")).lower() in (_MANAGER, "manager") and isinstance(value, str):
        if not value:  # an empty id means that there is no manager any more
            return {"op": "remove", "path": operation["path"]}
        return operation | {"value": {"value": value}}
    return operation | {"value": _manager_in_resource(value)} if isinstance(value, dict) else operation


def _manager_in_resource(resource: Json) -> Json:
    changed = dict(resource)
    for name, value in resource.items():
        if name.lower() == _MANAGER and isinstance(value, str):
            changed[name] = {"value": value} if value else None
        elif name.lower() == ENTERPRISE.lower() and isinstance(value, dict):
            changed[name] = {
                key: ({"value": held} if held else None) if key.lower() == "manager" and isinstance(held, str) else held
                for key, held in value.items()
            }
    return changed


def emails_as_object(kind: Kind, body: Json) -> Json:
    """OneLogin has been seen to send `emails` as one object; the RFC wants a list (RFC 7643 §4.1.2)."""
    if kind is USER and isinstance(body.get("emails"), dict):
        return body | {"emails": [body["emails"]]}
    return body


def members_without_path(kind: Kind, body: Json) -> Json:
    """Rippling adds members by a list without a path; the RFC wants the path `members` (RFC 7644 §3.5.2.1)."""

    def named(operation: Json) -> Json:
        value = operation.get("value")
        if operation.get("path") or not isinstance(value, list) or not value:
            return operation
        bare = all(isinstance(one, dict) and "value" in one for one in value)
        return operation | {"path": "members"} if bare else operation

    return body if kind is USER else with_operations(body, named)


def member_as_text(kind: Kind, body: Json) -> Json:
    """Some clients name the members of a group by bare ids; the RFC wants `{"value": id}` (RFC 7643 §4.2)."""

    def wrapped(operation: Json) -> Json:
        value = operation.get("value")
        if str(operation.get("path", "")).lower() != "members" or not value:
            return operation
        if isinstance(value, str):
            return operation | {"value": [{"value": value}]}
        if isinstance(value, list) and str in map(type, value):
            return operation | {"value": [{"value": one} if isinstance(one, str) else one for one in value]}
        return operation

    return body if kind is USER else with_operations(body, wrapped)


def removal_with_value(kind: Kind, body: Json) -> Json:
    """Entra ID sends the value along that it removes; the RFC has the path alone say it (RFC 7644 §3.5.2.2).

    It goes where the path says all. A bare path to several values and one of them might mean either.
    """

    def bare(operation: Json) -> Json:
        value = operation.get("value")
        if str(operation.get("op")).lower() != "remove" or value is None or isinstance(value, dict | list):
            return operation
        if not _says_all(kind, operation.get("path")):
            return operation
        return {name: held for name, held in operation.items() if name != "value"}

    return with_operations(body, bare)


def _says_all(kind: Kind, text: Any) -> bool:
    """Tell whether a path names one value, or chooses among several."""
    try:
        path = Path[kind.model](text if isinstance(text, str) else "")
        found = path.resolve()
    except SCIMException:
        return False
    return found is not None and (not found.is_multivalued or path.value_filter is not None)


def unquoted_filter_value(text: str) -> str:
    """Some clients send `externalId eq jyoung`; the grammar wants the value quoted (RFC 7644 §3.4.2.2)."""
    if '"' in text:
        return text
    return _UNQUOTED.sub(lambda found: f'{found[1]}"{found[2]}"', text)
