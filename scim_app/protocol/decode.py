"""From a request's body to what the directory is asked to do: a document, and a change of members."""

import itertools
from typing import Any

import orjson
from scim2_models import Context, InvalidValueException, PatchOp, PayloadTooLargeException, Resource
from scim2_models.path import Comparison, Path, ValuePath

from scim_app.directory.kinds import TEAM, USER, Document, Kind
from scim_app.directory.membership import MemberDelta
from scim_app.directory.names import unfit_letter
from scim_app.protocol import limits, member_patch, plain
from scim_app.protocol.dialects import Dialect
from scim_app.protocol.filter_limits import check_path
from scim_app.protocol.quirks import Json
from scim_app.protocol.wire import STORED, WHOLE
from scim_app.store.db import allowance
from scim_app.store.lifecycle.writes import Edit
from scim_app.store.log.event_log import Reading, Unit
from scim_app.store.resources.resources import Stored

_SERVER_OWNED = ("id", "meta", "groups", "members", "password")
"""Left out of stored documents: what the server makes, members (they are rows), and the password (never kept)."""
OPERATION = 20
"""What the library needs for any operation of a PATCH, in values that it reads."""


def read_creation(kind: Kind, body: Json, dialect: Dialect) -> tuple[Document, MemberDelta]:
    """Return the document and the members of a new resource (RFC 7644 §3.3)."""
    if kind is USER and (known := plain.user(body)):
        return {"active": True, **known}, MemberDelta()
    body, delta = _without_members(kind, dialect.normalise(kind, body))
    allowance.spend(_values(body) // 2)
    document = _document(kind, _validated(kind, body, Context.RESOURCE_CREATION_REQUEST))
    return ({"active": True, **document} if kind is USER else document), delta


def read_replacement(kind: Kind, body: Json, dialect: Dialect) -> Edit:
    """Return the edit that a PUT asks for (RFC 7644 §3.5.1); one that leaves `active` out leaves it as it is."""
    if kind is USER and (known := plain.user(body)):
        return lambda _unit, stored: ({"active": stored.load().get("active", True), **known}, MemberDelta())
    body, delta = _without_members(kind, dialect.normalise(kind, body))
    values = _values(body)
    allowance.spend(values // 2)
    replacement = _validated(kind, body, Context.RESOURCE_REPLACEMENT_REQUEST)

    def edit(_where: Unit | Reading, stored: Stored) -> tuple[Document, MemberDelta]:
        allowance.spend(values + allowance.values_in(stored.document))
        before = stored.load()
        after = replacement.model_copy(deep=True)
        after.replace(kind.model.model_validate(before, scim_policy=STORED))
        document = _document(kind, after)
        if kind is USER:
            return {"active": before.get("active", True), **document}, delta
        return document, MemberDelta(reset=True).then(delta)

    return edit


def read_patch(kind: Kind, body: Json, dialect: Dialect, base_url: str = "") -> Edit:
    """Return the edit that a PATCH asks for (RFC 7644 §3.5.2); its operations are applied in order or not at all.

    Args:
        kind: kind of the resource.
        body: the body as it was sent.
        dialect: what the client is allowed beyond the RFC.
        base_url: SCIM base address of the organization, with which `$ref` of a member begins.
    """
    known = plain.changes(kind, body)
    if known is None:
        return _read_patch(kind, dialect.normalise(kind, body), dialect, base_url)

    def edit(where: Unit | Reading, stored: Stored) -> tuple[Document, MemberDelta]:
        document = plain.applied(stored.load(), known)
        if document is None:
            return _read_patch(kind, dialect.normalise(kind, body), dialect, base_url)(where, stored)
        return document, MemberDelta()

    return edit


def _read_patch(kind: Kind, body: Json, dialect: Dialect, base_url: str) -> Edit:
    operations = body.get("Operations")
    _check_operations(operations)
    steps: list[member_patch.Step] = []
    rest: Any = operations
    if kind is TEAM and isinstance(operations, list):
        rest, steps = member_patch.split(operations, by_value=dialect.removes_by_value)
    asked = None
    growth = [_growth(one) for one in rest] if isinstance(rest, list) else []
    allowance.spend(sum(growth) // 2)
    if not steps or rest:
        asked = PatchOp[kind.model].model_validate(
            body | ({} if operations is None else {"Operations": rest}),
            scim_ctx=Context.RESOURCE_PATCH_REQUEST,
            scim_policy=dialect.policy(describes=True),
        )

    def edit(where: Unit | Reading, stored: Stored) -> tuple[Document, MemberDelta]:
        delta = member_patch.resolve(where, base_url, stored.id, steps)
        before = stored.load()
        if asked is None:
            return before, delta
        allowance.spend(_cost(growth, allowance.values_in(stored.document)))
        resource = kind.model.model_validate(before, scim_policy=STORED)
        for operation in asked.operations or ():
            allowance.spend(0)
            one = PatchOp[kind.model].model_construct(operations=[operation])
            one.patch(resource, scim_policy=dialect.policy(describes=_describes(operation.path)))
        return _document(kind, resource), delta

    return edit


def _values(body: Any) -> int:
    return allowance.values_in(orjson.dumps(body).decode())


def _growth(operation: Any) -> int:
    """Return by how many values an operation may make a resource larger; a simple attribute makes it hardly larger."""
    value = operation.get("value") if isinstance(operation, dict) else None
    parts: list[Any] = [*value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return sum(_values(part) for part in parts if isinstance(value, list) or isinstance(part, (dict, list)))


def _cost(growth: list[int], values: int) -> int:
    """Return what operations cost on a resource of so many values: each reads all that is there by then."""
    return sum(itertools.accumulate(growth, initial=values)) + OPERATION * len(growth)


def _check_operations(operations: Any) -> None:
    if not isinstance(operations, list):
        return
    if len(operations) > limits.PATCH_OPERATIONS:
        raise PayloadTooLargeException(detail=f"a PATCH has at most {limits.PATCH_OPERATIONS} operations; split it")
    for operation in operations:
        path = operation.get("path") if isinstance(operation, dict) else None
        if isinstance(path, str) and "[" in path:
            check_path(path)


def _describes(path: Path[Any] | None) -> bool:
    """Tell whether a path's filter says what an element is, and does not look for one that must be there.

    Entra ID sets `emails[type eq "work"].value` where there is none, and means: make one.
    """
    node = getattr(path, "ast", None)
    if not isinstance(node, ValuePath) or not isinstance(node.val_filter, Comparison):
        return False
    return node.val_filter.attr_path.attr.lower() in ("type", "primary")


def _without_members(kind: Kind, body: Json) -> tuple[Json, MemberDelta]:
    if kind is not TEAM:
        return body, MemberDelta()
    members = [value for name, value in body.items() if name.lower() == "members"]
    rest = {name: value for name, value in body.items() if name.lower() != "members"}
    return rest, MemberDelta.add(*(value for group in members for value in member_patch.values(group)))


def _validated(kind: Kind, body: Json, context: Context) -> Resource[Any]:
    return kind.model.model_validate(body, scim_ctx=context, scim_policy=WHOLE)


def _document(kind: Kind, resource: Resource[Any]) -> dict[str, Any]:
    dumped = resource.model_dump()
    name = str(dumped.get(kind.unique) or "")
    if not name.strip():
        raise InvalidValueException(detail=f"{kind.unique} must not be empty; send a name")
    limits.check_text(name, limits.NAME)
    if kind is USER and (letter := unfit_letter(name)):
        wrong = f"the invisible character U+{ord(letter):04X} can't be in userName; leave it out"
        raise InvalidValueException(detail=wrong)
    kept = {name: _kept(name, value) for name, value in dumped.items() if name not in _SERVER_OWNED}
    return {name: value for name, value in kept.items() if value is not None}


def _kept(name: str, value: Any) -> Any:
    """Return what is kept of an attribute: of several values those that say something, each once; None for nothing."""
    if not isinstance(value, list) or not value:
        return value
    return _each_once([one for one in value if not _is_bare(name, one)]) or None


def _is_bare(name: str, element: Any) -> bool:
    """Tell whether an element says how a value is to be taken but has none: what is left of one that was cleared."""
    if not isinstance(element, dict):
        return False
    said = element.keys() - {"type", "primary"}
    # What a role or an entitlement is called may be all that is known of it.
    return not said or (said == {"display"} and name not in ("roles", "entitlements"))


def _each_once(value: list[Any]) -> list[Any]:
    """Return a list with elements of the same type and value made one, the last deciding (RFC 7643 §2.4)."""
    if len(value) < 2:
        return value
    found: dict[Any, Any] = {}
    for place, element in enumerate(value):
        told = isinstance(element, dict) and element.get("value")
        key = (told, str(element.get("type")).lower()) if told else place
        found[key] = found[key] | element if key in found else element
    return list(found.values())
