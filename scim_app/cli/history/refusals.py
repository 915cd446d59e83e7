"""The refusals that a made-up year has: what an identity provider sent, and what it was answered. Pure."""

from typing import Any

_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def _patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [_PATCH], "Operations": list(operations)}


DEACTIVATION: dict[str, Any] = {
    "method": "PATCH",
    "status": 400,
    "scim_type": "invalidPath",
    "text": "no attribute 'employmentEnd' in the schema of User",
    "body": _patch(
        {"op": "replace", "path": "employmentEnd", "value": "today"},
        {"op": "replace", "path": "active", "value": False},
    ),
}
"""A deactivation that a wrong attribute mapping spoils; the person keeps access until the mapping is put right."""

OTHERS: tuple[dict[str, Any], ...] = (
    {
        "method": "POST",
        "status": 409,
        "scim_type": "uniqueness",
        "text": "userName is taken by another user",
        "body": {"externalId": "hr-import"},
    },
    {
        "method": "PATCH",
        "status": 400,
        "scim_type": "invalidValue",
        "text": "'yes' is not a boolean",
        "body": _patch({"op": "replace", "path": "active", "value": "yes"}),
    },
    {
        "method": "PATCH",
        "status": 400,
        "scim_type": "invalidPath",
        "text": "no attribute 'costCentre' in the schema of User",
        "body": _patch({"op": "replace", "path": "costCentre", "value": "4711"}),
    },
    {
        "method": "PUT",
        "status": 400,
        "scim_type": "invalidSyntax",
        "text": "the body is not JSON",
        "body": {},
    },
)
