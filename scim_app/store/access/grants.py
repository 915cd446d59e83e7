"""Role grants: who holds which role where. SCIM never changes one."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.roles import Grant, Role, Scope, ScopeKind, require_grantable
from scim_app.errors import NotFound
from scim_app.store.access import admins, authority
from scim_app.store.db.settings_tables import code_locations, deployments, grants
from scim_app.store.db.stamps import new_id
from scim_app.store.db.tables import teams, users
from scim_app.store.log import actors
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import resources

_NAMES = ("id", "holder_kind", "holder_id", "role", "scope_kind", "scope_id", "granted_at", "granted_by", "reason")
_COLUMNS = [grants.c[name] for name in _NAMES]
_HOLDERS = {USER.name: USER, TEAM.name: TEAM}


def _joined(table: sa.Table, key: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return (table.c.org_id == grants.c.org_id) & (table.c["id"] == key)


_WITHIN = deployments.alias()
_WITH_NAMES = (
    grants.outerjoin(users, _joined(users, grants.c.holder_id))
    .outerjoin(teams, _joined(teams, grants.c.holder_id))
    .outerjoin(deployments, _joined(deployments, grants.c.scope_id))
    .outerjoin(code_locations, _joined(code_locations, grants.c.scope_id))
    .outerjoin(_WITHIN, (_WITHIN.c.org_id == grants.c.org_id) & (_WITHIN.c["id"] == code_locations.c.deployment_id))
)
_NAMED = (
    sa.func.coalesce(users.c.user_name, teams.c.display_name).label("holder_name"),
    sa.func.coalesce(deployments.c.name, _WITHIN.c.name + "/" + code_locations.c.name).label("scope_name"),
)
Condition = sa.ColumnElement[bool]


def of_holder(holder_id: str) -> Condition:
    """Return the condition of the grants that a user or a team holds itself."""
    return grants.c.holder_id == holder_id


def among(holder_ids: Iterable[str]) -> Condition:
    """Return the condition of the grants that some users or teams hold themselves."""
    return grants.c.holder_id.in_(list(holder_ids))


def is_grant(grant_id: str) -> Condition:
    """Return the condition of one grant."""
    return grants.c.id == grant_id


def on_scope(scope_id: str) -> Condition:
    """Return the condition of the grants on a deployment or a code location."""
    return grants.c.scope_id == scope_id


def find(connection: sa.Connection, org_id: str, where: Condition | None = None) -> list[Grant]:
    """Return the live grants that meet a condition, in the order in which they were made."""
    query = sa.select(*_COLUMNS).where(grants.c.org_id == org_id, grants.c.revoked_at.is_(None))
    if where is not None:
        query = query.where(where)
    return [_grant(row) for row in connection.execute(query.order_by(grants.c.granted_at, grants.c.id))]


def rows(connection: sa.Connection, org_id: str, where: Condition | None = None) -> list[dict[str, Any]]:
    """Return the live grants that meet a condition with the names of holders, scopes and who granted them."""
    query = (
        sa.select(*_COLUMNS, *_NAMED)
        .select_from(_WITH_NAMES)
        .where(grants.c.org_id == org_id, grants.c.revoked_at.is_(None))
        .order_by(grants.c.granted_at, grants.c.id)
    )
    found = connection.execute(query if where is None else query.where(where)).mappings().all()
    makers = actors.principals(connection, org_id, (row["granted_by"] for row in found))
    return [_named_row(row, makers[row["granted_by"]]) for row in found]


def get(connection: sa.Connection, org_id: str, grant_id: str) -> Grant:
    """Return a live grant.

    Raises:
        NotFound: when there is none of that id.
    """
    found = find(connection, org_id, is_grant(grant_id))
    if not found:
        raise NotFound(f"there is no grant {grant_id!r}; `dagster-scim role list` lists those there are")
    return found[0]


def grant(
    unit: Unit, holder_kind: str, holder_id: str, role: Role, scope: Scope, *, reason: str | None = None
) -> Grant:
    """Give a role to a user or a team and return the grant; it takes the place of the one on the same scope.

    Raises:
        ValueError: when the grant makes no sense.
        NotFound: when the holder, the deployment or the code location does not exist.
        NotPermitted: when the actor does not hold the role, or would give one of access to others to itself.
        Refused: when it would take away the last Organization Admin.
    """
    require_grantable(role, scope)
    authority.require_grant(unit, holder_kind, holder_id, role, scope)
    name = _require_holder(unit, holder_kind, holder_id)
    _require_scope(unit, scope)
    same = grants.c.scope_id.is_(None) if scope.id is None else grants.c.scope_id == scope.id
    held = find(
        unit.connection,
        unit.org_id,
        of_holder(holder_id) & (grants.c.scope_kind == scope.kind.value) & same,
    )
    if held and held[0].role is role:
        return held[0]
    with admins.keeping_an_admin(unit):
        for before in held:
            _end(unit, before, name)
        return _insert(unit, holder_kind, holder_id, role, scope, name, reason)


def revoke(unit: Unit, grant_id: str) -> None:
    """Take a role away.

    Raises:
        NotFound: when there is no such grant.
        Refused: when it is that of the last Organization Admin.
    """
    found = get(unit.connection, unit.org_id, grant_id)
    with admins.keeping_an_admin(unit):
        _end(unit, found, _holder_name(unit, found))


def revoke_all(unit: Unit, where: Condition) -> None:
    """Take every role away that meets a condition, because its holder or its scope goes."""
    for found in find(unit.connection, unit.org_id, where):
        _end(unit, found, _holder_name(unit, found))


def grant_again(unit: Unit, holder_id: str, lost_at: str) -> None:
    """Give a holder back what it lost at a moment; not the roles on deployments that are gone."""
    lost = sa.select(*_COLUMNS).where(
        grants.c.org_id == unit.org_id, grants.c.holder_id == holder_id, grants.c.revoked_at == lost_at
    )
    for found in [_grant(row) for row in unit.connection.execute(lost)]:
        authority.require_another(unit, found.holder_kind, holder_id, found.role)
        try:
            _require_scope(unit, found.scope)
        except NotFound:
            continue
        name = _holder_name(unit, found)
        _insert(unit, found.holder_kind, holder_id, found.role, found.scope, name, found.reason)


def _insert(
    unit: Unit, holder_kind: str, holder_id: str, role: Role, scope: Scope, name: str | None, reason: str | None
) -> Grant:
    made = Grant(
        grant_id=new_id(),
        holder_kind=holder_kind,
        holder_id=holder_id,
        role=role,
        scope=scope,
        granted_at=unit.at,
        granted_by=unit.actor.name,
        reason=reason or None,
    )
    row = _told(made) | {"org_id": unit.org_id, "id": made.grant_id, "granted_at": unit.at}
    unit.connection.execute(sa.insert(grants), row | {"granted_by": made.granted_by})
    unit.record(_event(EventType.ROLE_GRANTED, made, name))
    return made


def _end(unit: Unit, found: Grant, name: str | None) -> None:
    mine = (grants.c.org_id == unit.org_id) & (grants.c.id == found.grant_id)
    unit.connection.execute(sa.update(grants).where(mine).values(revoked_at=unit.at))
    unit.record(_event(EventType.ROLE_REVOKED, found, name))


def _named_row(row: Any, maker: tuple[str, str]) -> dict[str, Any]:
    named = {"scope_name": row["scope_name"] or row["scope_kind"].replace("_", " ")}
    named |= {"granted_by": maker[0], "granted_by_name": maker[1]}
    return {"grant_id": row["id"], **{name: row[name] for name in row if name != "id"}, **named}


def _event(kind: EventType, found: Grant, name: str | None) -> Event:
    change = {"grant": {"grant_id": found.grant_id, **_told(found)}}
    return Event(type=kind, subject_kind="grant", subject_id=found.grant_id, subject_name=name, change=change)


def _told(found: Grant) -> dict[str, Any]:
    return {
        "holder_kind": found.holder_kind,
        "holder_id": found.holder_id,
        "role": found.role.value,
        "scope_kind": found.scope.kind.value,
        "scope_id": found.scope.id,
        "reason": found.reason,
    }


def _grant(row: Any) -> Grant:
    grant_id, holder_kind, holder_id, role, scope_kind, scope_id, granted_at, granted_by, reason = row
    return Grant(
        grant_id=grant_id,
        holder_kind=holder_kind,
        holder_id=holder_id,
        role=Role(role),
        scope=Scope(ScopeKind(scope_kind), scope_id),
        granted_at=granted_at,
        granted_by=granted_by,
        reason=reason,
    )


def _require_holder(unit: Unit, holder_kind: str, holder_id: str) -> str:
    kind = _HOLDERS.get(holder_kind)
    if kind is None:
        raise ValueError(f"{holder_kind!r} can't hold a role: use user or team")
    stored = resources.find(unit.connection, unit.org_id, kind, holder_id)
    if stored is None:
        raise NotFound(f"there is no {holder_kind} {holder_id!r}")
    return str(stored.load()[kind.unique])


def _holder_name(unit: Unit, found: Grant) -> str | None:
    kind = _HOLDERS[found.holder_kind]
    stored = resources.find(unit.connection, unit.org_id, kind, found.holder_id)
    return str(stored.load()[kind.unique]) if stored else None


def _require_scope(unit: Unit, scope: Scope) -> None:
    if scope.id is None:
        return
    table = deployments if scope.kind is ScopeKind.DEPLOYMENT else code_locations
    query = sa.select(table.c.id).where(
        table.c.org_id == unit.org_id, table.c.id == scope.id, table.c.removed_at.is_(None)
    )
    if unit.connection.execute(query).first() is None:
        raise NotFound(f"there is no {scope.kind.value.replace('_', ' ')} {scope.id!r}")
