"""Roles, scopes and grants as pages show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import sqlalchemy as sa

from scim_app.directory.access import Access, Places
from scim_app.directory.roles import ORGANIZATION, Grant, Role, Scope, ScopeKind
from scim_app.store.access import access, grants, places
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials.api_keys import ApiKey
from scim_app.store.credentials.tokens import Token
from scim_app.store.log import actors

Credential = TypeVar("Credential", Token, ApiKey)


@dataclass(frozen=True, slots=True)
class ShownGrant:
    """A grant with the names of its parts."""

    id: str
    holder_kind: str
    holder_id: str
    holder: str
    role: str
    where: str
    granted_at: str
    granted_by: str
    """What people call who granted it."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class ShownAccess:
    """A part of effective access and where it comes from."""

    where: str
    role: str
    why: str
    team_id: str | None
    team: str | None


def role_options() -> list[tuple[str, str]]:
    """Return values and labels of the roles, the most permissive first."""
    return [(role.value, role.words) for role in Role]


def scope_name(scope: Scope, found: Places) -> str:
    """Return what a page calls a scope."""
    if scope == ORGANIZATION:
        return "Whole organization"
    if scope.kind is ScopeKind.ALL_BRANCH_DEPLOYMENTS:
        return "All branch deployments"
    return found.name(scope) or "a place that is gone"


def scope_key(scope: Scope) -> str:
    """Return a scope as the value of a form."""
    return f"{scope.kind.value}:{scope.id or ''}"


def scope_of(key: str) -> Scope:
    """Return the scope of a form's value; raises `ValueError` when it is none."""
    kind, _, scope_id = key.partition(":")
    return Scope(ScopeKind(kind), scope_id or None)


def scope_options(found: Places) -> list[tuple[str, str]]:
    """Return values and labels of every place where a role can be granted."""
    wide = [ORGANIZATION, Scope(ScopeKind.ALL_BRANCH_DEPLOYMENTS)]
    return [(scope_key(scope), scope_name(scope, found)) for scope in (*wide, *found.by_scope)]


def show_grant(grant: Grant, found: Places, makers: Mapping[str, str], holder: str = "") -> ShownGrant:
    """Return a grant with the names of its parts, given what people call those who made grants."""
    return ShownGrant(
        grant.grant_id,
        grant.holder_kind,
        grant.holder_id,
        holder,
        grant.role.value,
        scope_name(grant.scope, found),
        grant.granted_at,
        makers.get(grant.granted_by, grant.granted_by),
        grant.reason,
    )


def grants_of(db: sa.Connection, org: Organization, holder_id: str) -> list[ShownGrant]:
    """Return the grants that a user or a team holds itself."""
    held = grants.find(db, org.id, grants.of_holder(holder_id))
    found = places.places(db, org.id) if held else Places()
    makers = makers_of(db, org, held)
    return [show_grant(grant, found, makers) for grant in held]


def makers_of(db: sa.Connection, org: Organization, held: Iterable[Grant]) -> dict[str, str]:
    """Return what people call those who made some grants."""
    return actors.names(db, org.id, (grant.granted_by for grant in held))


def with_makers(db: sa.Connection, org: Organization, rows: Sequence[Credential]) -> list[Credential]:
    """Return tokens or keys that say what people call who made them."""
    names = actors.names(db, org.id, (row.created_by for row in rows if row.created_by))
    return [replace(row, created_by=names.get(row.created_by or "", row.created_by)) for row in rows]


def show_access(standing: access.Standing) -> list[ShownAccess]:
    """Return a user's effective access, each part with its source."""
    return [_show(part, standing.places, standing.teams) for part in standing.access]


def _show(part: Access, found: Places, teams: Mapping[str, str]) -> ShownAccess:
    team_id = part.source_id if part.source == "team" else None
    why = "the default role of the organization" if part.source == "default" else "by own grant"
    name = teams.get(team_id) if team_id else None
    return ShownAccess(scope_name(part.scope, found), part.role.value, why, team_id, name)
