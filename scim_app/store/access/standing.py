"""Who holds which role where, for everybody at once: the matrix, and the people behind a number in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_app.directory.access import Places
from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.store.access.organizations import Organization
from scim_app.store.db.settings_tables import grants
from scim_app.store.db.tables import team_members, users

Counts = dict[Scope, dict[Role, int]]
"""How many active users hold each role in the organization and in each place."""

People = set[str]
"""Ids of users."""

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
    return _role_is(org, role, _held(org.id))


def holders(
    connection: sa.Connection, org: Organization, places: Places, place: tuple[Scope, Role], limit: int
) -> list[Person]:
    """Return the active users who hold a role in a place, in order of name, at most `limit`."""
    scope, role = place
    query = (
        sa.select(users.c.id, users.c.user_name, users.c.display_name)
        .where(*_active(org.id), _role_is(org, role, _held(org.id, {scope, *places.within(scope)})))
        .order_by(users.c.search_key, users.c.id)
        .limit(limit)
    )
    return [Person(*row) for row in connection.execute(query)]


def matrix(connection: sa.Connection, org: Organization, places: Places) -> Counts:
    """Return how many active users hold each role in the organization and in each place."""
    default, everybody = Role(org.default_role), _everybody(connection, org.id)
    granted = _granted(connection, org.id, everybody)
    wide = granted.get(ORGANIZATION, _nobody())
    # Whoever has nothing but the default stands behind all others.
    without = everybody.difference(*wide)
    exact = [*_each_once(wide), without]
    found: Counts = {}
    for scope in (ORGANIZATION, *places.by_scope):
        numbers = [len(people) for people in exact]
        reach = [granted[one] for one in (scope, *places.within(scope)) if one in granted and one != ORGANIZATION]
        for rank, people in enumerate(_each_once([set().union(*at) for at in zip(*reach, strict=True)])):
            for before in range(rank + 1, len(exact)):
                more = len(people & exact[before])
                numbers[rank] += more
                numbers[before] -= more
        found[scope] = _told(numbers, default, len(everybody))
    return found


def _everybody(connection: sa.Connection, org_id: str) -> People:
    """Return the ids of the active users, read as one text: rows of one column each would cost more than all else."""
    query = sa.select(sa.func.aggregate_strings(users.c.id, ",")).where(*_active(org_id))
    return _ids(connection.execute(query).scalar())


def _granted(connection: sa.Connection, org_id: str, everybody: People) -> dict[Scope, list[People]]:
    """Return, for each scope with grants, the active users of each rank's grants there, by themselves or a team."""
    of_team = (team_members.c.org_id == org_id) & (team_members.c.team_id == grants.c.holder_id)
    members = sa.select(sa.func.aggregate_strings(team_members.c.member_id, ",")).where(of_team).scalar_subquery()
    who = sa.case((grants.c.holder_kind == "user", grants.c.holder_id), else_=members)
    live = (grants.c.org_id == org_id) & grants.c.revoked_at.is_(None)
    found: dict[Scope, list[People]] = {}
    for kind, scope_id, rank, people in connection.execute(
        sa.select(grants.c.scope_kind, grants.c.scope_id, _RANK, who).where(live)
    ):
        found.setdefault(Scope(ScopeKind(kind), scope_id), _nobody())[rank].update(_ids(people) & everybody)
    return found


def _nobody() -> list[People]:
    return [set[str]() for _ in Role]


def _ids(text: str | None) -> People:
    return set(text.split(",")) if text else set()


def _each_once(ranks: list[People]) -> list[People]:
    """Return the people of each rank without those of the ranks before it."""
    seen, found = set[str](), list[People]()
    for people in ranks:
        found.append(people - seen)
        seen |= people
    return found


def _told(numbers: list[int], default: Role, everybody: int) -> dict[Role, int]:
    better = {role: numbers[role.rank] for role in Role if role.rank < default.rank}
    others = everybody - sum(better.values())
    return {role: better.get(role, others if role is default else 0) for role in Role}


def _active(org_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return users.c.org_id == org_id, users.c.deleted_at.is_(None), users.c.active


def _role_is(org: Organization, role: Role, held: sa.CompoundSelect[Any, Any, Any, Any]) -> sa.ColumnElement[bool]:
    """Return the condition of the users whose most permissive role of those held, or the default, is this one."""
    default = Role(org.default_role).rank
    if role.rank > default:
        return sa.false()
    best = _best(held).subquery()
    if role.rank == default:
        return users.c.id.not_in(sa.select(best.c.user_id).where(best.c.rank < default))
    return users.c.id.in_(sa.select(best.c.user_id).where(best.c.rank == role.rank))


def _best(held: sa.CompoundSelect[Any, Any, Any, Any]) -> sa.Select[Any, Any]:
    """Return user and rank of the most permissive role held."""
    every = held.subquery()
    return sa.select(every.c.user_id, sa.func.min(every.c.rank).label("rank")).group_by(every.c.user_id)


def _held(org_id: str, scopes: Iterable[Scope] | None = None) -> sa.CompoundSelect[Any, Any, Any, Any]:
    """Return user, scope and rank of every live grant, or of those on some scopes; those of teams once a member."""
    scope = (grants.c.scope_kind, grants.c.scope_id, _RANK.label("rank"))
    live = (grants.c.org_id == org_id) & grants.c.revoked_at.is_(None)
    if scopes is not None:
        live &= sa.or_(
            *(
                (grants.c.scope_kind == one.kind.value) & (grants.c.scope_id.is_not_distinct_from(one.id))
                for one in scopes
            )
        )
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
