"""The rules of access reviews: who reviews what, which decisions are lawful, and what a revocation asks for. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

import orjson


class ReviewScope(StrEnum):
    """Whose access a review asks for."""

    ORGANIZATION = "organization"
    """Every access of every active account."""
    PRIVILEGED = "privileged"
    """Privileged access alone."""
    TEAMS = "teams"
    """The members of some teams."""


class Decision(StrEnum):
    """What a reviewer decides."""

    KEEP = "keep"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One access of an active account: a team, a role of its own, or the account where it has neither."""

    user_id: str
    user_name: str
    display_name: str | None
    access_kind: str
    """`team`, `role` or `account`."""
    access_id: str
    access_name: str
    role: str | None
    """The most permissive role that this access gives, None where only the default role holds."""
    managed_by: str
    """Who can end it: the `identity_provider`, or `dagster-scim` itself."""
    privileged: bool


def digest(population: Iterable[Access]) -> str:
    """Return the SHA-256 (hexadecimal) of a population, whatever its order: it fixes what a review asked for."""
    names = [field.name for field in fields(Access)]
    rows = sorted(([getattr(one, name) for name in names] for one in population), key=orjson.dumps)
    return hashlib.sha256(orjson.dumps(rows)).hexdigest()


def assign(
    population: Sequence[Access], owners: Mapping[str, Sequence[str]], named: Sequence[str]
) -> list[tuple[Access, str]]:
    """Return each access with its reviewer: an owner of the team, else one of the named people in turn.

    Nobody reviews their own access.

    Args:
        population: what is reviewed.
        owners: team id → ids of its owners; empty where owners do not review.
        named: ids of the people who review what no owner does.

    Raises:
        ValueError: when an access has nobody else to review it; says whom to name.
    """
    found: list[tuple[Access, str]] = []
    for index, access in enumerate(population):
        mine = owners.get(access.access_id, ()) if access.access_kind == "team" else ()
        able = [one for one in mine if one != access.user_id] or [one for one in named if one != access.user_id]
        if not able:
            raise ValueError(
                f"nobody can review {access.access_name!r} of {access.user_name}: "
                "name a reviewer who is someone else, or give the team another owner"
            )
        found.append((access, able[index % len(able)]))
    return found


def require_lawful(decision: Decision, reason: str, *, reviewer_id: str, access: Access, assigned_to: str) -> None:
    """Refuse a decision that would be worth nothing.

    Raises:
        ValueError: when it is about the reviewer's own access, another's item, or lacks a reason.
    """
    if reviewer_id == access.user_id:
        raise ValueError("nobody reviews their own access; ask the admin who opened the review")
    if reviewer_id != assigned_to:
        raise ValueError(f"the access of {access.user_name} to {access.access_name!r} is another reviewer's to decide")
    if not reason.strip():
        raise ValueError("a decision needs a reason: the auditor reads it")
    Decision(decision)


def task(access: Access, idp: str | None) -> str | None:
    """Return what the identity provider's admin has to do to revoke an access, None where we do it ourselves."""
    if access.managed_by != "identity_provider":
        return None
    where = (idp or "the identity provider").replace("okta", "Okta").replace("entra", "Entra ID")
    if access.access_kind == "team":
        return f"In {where}, remove {access.user_name} from the group {access.access_name!r}."
    return f"In {where}, unassign or deactivate {access.user_name}."
