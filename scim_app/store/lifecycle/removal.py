"""Removing users and teams, and bringing them back: memberships, grants and owners go and come with them."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from scim_app.directory.events import EventType
from scim_app.directory.kinds import TEAM, USER, Document, Kind
from scim_app.directory.membership import MemberDelta
from scim_app.directory.reach import Operation
from scim_app.directory.replay import State, replay
from scim_app.errors import Conflict, NotFound
from scim_app.store.access import authority, grants
from scim_app.store.db.stamps import instant
from scim_app.store.db.tables import TABLES, events, users
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import members, owners, resources
from scim_app.store.resources.resources import Stored

RESTORABLE = timedelta(days=30)

_DELETED = {USER: EventType.USER_DELETED, TEAM: EventType.TEAM_DELETED}
_RESTORED = {USER: EventType.USER_RESTORED, TEAM: EventType.TEAM_RESTORED}
_RESTORING = {USER: Operation.RESTORE_USER, TEAM: Operation.RESTORE_TEAM}


def remove(unit: Unit, kind: Kind, stored: Stored) -> None:
    """Remove a user or a team: it leaves every team, its grants end, and its history stays."""
    grants.revoke_all(unit, grants.of_holder(stored.id))
    left = members.leave_all(unit, kind, stored.id)
    resources.touch(unit, TEAM, left)
    if kind is TEAM:
        members.drop_team(unit, stored.id)
    owners.forget(unit, stored.id)
    resources.delete(unit, kind, stored, _DELETED[kind], {"teams": left} if left else {})


def removed(connection: sa.Connection, org_id: str, kind: Kind, now: str) -> list[dict[str, Any]]:
    """Return what can still be restored, the latest first: `id`, `name`, `origin`, `deleted_at`."""
    table = TABLES[kind.name]
    name = table.c[kind.attributes[0].column].label("name")
    query = sa.select(table.c.id, name, table.c.origin, table.c.deleted_at).where(
        table.c.org_id == org_id, table.c.deleted_at >= _since(now)
    )
    return [dict(row) for row in connection.execute(query.order_by(table.c.deleted_at.desc())).mappings()]


def restore(unit: Unit, kind: Kind, resource_id: str) -> Stored:
    """Bring a removed user or team back with its id, memberships, grants and owners, and return it; it is local now.

    Raises:
        NotFound: when none of that id was removed within the last 30 days.
        NotPermitted: when it would come back with more than the actor holds; nothing is restored then.
        Conflict: when its name or `externalId` is taken by now.
    """
    table = TABLES[kind.name]
    query = sa.select(table.c.document, table.c.deleted_at, table.c.created_at).where(
        table.c.org_id == unit.org_id, table.c.id == resource_id, table.c.deleted_at >= _since(unit.at)
    )
    row = unit.connection.execute(query).first()
    if row is None:
        raise NotFound(f"no {kind.name} {resource_id!r} was removed within the last {RESTORABLE.days} days")
    left = _left(unit, resource_id) if kind is USER else []
    authority.require_return(unit, _RESTORING[kind], resource_id, row.deleted_at, left)
    document: Document = orjson.loads(row.document)
    if resources.find_taken(unit.connection, unit.org_id, kind, document):
        raise Conflict(f"another {kind.name} is called {document[kind.unique]!r} by now: rename it first")
    change: dict[str, Any] = {"origin": "local", "created_at": row.created_at}
    before = _before_removal(unit, resource_id) if kind is TEAM else State()
    change |= _restore_members(unit, resource_id, before)
    stored = resources.revive(unit, kind, resource_id, document, _RESTORED[kind], change)
    for user_id in before.owners.get(resource_id, {}):
        owners.add_if_there(unit, stored, user_id)
    if kind is USER:
        members.come_back(unit, resource_id)
        _rejoin(unit, resource_id, left)
    grants.grant_again(unit, resource_id, row.deleted_at)
    return stored


def _restore_members(unit: Unit, team_id: str, before: State) -> dict[str, Any]:
    held = before.members.get(team_id, {})
    gone = sa.select(users.c["id"]).where(users.c.org_id == unit.org_id, users.c.deleted_at.is_not(None))
    left = set(unit.connection.execute(gone).scalars()) if held else set[str]()
    changed = members.apply(unit, team_id, MemberDelta.add(*(m for m in held if m not in left)), origin="manual")
    return {"members": {**changed, "origin": "manual"}} if changed else {}


def _rejoin(unit: Unit, user_id: str, team_ids: list[str]) -> None:
    """Put a restored user back into its teams that are still there."""
    for team_id in team_ids:
        team = resources.find(unit.connection, unit.org_id, TEAM, team_id)
        if team:
            members.change(unit, team, MemberDelta.add(user_id))


def _left(unit: Unit, user_id: str) -> list[str]:
    """Return the teams that a user left by its removal."""
    query = (
        sa.select(events.c.change)
        .where(
            events.c.org_id == unit.org_id,
            events.c.subject_id == user_id,
            events.c.type == EventType.USER_DELETED.value,
        )
        .order_by(events.c.seq.desc())
        .limit(1)
    )
    change = orjson.loads(unit.connection.execute(query).scalar_one() or "{}")
    return list(change.get("teams", ()))


def _before_removal(unit: Unit, team_id: str) -> State:
    """Return the state that a team's own events give, up to its removal."""
    query = (
        sa.select(events).where(events.c.org_id == unit.org_id, events.c.subject_id == team_id).order_by(events.c.seq)
    )
    rows = [
        {**row, "change": orjson.loads(row["change"] or "null"), "document": orjson.loads(row["document"] or "null")}
        for row in unit.connection.execute(query).mappings()
    ]
    while rows and rows[-1]["type"] != EventType.TEAM_DELETED:
        rows.pop()
    return replay(rows[:-1])


def _since(now: str) -> str:
    return instant(datetime.fromisoformat(now) - RESTORABLE)
