"""Who holds which role where, for everybody at once: the matrix, and the people behind a number in it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_app.directory.access import Places
from scim_app.directory.roles import ORGANIZATION, Role, Scope
from scim_app.store.organizations import Organization
from scim_app.store.settings_tables import grants
from scim_app.store.tables import team_members, users

Ranks = dict[str, int]
"""User id → rank of the most permissive role (0 is Organization Admin)."""

_ROLES = list(Role)
_RANK = sa.case({role.value: role.rank for role in Role}, value=grants.c.role)


@dataclass(frozen=True, slots=True)
class Person:
    """An active user who holds a role."""

    id: str
    user_name: str
    display_name: str | None

    @property
    def label(self) -> str:
        """What people call the user."""
        return self.display_name or self.user_name


def highest_role_is(org: Organization, role: Role) -> sa.ColumnElement[bool]:
    """Return the condition of the users whose most permissive role anywhere, the default included, is this one."""
    default = Role(org.default_role).rank
    if role.rank > default:
        return sa.false()
    held = _held(org.id).subquery()
    best = sa.select(held.c.user_id).group_by(held.c.user_id)
    if role.rank == default:
        return users.c.id.not_in(best.having(sa.func.min(held.c.rank) < default))
    return users.c.id.in_(best.having(sa.func.min(held.c.rank) == role.rank))


def matrix(connection: sa.Connection, org: Organization, places: Places) -> dict[Scope, dict[Role, int]]:
    """Return how many active users hold each role in the organization and in each place."""
    ranks = _ranks_by_scope(connection, org.id)
    active = sa.select(sa.func.count()).where(users.c.org_id == org.id, users.c.deleted_at.is_(None), users.c.active)
    everybody: int = connection.execute(active).scalar_one()
    return {
        scope: _count(_ranks_in(scope, places, ranks), everybody, Role(org.default_role))
        for scope in (ORGANIZATION, *places.by_scope)
    }


def holders(
    connection: sa.Connection, org: Organization, places: Places, scope: Scope, role: Role, limit: int
) -> list[Person]:
    """Return the active users who hold a role in a place, in order of name, at most `limit`."""
    ranks, default = _ranks_in(scope, places, _ranks_by_scope(connection, org.id)), Role(org.default_role).rank
    query = (
        sa.select(users.c.id, users.c.user_name, users.c.display_name)
        .where(users.c.org_id == org.id, users.c.deleted_at.is_(None), users.c.active)
        .order_by(users.c.search_key, users.c.id)
    )
    found: list[Person] = []
    for row in connection.execution_options(yield_per=200).execute(query):
        if min(ranks.get(row.id, default), default) == role.rank:
            found.append(Person(*row))
        if len(found) == limit:
            break
    return found


def _held(org_id: str) -> sa.CompoundSelect[Any, Any, Any, Any]:
    """Return user, scope and rank of every live grant, those of teams once for each member."""
    scope = (grants.c.scope_kind, grants.c.scope_id, _RANK.label("rank"))
    live = (grants.c.org_id == org_id) & grants.c.revoked_at.is_(None)
    own = sa.select(grants.c.holder_id.label("user_id"), *scope).where(live, grants.c.holder_kind == "user")
    through = (
        sa.select(team_members.c.member_id.label("user_id"), *scope)
        .join(
            team_members,
            (team_members.c.org_id == grants.c.org_id) & (team_members.c.team_id == grants.c.holder_id),
        )
        .where(live, grants.c.holder_kind == "team")
    )
    return sa.union_all(own, through)


def _ranks_by_scope(connection: sa.Connection, org_id: str) -> dict[Scope, Ranks]:
    held = _held(org_id).subquery()
    best = (
        sa.select(held.c.scope_kind, held.c.scope_id, held.c.user_id, sa.func.min(held.c.rank))
        .join(users, (users.c.org_id == org_id) & (users.c.id == held.c.user_id))
        .where(users.c.active, users.c.deleted_at.is_(None))
        .group_by(held.c.scope_kind, held.c.scope_id, held.c.user_id)
    )
    found: dict[Scope, Ranks] = {}
    for kind, scope_id, user_id, rank in connection.execute(best):
        found.setdefault(Scope(kind, scope_id), {})[user_id] = rank
    return found


def _ranks_in(scope: Scope, places: Places, ranks: Mapping[Scope, Ranks]) -> Ranks:
    found: Ranks = {}
    for reaching in (scope, *places.within(scope)):
        for user_id, rank in ranks.get(reaching, {}).items():
            found[user_id] = min(rank, found.get(user_id, rank))
    return found


def _count(ranks: Ranks, everybody: int, default: Role) -> dict[Role, int]:
    better = Counter(rank for rank in ranks.values() if rank < default.rank)
    found = {role: better[role.rank] for role in _ROLES}
    found[default] = everybody - sum(better.values())
    return found
