"""What a write reaches, compared with what its actor holds: the rules of `directory.reach` over the rows."""

from collections.abc import Iterable

import sqlalchemy as sa

from scim_app.directory import reach
from scim_app.directory.reach import REACH, Held, Operation, Power
from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.store.db.settings_tables import grants
from scim_app.store.db.tables import organizations, team_members
from scim_app.store.log.event_log import Unit

_HELD = (grants.c.role, grants.c.scope_kind, grants.c.scope_id)


def require_default_role(unit: Unit, operation: Operation) -> None:
    """Refuse an operation that gives somebody the default role, where that is more than the actor holds.

    Raises:
        NotPermitted: saying so.
    """
    query = sa.select(organizations.c.default_role).where(organizations.c.id == unit.org_id)
    role = Role(unit.connection.execute(query).scalar_one())
    reach.require(unit.actor.authority, operation, [(role, ORGANIZATION)])


def require_user(unit: Unit, operation: Operation, user_id: str) -> None:
    """Refuse an operation on a user who holds more than the actor, by itself or through a team.

    Raises:
        NotPermitted: saying so.
    """
    if REACH[operation] is Power.HOLDER:
        _require(unit, operation, [user_id, *_teams_of(unit, user_id)])


def require_team(unit: Unit, operation: Operation, team_id: str) -> None:
    """Refuse an operation on a team that holds more than the actor.

    Raises:
        NotPermitted: saying so.
    """
    if REACH[operation] is Power.HOLDER:
        _require(unit, operation, [team_id])


def require_return(
    unit: Unit, operation: Operation, resource_id: str, removed_at: str, team_ids: Iterable[str]
) -> None:
    """Refuse to restore a user or a team that would come back with more than the actor holds.

    Args:
        unit: the write.
        operation: what is asked for.
        resource_id: what was removed.
        removed_at: when, which is when it lost its grants.
        team_ids: teams that it would be in again.

    Raises:
        NotPermitted: saying so.
    """
    lost = (grants.c.holder_id == resource_id) & (grants.c.revoked_at == removed_at)
    there = grants.c.revoked_at.is_(None) & grants.c.holder_id.in_([*team_ids, *_teams_of(unit, resource_id)])
    reach.require(unit.actor.authority, operation, _held(unit, lost | there))


def require_grant(unit: Unit, holder_kind: str, holder_id: str, role: Role, scope: Scope) -> None:
    """Refuse to give a role that the actor does not hold, and to give itself one that gives access to others.

    Raises:
        NotPermitted: saying so.
    """
    reach.require(unit.actor.authority, Operation.GRANT_ROLE, [(role, scope)])
    require_another(unit, holder_kind, holder_id, role)


def require_another(unit: Unit, holder_kind: str, holder_id: str, role: Role) -> None:
    """Refuse a person to give itself, alone or with a team, a role that gives access to others.

    Raises:
        NotPermitted: saying so.
    """
    if role.privileged:
        reach.require_another(unit.actor.authority, role, _recipients(unit, holder_kind, holder_id))


def require_other_member(unit: Unit, team_id: str, user_id: str) -> None:
    """Refuse a person to put itself into a team that gives access to others.

    Raises:
        NotPermitted: saying so.
    """
    for role, _ in _held(unit, (grants.c.holder_id == team_id) & grants.c.revoked_at.is_(None)):
        reach.require_another(unit.actor.authority, role, [user_id])


def _require(unit: Unit, operation: Operation, holder_ids: list[str]) -> None:
    live = grants.c.holder_id.in_(holder_ids) & grants.c.revoked_at.is_(None)
    reach.require(unit.actor.authority, operation, _held(unit, live))


def _held(unit: Unit, where: sa.ColumnElement[bool]) -> list[Held]:
    rows = unit.connection.execute(sa.select(*_HELD).where(grants.c.org_id == unit.org_id, where))
    return [(Role(role), Scope(ScopeKind(kind), scope_id)) for role, kind, scope_id in rows]


def _teams_of(unit: Unit, member_id: str) -> list[str]:
    mine = (team_members.c.org_id == unit.org_id) & (team_members.c.member_id == member_id)
    return list(unit.connection.execute(sa.select(team_members.c.team_id).where(mine)).scalars())


def _recipients(unit: Unit, holder_kind: str, holder_id: str) -> list[str]:
    """Return who would have a role that a holder gets; of a team only whether the actor is in it."""
    person = unit.actor.authority.user_id
    if holder_kind == "user" or person is None:
        return [holder_id]
    return [person] if holder_id in _teams_of(unit, person) else []
