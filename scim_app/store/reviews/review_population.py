"""Which accesses a review asks for: read from the live tables under the organization's lock, so at one event."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scim_app.directory.reviews import Access, ReviewScope
from scim_app.directory.roles import Role
from scim_app.store.db.settings_tables import grants, team_owners
from scim_app.store.db.tables import team_members, teams, users

_PRIVILEGED = {role.value for role in Role if role.privileged}


def population(connection: sa.Connection, org_id: str, scope: ReviewScope, team_ids: Sequence[str]) -> list[Access]:
    """Return the accesses of active accounts in a scope, in the order of user name and access."""
    held = [*_teams(connection, org_id), *_roles(connection, org_id)]
    if scope is ReviewScope.TEAMS:
        held = [one for one in held if one.access_kind == "team" and one.access_id in team_ids]
    elif scope is ReviewScope.PRIVILEGED:
        held = [one for one in held if one.privileged]
    else:
        held += _bare_accounts(connection, org_id, {one.user_id for one in held})
    return sorted(held, key=lambda one: (one.user_name, one.access_kind, one.access_name, one.access_id))


def owners(connection: sa.Connection, org_id: str) -> dict[str, list[str]]:
    """Return the ids of the active owners of each team, by team id, those who own it longest first."""
    query = (
        sa.select(team_owners.c.team_id, team_owners.c.user_id)
        .join(users, (users.c.org_id == team_owners.c.org_id) & (users.c.id == team_owners.c.user_id))
        .where(team_owners.c.org_id == org_id, _active())
        .order_by(team_owners.c.team_id, team_owners.c.since, team_owners.c.user_id)
    )
    found: dict[str, list[str]] = {}
    for team_id, user_id in connection.execute(query):
        found.setdefault(team_id, []).append(user_id)
    return found


def _active() -> sa.ColumnElement[bool]:
    return users.c.deleted_at.is_(None) & users.c.active


def _person(row: Any) -> dict[str, Any]:
    return {"user_id": row.user_id, "user_name": row.user_name, "display_name": row.display_name}


_USER = (users.c.id.label("user_id"), users.c.user_name, users.c.display_name)


def _teams(connection: sa.Connection, org_id: str) -> list[Access]:
    best = _best_roles(connection, org_id)
    query = (
        sa.select(*_USER, teams.c.id.label("team_id"), teams.c.display_name.label("team"), team_members.c.origin)
        .join(team_members, (team_members.c.org_id == users.c.org_id) & (team_members.c.member_id == users.c.id))
        .join(teams, (teams.c.org_id == users.c.org_id) & (teams.c.id == team_members.c.team_id))
        .where(users.c.org_id == org_id, _active(), teams.c.deleted_at.is_(None))
    )
    return [
        Access(
            **_person(row),
            access_kind="team",
            access_id=row.team_id,
            access_name=row.team,
            role=best.get(row.team_id),
            managed_by=_manager(row.origin),
            privileged=best.get(row.team_id) in _PRIVILEGED,
        )
        for row in connection.execute(query)
    ]


def _best_roles(connection: sa.Connection, org_id: str) -> dict[str, str]:
    """Return the most permissive role that each team gives, by team id."""
    query = sa.select(grants.c.holder_id, grants.c.role).where(
        grants.c.org_id == org_id, grants.c.holder_kind == "team", grants.c.revoked_at.is_(None)
    )
    rows = sorted(connection.execute(query), key=lambda row: Role(row.role).rank, reverse=True)
    return {row.holder_id: row.role for row in rows}


def _roles(connection: sa.Connection, org_id: str) -> list[Access]:
    query = (
        sa.select(*_USER, grants.c.id.label("grant_id"), grants.c.role, grants.c.scope_kind)
        .join(grants, (grants.c.org_id == users.c.org_id) & (grants.c.holder_id == users.c.id))
        .where(users.c.org_id == org_id, _active(), grants.c.holder_kind == "user", grants.c.revoked_at.is_(None))
    )
    return [
        Access(
            **_person(row),
            access_kind="role",
            access_id=row.grant_id,
            access_name=f"{Role(row.role).words} ({row.scope_kind.replace('_', ' ')})",
            role=row.role,
            managed_by="dagster-scim",
            privileged=row.role in _PRIVILEGED,
        )
        for row in connection.execute(query)
    ]


def _bare_accounts(connection: sa.Connection, org_id: str, known: set[str]) -> list[Access]:
    query = sa.select(*_USER, users.c.origin).where(users.c.org_id == org_id, _active())
    return [
        Access(
            **_person(row),
            access_kind="account",
            access_id=row.user_id,
            access_name="account without a team",
            role=None,
            managed_by=_manager(row.origin),
            privileged=False,
        )
        for row in connection.execute(query)
        if row.user_id not in known
    ]


def _manager(origin: str) -> str:
    return "identity_provider" if origin == "scim" else "dagster-scim"
