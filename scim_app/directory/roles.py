"""Roles, where they are granted, and who holds them: Dagster's words for what people may do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """A role, the most permissive first: each may do what those after it may."""

    ORGANIZATION_ADMIN = "organization_admin"
    """Manages users, teams, tokens, SCIM and settings; every deployment."""
    ADMIN = "admin"
    """Manages the grants of its deployments."""
    EDITOR = "editor"
    """Changes what runs."""
    LAUNCHER = "launcher"
    """Starts and stops runs."""
    VIEWER = "viewer"
    """Looks at everything."""

    @property
    def rank(self) -> int:
        """0 for the most permissive role."""
        return _RANKS[self]

    @property
    def words(self) -> str:
        """The role as people write it."""
        return self.value.replace("_", " ").title()

    @property
    def privileged(self) -> bool:
        """Whether auditors ask for a reason: it gives access to others."""
        return self in (Role.ORGANIZATION_ADMIN, Role.ADMIN)


_RANKS = {role: rank for rank, role in enumerate(Role)}


class ScopeKind(StrEnum):
    """Where a grant holds."""

    ORGANIZATION = "organization"
    """Every deployment."""
    DEPLOYMENT = "deployment"
    """One deployment and its code locations."""
    CODE_LOCATION = "code_location"
    """One code location."""
    ALL_BRANCH_DEPLOYMENTS = "all_branch_deployments"
    """Every branch deployment."""

    @property
    def named(self) -> bool:
        """Whether the scope has an id."""
        return self in (ScopeKind.DEPLOYMENT, ScopeKind.CODE_LOCATION)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a grant holds; `id` is that of the deployment or code location, else None."""

    kind: ScopeKind
    id: str | None = None


ORGANIZATION = Scope(ScopeKind.ORGANIZATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role that a user or a team holds somewhere."""

    grant_id: str
    holder_kind: str
    """`user` or `team`."""
    holder_id: str
    role: Role
    scope: Scope
    granted_at: str = ""
    granted_by: str = ""
    reason: str | None = None


def require_grantable(role: Role, scope: Scope) -> None:
    """Refuse a grant that makes no sense.

    Raises:
        ValueError: when the scope lacks its id or has one too many, or the role holds for the organization alone.
    """
    if scope.kind.named != (scope.id is not None):
        needs = "needs the id of one" if scope.kind.named else "has no id"
        raise ValueError(f"the scope {scope.kind.value!r} {needs}")
    if role is Role.ORGANIZATION_ADMIN and scope != ORGANIZATION:
        raise ValueError("Organization Admin is a role of the whole organization; grant Admin on a smaller scope")
