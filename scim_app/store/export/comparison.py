"""Whether the live tables tell what the event log tells."""

from typing import Any

import orjson
import sqlalchemy as sa

from scim_app.directory.replay import State
from scim_app.store.db.settings_tables import code_locations, deployments, grants, team_owners
from scim_app.store.db.tables import TABLES, organizations, team_members
from scim_app.store.export import derived

Told = dict[Any, Any]


def differing(connection: sa.Connection, org_id: str, state: State) -> list[str]:
    """Return the ids of what the live tables and a replayed state tell differently."""
    found = _unequal(_documents(connection, org_id, "user"), {k: r.document for k, r in state.users.items()})
    found |= _unequal(_documents(connection, org_id, "team"), {k: r.document for k, r in state.teams.items()})
    members = _rows(connection, org_id, team_members, ("team_id", "member_id"), ("since", "origin"))
    told = {(t, m): (held.since, held.origin) for t, there in state.members.items() for m, held in there.items()}
    found |= {team for team, _ in _unequal(members, told)}
    found |= {row[0] for row in derived.miscounted_teams(connection, org_id)}
    owners = _rows(connection, org_id, team_owners, ("team_id", "user_id"), ("since",))
    found |= {t for t, _ in _unequal(owners, {(t, u): (s,) for t, us in state.owners.items() for u, s in us.items()})}
    found |= _differing_places(connection, org_id, state) | _differing_grants(connection, org_id, state)
    settings = connection.execute(sa.select(organizations).where(organizations.c.id == org_id)).mappings().one()
    # The log may tell of settings that a later release has.
    if any(settings[name] != value for name, value in state.settings.items() if name in settings):
        found.add(org_id)
    return sorted(found)


def _differing_places(connection: sa.Connection, org_id: str, state: State) -> set[str]:
    found: set[str] = set()
    for table, told in ((deployments, state.deployments), (code_locations, state.code_locations)):
        names = ("name", "kind" if table is deployments else "deployment_id")
        live = _rows(connection, org_id, table, ("id",), names)
        found |= {key for (key,) in _unequal(live, {(k,): tuple(row[n] for n in names) for k, row in told.items()})}
    return found


def _differing_grants(connection: sa.Connection, org_id: str, state: State) -> set[str]:
    columns = ("holder_kind", "holder_id", "role", "scope_kind", "scope_id", "granted_at", "granted_by", "reason")
    live = _rows(connection, org_id, grants, ("id",), columns)
    told = {
        (key,): (
            *(grant.holder_kind, grant.holder_id, grant.role, grant.scope.kind, grant.scope.id),
            *(grant.granted_at, grant.granted_by, grant.reason),
        )
        for key, grant in state.grants.items()
    }
    return {key for (key,) in _unequal(live, told)}


def _documents(connection: sa.Connection, org_id: str, kind: str) -> Told:
    return {
        key: orjson.loads(text)
        for (key,), (text,) in _rows(connection, org_id, TABLES[kind], ("id",), ("document",)).items()
    }


def _rows(
    connection: sa.Connection, org_id: str, table: sa.Table, keys: tuple[str, ...], values: tuple[str, ...]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Return the live rows of a table: key columns → value columns."""
    query = sa.select(*(table.c[name] for name in (*keys, *values))).where(table.c.org_id == org_id)
    for ending in {"deleted_at", "removed_at", "revoked_at"} & set(table.c.keys()):
        query = query.where(table.c[ending].is_(None))
    cut = len(keys)
    return {tuple(row[:cut]): tuple(row[cut:]) for row in connection.execute(query)}


def _unequal(live: Told, told: Told) -> set[Any]:
    return {key for key in live.keys() | told.keys() if key not in live or live.get(key) != told.get(key)}
