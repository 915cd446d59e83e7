"""Exports in the shapes of other tools: Entra's access review history, Vanta's user accounts, plain tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from scim_app.store.export.packs import as_csv

Row = Mapping[str, Any]

_RESULTS = {"keep": "Approve", "revoke": "Deny", None: "Not reviewed"}
_PRINCIPAL_TYPE = "user"
_LEVELS = {"organization_admin": "ADMIN", "admin": "ADMIN", "editor": "EDITOR"}

ENTRA_COLUMNS = (
    *("AccessReviewId", "AccessReviewSeriesId", "ReviewType", "ResourceId", "ResourceDisplayName", "ReviewName"),
    *("CreatedDateTime", "ReviewStartDate", "ReviewEndDate", "ReviewStatus", "OwnerId", "OwnerName", "OwnerUPN"),
    *("PrincipalId", "PrincipalName", "PrincipalUPN", "PrincipalType", "ReviewDate", "ReviewResult", "Justification"),
    *("ReviewerId", "ReviewerName", "ReviewerUPN", "ReviewerEmailAddress", "AppliedByName", "AppliedDate"),
    *("SubmissionResult", "AccessRecommendation"),
)
"""The columns of the access review history that Entra ID offers for download."""


def entra_review_history(campaigns: Iterable[Row], items: Iterable[Row]) -> bytes:
    """Return every access of every review as CSV in the shape of Entra ID's access review history."""
    by_id = {campaign["campaign_id"]: campaign for campaign in campaigns}
    rows = [_entra(by_id[item["campaign_id"]], item) for item in items]
    return as_csv(ENTRA_COLUMNS, [[row.get(column) for column in ENTRA_COLUMNS] for row in rows])


def _entra(campaign: Row, item: Row) -> dict[str, Any]:
    return {
        "AccessReviewId": campaign["campaign_id"],
        "AccessReviewSeriesId": campaign["campaign_id"],
        "ReviewType": "GroupMembership" if item["access_kind"] == "team" else "RoleAssignment",
        "ResourceId": item["access_id"],
        "ResourceDisplayName": item["access_name"],
        "ReviewName": campaign["name"],
        "CreatedDateTime": campaign["opened_at"],
        "ReviewStartDate": campaign["opened_at"],
        "ReviewEndDate": campaign["closed_at"] or campaign["due_at"],
        "ReviewStatus": "Applied" if campaign["closed_at"] else "InProgress",
        "OwnerId": campaign["opened_by"],
        "PrincipalId": item["user_id"],
        "PrincipalName": item["display_name"] or item["user_name"],
        "PrincipalUPN": item["user_name"],
        "PrincipalType": _PRINCIPAL_TYPE,
        "ReviewDate": item["decided_at"],
        "ReviewResult": _RESULTS[item["decision"]],
        "Justification": item["reason"],
        "ReviewerId": item["reviewer_id"],
        "ReviewerUPN": item["reviewer_name"],
        "AppliedByName": item["applied_by"],
        "AppliedDate": item["applied_at"],
        "SubmissionResult": "Success" if item["applied_at"] else "",
    }


def vanta_user_accounts(users: Iterable[Row], access: Iterable[Row], base_url: str) -> bytes:
    """Return every account as JSON in the shape of Vanta's `UserAccount` resources (sync all).

    Args:
        users: rows with `USER_COLUMNS`.
        access: rows with `EFFECTIVE_ACCESS_COLUMNS`.
        base_url: address of the organization's settings, for links.
    """
    levels: dict[str, str] = {}
    for row in access:
        level = _LEVELS.get(row["role"], "BASE")
        levels[row["user_id"]] = min(level, levels.get(row["user_id"], "BASE"), key=("ADMIN", "EDITOR", "BASE").index)
    resources = [_vanta(user, levels.get(user["user_id"], "BASE"), base_url) for user in users]
    return orjson.dumps({"resources": resources}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _vanta(user: Row, level: str, base_url: str) -> dict[str, Any]:
    return {
        "displayName": user["display_name"] or user["user_name"],
        "uniqueId": user["user_id"],
        "externalUrl": f"{base_url}/users/{user['user_id']}",
        "fullName": " ".join(name for name in (user["given_name"], user["family_name"]) if name),
        "accountName": user["user_name"],
        "email": user["sign_in_address"] or user["email"],
        "permissionLevel": level,
        "createdTimestamp": user["created_at"],
        "updatedTimestamp": user["updated_at"],
        "status": "ACTIVE" if user["active"] else "DEACTIVATED",
        "mfaEnabled": False,
        "mfaMethods": ["UNSUPPORTED"],
        "authMethod": "SSO",
    }


def table(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Return rows as CSV with the columns in their order."""
    return as_csv(columns, [[row[column] for column in columns] for row in rows])
