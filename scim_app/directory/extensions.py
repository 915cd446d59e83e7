"""Custom SCIM extensions (RFC 7643 §3.3): attributes of users or groups that a settings file declares.

The file is a JSON list of `{"resourceType": "User" | "Group", "schema": {…}}`; each schema is one as `/Schemas`
shows it (RFC 7643 §7). Its attributes are stored, returned, filtered, sorted and patched as all others.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import ValidationError
from scim2_models import Extension, Schema

from scim_app.directory.kinds import ENTERPRISE, KINDS

Extensions = Mapping[str, tuple[type[Extension], ...]]
"""SCIM's name of a kind → the models of its extensions."""


def read(text: bytes) -> Extensions:
    """Return the extensions that a file declares.

    Raises:
        ValueError: saying which entry is wrong and why.
    """
    try:
        entries = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the extensions are not JSON: {error}") from error
    if not isinstance(entries, list):
        raise ValueError('the extensions must be a JSON list of {"resourceType": …, "schema": …}')
    found: dict[str, tuple[type[Extension], ...]] = {}
    seen = {ENTERPRISE.lower(), *(str(kind.model.__schema__).lower() for kind in KINDS.values())}
    for number, entry in enumerate(entries, 1):
        try:
            kind, model, urn = _extension(entry)
        except (ValidationError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"extension {number}: {error}") from error
        if urn.lower() in seen:
            raise ValueError(f"extension {number}: the schema {urn} is declared already")
        seen.add(urn.lower())
        found[kind] = (*found.get(kind, ()), model)
    return found


def _extension(entry: Any) -> tuple[str, type[Extension], str]:
    kind = entry["resourceType"]
    if kind not in KINDS:
        raise ValueError(f"resourceType must be one of {', '.join(KINDS)}, not {kind!r}")
    schema = Schema.model_validate(entry["schema"])
    urn = str(schema.id or "")
    if not urn.lower().startswith("urn:") or not schema.name or not schema.attributes:
        raise ValueError("a schema needs an id that is a URN, a name and attributes")
    if not all(attribute.name and attribute.type for attribute in schema.attributes):
        raise ValueError("each attribute needs a name and a type")
    return kind, Extension.from_schema(schema), urn
