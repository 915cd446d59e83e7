"""The SCIM endpoints as OpenAPI 3.1 describes them, for programs that make clients, tests or gateways from that.

What resources look like comes from their SCIM schemas, and the rest from RFC 7644.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from scim2_server.responses import SCIM_MEDIA_TYPE

from scim_app.directory.kinds import KINDS
from scim_app.protocol.shapes import TEXT, every_name, names, question, shapes

Described = dict[str, Any]

BASE = "/{org}/scim/v2"
_MATCH = {"If-Match": ("PUT", "PATCH", "DELETE"), "If-None-Match": ("GET",)}
_UNSHOWN = {"204": "Done, and there is no need to show it"}
_ERRORS = {
    "400": "What was sent can't be understood or is not allowed; `scimType` and `detail` say what is wrong",
    "401": "No valid SCIM token of this organization",
    "404": "There is no such resource",
    "409": "A name is taken",
    "412": "The resource has another version than `If-Match` asks for",
    "default": "Any other refusal, in the same form",
}


def description() -> Described:
    """Return the OpenAPI 3.1 document of the SCIM endpoints of every organization."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "dagster-scim SCIM 2.0", "version": "2", "description": "RFC 7643 and RFC 7644."},
        "paths": {BASE + path: _item(path, methods) for path, methods in _paths().items()},
        "components": {
            "schemas": shapes(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _paths() -> dict[str, dict[str, Described]]:
    """Return the operations by path below the base and by method."""
    search = _operation(200, "ListResponse", body="SearchRequest")
    found: dict[str, dict[str, Described]] = {
        "/.search": {"POST": search},
        "/Bulk": {"POST": _operation(200, "BulkResponse", body="BulkRequest")},
        "/Me": {"GET": {"responses": {"501": _answer("A token stands for a client, not for a user", "Error")}}},
        "/ServiceProviderConfig": {"GET": _operation(200, "Resource") | {"security": []}},
        "/": {"GET": _operation(200, "ListResponse") | {"parameters": _query(question(every_name()))}},
    }
    for path in ("/Schemas", "/ResourceTypes"):
        found[path] = {"GET": _operation(200, "ListResponse")}
        found[f"{path}/{{id}}"] = {"GET": _operation(200, "Resource")}
    for kind in KINDS.values():
        name, asked = kind.scim_name, question(names(kind))
        shown = {key: asked[key] for key in ("attributes", "excludedAttributes")}
        found |= {
            f"/{kind.endpoint}": {
                "GET": _operation(200, "ListResponse") | {"parameters": _query(asked)},
                "POST": _operation(201, name, body=name) | {"parameters": _query(shown)},
            },
            f"/{kind.endpoint}/.search": {"POST": search},
            f"/{kind.endpoint}/{{id}}": {
                "GET": _operation(200, name, bare={"304": "The client has it"}) | {"parameters": _query(shown)},
                "PUT": _operation(200, name, body=name) | {"parameters": _query(shown)},
                "PATCH": _operation(200, name, body=f"Patch{name}", bare=_UNSHOWN) | {"parameters": _query(shown)},
                "DELETE": _operation(204),
            },
        }
    return found


def _item(path: str, methods: dict[str, Described]) -> Described:
    named = ["org", *(["id"] if path.endswith("/{id}") else [])]
    item: Described = {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": TEXT | {"minLength": 1}} for name in named
        ]
    }
    for method, operation in methods.items():
        matches = [{"name": name, "in": "header", "schema": TEXT} for name, of in _MATCH.items() if method in of]
        more = {"parameters": [*operation.get("parameters", ()), *matches]} if "id" in named else {}
        item[method.lower()] = operation | more
    return item


def _operation(
    status: int, answer: str | None = None, *, body: str | None = None, bare: Mapping[str, str] = MappingProxyType({})
) -> Described:
    """Return an operation by what it answers, by `bare` answers without a body, and by the body that it takes."""
    refusals = {code: _answer(says, "Error") for code, says in _ERRORS.items()}
    others = {code: _answer(says) for code, says in bare.items()}
    operation: Described = {"responses": {str(status): _answer("Done", answer)} | others | refusals}
    if body:
        operation["requestBody"] = {"required": True, "content": _content(body)}
    return operation


def _answer(says: str, schema: str | None = None) -> Described:
    return {"description": says} | ({"content": _content(schema)} if schema else {})


def _content(schema: str) -> Described:
    return {SCIM_MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _query(asked: dict[str, Described]) -> list[Described]:
    return [{"name": name, "in": "query", "explode": False, "schema": shape} for name, shape in asked.items()]
