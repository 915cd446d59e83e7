"""Who holds which role where, for everybody at once: the matrix, and the people behind a number in it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_app.directory.access import Places
from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
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


@dataclass(frozen=True, slots=True)
class Standings:
    """Everybody's roles at once. `ranks` has, for each scope, the active users who are granted more than nothing."""

    default: Role
    everybody: int
    """How many users are active."""
    ranks: Mapping[Scope, Ranks]

    def matrix(self, places: Places) -> dict[Scope, dict[Role, int]]:
        """Return how many active users hold each role in the organization and in each place.

        Only those who hold more in a place than in the whole organization are counted anew for it.
        """
        wide = self._best((ORGANIZATION,))
        counted = Counter(wide.values())
        found: dict[Scope, dict[Role, int]] = {}
        for scope in (ORGANIZATION, *places.by_scope):
            here = self._best(tuple(one for one in (scope, *places.within(scope)) if one != ORGANIZATION))
            more = {user: rank for user, rank in here.items() if rank < wide.get(user, len(_ROLES))}
            moved = Counter(wide[user] for user in more if user in wide)
            found[scope] = self._told(counted + Counter(more.values()) - moved)
        return found

    def ranks_in(self, scope: Scope, places: Places) -> Ranks:
        """Return the ranks that hold in a place, of those users who are granted any there or around it."""
        return self._best((scope, *places.within(scope)))

    def _best(self, scopes: tuple[Scope, ...]) -> Ranks:
        found: Ranks = {}
        for scope in scopes:
            for user, rank in self.ranks.get(scope, {}).items():
                found[user] = min(rank, found.get(user, rank))
        return found

    def _told(self, counted: Mapping[int, int]) -> dict[Role, int]:
        better = {role: counted.get(role.rank, 0) for role in _ROLES if role.rank < self.default.rank}
        others = self.everybody - sum(better.values())
        return {role: better.get(role, others if role is self.default else 0) for role in _ROLES}


def read(connection: sa.Connection, org: Organization) -> Standings:
    """Return everybody's roles, from the live grants and who is in which team."""
    held = _held(org.id).subquery()
    best = sa.select(held.c.scope_kind, held.c.scope_id, held.c.user_id, sa.func.min(held.c.rank)).group_by(
        held.c.scope_kind, held.c.scope_id, held.c.user_id
    )
    mine = (users.c.org_id == org.id) & users.c.deleted_at.is_(None) & users.c.active
    active = set(connection.execute(sa.select(users.c.id).where(mine)).scalars())
    scopes: dict[tuple[str, str | None], Ranks] = {}
    for kind, scope_id, user_id, rank in connection.execute(best):
        if user_id in active:
            scopes.setdefault((kind, scope_id), {})[user_id] = rank
    ranks = {Scope(ScopeKind(kind), scope_id): found for (kind, scope_id), found in scopes.items()}
    return Standings(Role(org.default_role), len(active), ranks)


def holders(
    connection: sa.Connection,
    org: Organization,
    standings: Standings,
    places: Places,
    place: tuple[Scope, Role],
    limit: int,
) -> list[Person]:
    """Return the active users who hold a role in a place, in order of name, at most `limit`."""
    (scope, role), default = place, standings.default.rank
    ranks = standings.ranks_in(scope, places)
    query = (
        sa.select(users.c.id, users.c.user_name, users.c.display_name)
        .where(users.c.org_id == org.id, users.c.deleted_at.is_(None), users.c.active)
        .order_by(users.c.search_key, users.c.id)
    )
    found: list[Person] = []
    with connection.execution_options(yield_per=200).execute(query) as rows:
        for row in rows:
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
