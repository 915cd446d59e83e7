"""Telling a request that takes access away: it is carried out whatever else is wrong with the names in it."""

from collections.abc import Mapping
from typing import Any

_FALSE = (False, "false")


def says_inactive(body: Mapping[str, Any]) -> bool:
    """Tell whether a PUT or PATCH body says that a user is inactive, in any form that identity providers send."""
    operations = body.get("Operations")
    if not isinstance(operations, list):
        return _is_inactive(body)
    return any(isinstance(one, dict) and _sets_inactive(one) for one in operations)


def _sets_inactive(operation: Mapping[str, Any]) -> bool:
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str) and path.rpartition(":")[2].lower() == "active":
        return _is_false(value)
    return not path and isinstance(value, dict) and _is_inactive(value)


def _is_inactive(attributes: Mapping[str, Any]) -> bool:
    return any(_is_false(value) for name, value in attributes.items() if name.rpartition(":")[2].lower() == "active")


def _is_false(value: Any) -> bool:
    return (value.lower() if isinstance(value, str) else value) in _FALSE
