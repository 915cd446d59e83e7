"""What identity providers send that the RFC does not allow, rewritten into the legal form before anything reads it.

One function per quirk; each has a recorded exchange in `tests/idp/`. What the library tolerates by itself
(operations in capitals, "False" for a boolean, dotted keys) needs none.
"""

import re
from collections.abc import Callable
from typing import Any

from scim_app.directory.kinds import ENTERPRISE, USER, Kind

Json = dict[str, Any]
_MANAGER = f"{ENTERPRISE}:manager".lower()
_UNQUOTED = re.compile(
    r'(\b(?:eq|ne|co|sw|ew)\s+)(?!(?:true|false|null)\b)([A-Za-z_][^\s"()\[\]]*)(?=\s|$|\))', re.IGNORECASE
)


def manager_as_text(kind: Kind, body: Json) -> Json:
    """Entra ID sends the manager as a bare id; the RFC wants `{"value": id}` (RFC 7643 §4.3)."""
    if kind is not USER:
        return body
    if isinstance(body.get("Operations"), list):
        return body | {"Operations": [_manager_in_operation(operation) for operation in body["Operations"]]}
    return _manager_in_resource(body)


def _manager_in_operation(operation: Any) -> Any:
    if not isinstance(operation, dict):
        return operation
    if str(operation.get("path", "")).lower() in (_MANAGER, "manager") and isinstance(operation.get("value"), str):
        # An empty id means that there is no manager any more.
        return operation | {"value": {"value": operation["value"]} if operation["value"] else None}
    if isinstance(operation.get("value"), dict):
        return operation | {"value": _manager_in_resource(operation["value"])}
    return operation


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


def unquoted_filter_value(text: str) -> str:
    """Some clients send `externalId eq jyoung`; the grammar wants the value quoted (RFC 7644 §3.4.2.2)."""
    if '"' in text:
        return text
    return _UNQUOTED.sub(lambda found: f'{found[1]}"{found[2]}"', text)


QUIRKS: tuple[Callable[[Kind, Json], Json], ...] = (manager_as_text, emails_as_object)


def normalise(kind: Kind, body: Json) -> Json:
    """Return a body in the form the RFC asks for."""
    for quirk in QUIRKS:
        body = quirk(kind, body)
    return body
