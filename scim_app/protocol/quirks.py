"""What identity providers send that the RFC does not allow, rewritten into the legal form before anything reads it.

One function per quirk; each has a recorded exchange in `tests/idp/`. `dialects.py` says who sends which.
What the library tolerates by itself (operations in capitals, "False" for a boolean, dotted keys) needs none.
"""

import re
from collections.abc import Callable
from typing import Any

from scim2_models import PatchOp, SCIMException
from scim2_models.path import Path

from scim_app.directory.kinds import CORE_NAMES, ENTERPRISE, ENTERPRISE_NAMES, USER, Kind

Json = dict[str, Any]
Quirk = Callable[[Kind, Json], Json]
FilterQuirk = Callable[[str], str]

_MANAGER = f"{ENTERPRISE}:manager"
_QUOTED, _END = r'"(?:[^"\\]|\\.?)*(?:"|$)', r"(?=[\s)\]]|$)"
"""Text in quotes, whose end may be missing, so that nothing is read twice; and what ends a word."""
_UNQUOTED = re.compile(
    rf"{_QUOTED}|(\b(?:eq|ne|co|sw|ew|gt|ge|lt|le)\s+)"
    rf"(?:'([^'\"\\]*)'|(?!(?:true|false|null|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?){_END})([^\s\"'()\[\]]+)){_END}",
    re.IGNORECASE,
)
_MANAGER_COMPARED = re.compile(
    rf"{_QUOTED}|(?<![\w.:])(?:{re.escape(ENTERPRISE)}:)?manager(?:\.value)?(?=\s+(?:eq|ne)\s)", re.IGNORECASE
)


def with_operations(body: Json, change: Callable[[Json], Json]) -> Json:
    """Return a PATCH body with each operation changed; any other body as it is."""
    operations = body.get("Operations")
    if not isinstance(operations, list):
        return body
    return body | {"Operations": [change(one) if isinstance(one, dict) else one for one in operations]}


def _without(held: Json, name: str) -> Json:
    return {key: value for key, value in held.items() if key != name}


def schemas_in_any_case(kind: Kind, body: Json) -> Json:
    """Schema URIs are the same in any case (RFC 7644 §3.10), also where a body says what it is."""
    known = {urn.lower(): urn for urn in (str(kind.model.__schema__), str(PatchOp.__schema__))}

    def spelled(listed: list[Any]) -> list[Any]:
        return [known.get(urn.lower(), urn) if isinstance(urn, str) else urn for urn in listed]

    found = {name: spelled(held) for name, held in body.items() if name.lower() == "schemas" and isinstance(held, list)}
    return body | found


def names_of_older_schemas(kind: Kind, body: Json) -> Json:
    """OneLogin's templates name schemas as SCIM 1 and drafts of SCIM 2 did; RFC 7643 §4 gives each resource its own."""
    if isinstance(body.get("Operations"), list):
        return body
    renamed = {name.lower(): str(kind.model.__schema__) for name in CORE_NAMES}
    renamed |= {name.lower(): ENTERPRISE for name in ENTERPRISE_NAMES}

    def spelled(held: Any) -> Any:
        if not isinstance(held, list):
            return held
        named = [renamed.get(name.lower(), name) if isinstance(name, str) else name for name in held]
        return [name for place, name in enumerate(named) if name not in named[:place]]

    known = {renamed.get(name.lower(), name): value for name, value in body.items()}
    return {name: spelled(value) if name.lower() == "schemas" else value for name, value in known.items()}


def names_of_operations(_kind: Kind, body: Json) -> Json:
    """Some clients write `Op`, `Path` and `Value`, or `operations`; names differ by more than case (RFC 7643 §2.1)."""
    body = {"Operations" if name.lower() == "operations" else name: value for name, value in body.items()}
    known = ("op", "path", "value")
    return with_operations(body, lambda one: {n.lower() if n.lower() in known else n: v for n, v in one.items()})


