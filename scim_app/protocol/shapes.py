"""What SCIM's bodies look like as JSON Schema: resources by their SCIM schemas, messages by RFC 7644."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from scim2_models import (
    Attribute,
    BulkRequest,
    BulkResponse,
    Error,
    ListResponse,
    Message,
    Mutability,
    PatchOp,
    Returned,
    SearchRequest,
)

from scim_app.directory.kinds import KINDS, Kind
from scim_app.protocol import limits

Shape = dict[str, Any]
"""A JSON schema (2020-12)."""

TEXT: Shape = {"type": "string", "maxLength": limits.STRING, "pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"}
"""Text without the control characters that no value may hold."""
_OBJECT: Shape = {"type": "object"}
_JSON_TYPES = {"boolean": "boolean", "integer": "integer", "decimal": "number", "complex": "object"}
"""SCIM's types whose values are no strings in JSON (RFC 7643 §2.3)."""


def shapes() -> dict[str, Shape]:
    """Return the JSON schema of every body, by name; a name begun with `Patch` is that of a change to a resource."""
    return _messages() | {name: shape for kind in KINDS.values() for name, shape in _of(kind)}


def question(paths: Sequence[str]) -> dict[str, Shape]:
    """Return what a search may say (RFC 7644 §3.4.2), by name; of filters only the simplest are spelled out."""
    name: Shape = {"enum": list(paths)}
    some: Shape = {"type": "array", "items": name}
    plain = "|".join(re.escape(path) for path in paths if ":" not in path)
    simple = f'^({plain}) (pr|(eq|ne|co|sw|ew) "[A-Za-z0-9@. -]*")$'
    return {
        "filter": {"anyOf": [TEXT | {"pattern": simple}, TEXT]},
        "startIndex": {"type": "integer"},
        "count": {"type": "integer"},
        "cursor": TEXT | {"description": "`nextCursor` of an answer"},
        "sortBy": name,
        "sortOrder": {"enum": ["ascending", "descending"]},
        "attributes": some,
        "excludedAttributes": some | {"description": "Not together with `attributes`"},
    }


def names(kind: Kind) -> list[str]:
    """Return the paths of what is reported of a kind, and what every resource has."""
    return ["id", "meta.lastModified", *(attribute.path for attribute in kind.attributes)]


def every_name() -> list[str]:
    """Return the paths that a search of all kinds may name."""
    return list(dict.fromkeys(name for kind in KINDS.values() for name in names(kind)))


def _of(kind: Kind) -> Iterable[tuple[str, Shape]]:
    """Return the resource and its PATCH, each with its name."""
    urn, extensions = str(kind.model.__schema__), kind.model.get_extension_models()
    parts = {str(name): _complex(model.to_schema().attributes or ()) for name, model in extensions.items()}
    own = _complex(kind.model.to_schema().attributes or ())
    own["properties"] |= parts | {"externalId": TEXT, "schemas": _schemas(urn, *parts)}
    own["properties"][kind.unique] |= {"minLength": 1, "maxLength": limits.NAME}
    yield kind.scim_name, own | {"required": ["schemas", kind.unique]}
    yield (
        f"Patch{kind.scim_name}",
        _message(PatchOp, Operations={"type": "array", "minItems": 1, "items": {"anyOf": _changes(kind, own)}}),
    )


def _changes(kind: Kind, own: Shape) -> list[Shape]:
    """Return what an operation of a PATCH may be: plain ones with the value that belongs to the path, and any other."""
    open_to = [name for name, shape in own["properties"].items() if name != "schemas" and not shape.get("readOnly")]
    place = f"#/components/schemas/{kind.scim_name}/properties/"
    setting = [
        {"op": {"enum": ["add", "replace"]}, "path": {"const": name}, "value": {"$ref": place + name}}
        for name in open_to
    ]
    removing: Shape = {"op": {"const": "remove"}, "path": {"enum": [name for name in open_to if name != kind.unique]}}
    other: Shape = {"op": {"enum": ["add", "replace", "remove"]}, "path": TEXT, "value": {}}
    needed = [*(["op", "path", "value"] for _ in setting), ["op", "path"], ["op"]]
    shapes = [*setting, removing, other]
    return [_OBJECT | {"properties": shape, "required": names} for shape, names in zip(shapes, needed, strict=True)]


def _complex(attributes: Iterable[Attribute]) -> Shape:
    return _OBJECT | {"properties": {str(attribute.name): _attribute(attribute) for attribute in attributes}}


def _attribute(attribute: Attribute) -> Shape:
    """Return the JSON schema of a SCIM attribute (RFC 7643 §7)."""
    kind = _JSON_TYPES.get(str(attribute.type and attribute.type.value), "string")
    shape = (
        _complex(attribute.sub_attributes or ()) if kind == "object" else TEXT if kind == "string" else {"type": kind}
    )
    shape = {"type": "array", "items": shape} if attribute.multi_valued else shape
    flags = {
        "readOnly": attribute.mutability is Mutability.read_only,
        "writeOnly": attribute.returned is Returned.never,
    }
    return {"description": attribute.description or ""} | shape | {name: True for name, on in flags.items() if on}


def _messages() -> dict[str, Shape]:
    """Return the shapes that are no resources (RFC 7644 §8)."""
    written: Shape = {"method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]}, "path": TEXT, "bulkId": TEXT}
    return {
        "Resource": _OBJECT,
        "Error": _message(Error, status=TEXT, scimType=TEXT, detail=TEXT) | {"required": ["schemas", "status"]},
        "ListResponse": _message(ListResponse, totalResults={"type": "integer"}, Resources=_list({})),
        "SearchRequest": _message(SearchRequest, **question(every_name())),
        "BulkRequest": _message(
            BulkRequest, Operations=_list(written | {"data": _OBJECT}, "method", "path") | {"minItems": 1}
        ),
        "BulkResponse": _message(BulkResponse, Operations=_list(written | {"status": TEXT}, "method", "status")),
    }


def _message(model: type[Message], **properties: Shape) -> Shape:
    shape = {"schemas": _schemas(str(model.__schema__)), **properties}
    needed = [name for name in ("schemas", "Operations") if name in shape]
    return _OBJECT | {"properties": shape, "required": needed}


def _list(properties: Shape, *required: str) -> Shape:
    return {"type": "array", "items": _OBJECT | {"properties": properties, "required": list(required)}}


def _schemas(urn: str, *more: str) -> Shape:
    return {"type": "array", "items": {"enum": [urn, *more]}, "contains": {"const": urn}, "uniqueItems": True}