def labels_of_operations(_kind: Kind, body: Json) -> Json:
    """Microsoft's own requests give an operation a `name` and the PATCH the `id`; neither asks for anything."""
    if not isinstance(body.get("Operations"), list):
        return body
    return with_operations(_without(body, "id"), lambda one: _without(one, "name"))


def filters_as_keys(_kind: Kind, body: Json) -> Json:
    """Entra ID may have `emails[type eq "work"].value` as a key; the RFC wants it as the path (RFC 7644 §3.5.2)."""
    operations = body.get("Operations")
    if not isinstance(operations, list):
        return body
    return body | {"Operations": [part for one in operations for part in _by_path(one)]}


def _by_path(operation: Any) -> list[Any]:
    if not isinstance(operation, dict) or operation.get("path") or not isinstance(operation.get("value"), dict):
        return [operation]
    plain = {key: held for key, held in operation["value"].items() if "[" not in key}
    filtered = {key: held for key, held in operation["value"].items() if "[" in key}
    parts = [operation | {"path": key, "value": held} for key, held in filtered.items()]
    return [operation | {"value": plain}, *parts] if plain or not parts else parts


def forms_of_manager(kind: Kind, body: Json) -> Json:
    """Entra ID sends the manager as a bare id, or as a list of one; the RFC wants `{"value": id}` (RFC 7643 §4.3)."""
    if kind is not USER:
        return body
    return with_operations(_manager_in_resource(body), _manager_in_operation)


def _manager_in_operation(operation: Json) -> Json:
    value = operation.get("value")
    if str(operation.get("path", "")).lower() in (_MANAGER.lower(), "manager"):
        named = operation | {"path": _MANAGER}
        if str(operation.get("op")).lower() == "remove" or "value" not in operation:
            return _without(named, "value")
        manager = _manager(value)  # an empty one means that there is no manager any more
        return {"op": "remove", "path": _MANAGER} if manager is None else named | {"value": manager}
    return operation | {"value": _manager_in_resource(value)} if isinstance(value, dict) else operation


def _manager_in_resource(resource: Json) -> Json:
    changed = dict(resource)
    for name, value in resource.items():
        if name.lower() == _MANAGER.lower():
            changed[name] = _manager(value)
        elif name.lower() == ENTERPRISE.lower() and isinstance(value, dict):
            changed[name] = {key: _manager(held) if key.lower() == "manager" else held for key, held in value.items()}
    return changed


def _manager(value: Any) -> Any:
    """Return a manager as the RFC has it, without the name, which is the manager's own; None for an empty one."""
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else {}
    if isinstance(value, str):
        value = {"value": value}
    if not isinstance(value, dict):
        return value
    named = {name: held for name, held in value.items() if name.lower() != "displayname"}
    if any(named.values()):
        return named
    return None if named or not value else value


def emails_as_object(kind: Kind, body: Json) -> Json:
    """OneLogin has been seen to send `emails` as one object; the RFC wants a list (RFC 7643 §4.1.2)."""
    if kind is not USER:
        return body
    listed = {name: [value] for name, value in body.items() if name.lower() == "emails" and isinstance(value, dict)}
    return body | listed


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
        return _without(operation, "value")

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
    """Some clients send `externalId eq jyoung`, or single quotes; the grammar wants `"jyoung"` (RFC 7644 §3.4.2.2)."""

    def quoted(found: re.Match[str]) -> str:
        operator, single, bare = found.groups()
        return found[0] if operator is None else f'{operator}"{bare if single is None else single}"'

    return _UNQUOTED.sub(quoted, text)


def manager_in_filter(text: str) -> str:
    """Entra ID asks `manager eq "id"`; the RFC compares `manager.value` of the extension (RFC 7644 §3.4.2.2, §3.10)."""
    if "[" in text:  # there it may be a sub-attribute
        return text
    return _MANAGER_COMPARED.sub(lambda found: found[0] if found[0][0] == '"' else f"{_MANAGER}.value", text)
