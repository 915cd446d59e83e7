"""Deployments and code locations: where roles hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_app.directory.access import Place, Places, code_location_place, deployment_place
from scim_app.directory.events import Event, EventType
from scim_app.directory.roles import Scope, ScopeKind
from scim_app.errors import Conflict, NotFound
from scim_app.store.access import grants
from scim_app.store.db.settings_tables import code_locations, deployments
from scim_app.store.db.stamps import new_id
from scim_app.store.log.event_log import Unit

KINDS = ("full", "branch")


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment. `kind` is `full` or `branch`; times are ISO 8601 in UTC."""

    id: str
    name: str
    kind: str
    created_at: str


@dataclass(frozen=True, slots=True)
class CodeLocation:
    """A code location of a deployment."""

    id: str
    name: str
    deployment_id: str
    created_at: str


def list_deployments(connection: sa.Connection, org_id: str) -> list[Deployment]:
    """Return the deployments, full ones first, in order of name."""
    columns = [deployments.c[name] for name in Deployment.__slots__]
    query = sa.select(*columns).where(deployments.c.org_id == org_id, deployments.c.removed_at.is_(None))
    rows = connection.execute(query.order_by(deployments.c.kind.desc(), deployments.c.name))
    return [Deployment(*row) for row in rows]


def list_code_locations(connection: sa.Connection, org_id: str) -> list[CodeLocation]:
    """Return the code locations in order of deployment and name."""
    columns = [code_locations.c[name] for name in CodeLocation.__slots__]
    query = sa.select(*columns).where(code_locations.c.org_id == org_id, code_locations.c.removed_at.is_(None))
    rows = connection.execute(query.order_by(code_locations.c.deployment_id, code_locations.c.name))
    return [CodeLocation(*row) for row in rows]


def places(connection: sa.Connection, org_id: str) -> Places:
    """Return all places where a grant can hold, with what contains them."""
    deployed = {one.id: deployment_place(one.id, one.name, one.kind) for one in list_deployments(connection, org_id)}
    located = [
        code_location_place(one.id, one.name, deployed[one.deployment_id])
        for one in list_code_locations(connection, org_id)
    ]
    found: Iterable[Place] = (*deployed.values(), *located)
    return Places({place.scope: place for place in found})


def add_deployment(unit: Unit, name: str, kind: str = "full") -> Deployment:
    """Add a deployment and return it.

    Raises:
        ValueError: when the name is empty or the kind is not `full` or `branch`.
        Conflict: when there is one of that name.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of deployment: use full or branch")
    name = _named(name, "deployment")
    if any(one.name == name for one in list_deployments(unit.connection, unit.org_id)):
        raise Conflict(f"there is a deployment {name!r} already")
    return Deployment(_insert(unit, deployments, "deployment", {"name": name, "kind": kind}), name, kind, unit.at)


def add_code_location(unit: Unit, deployment_id: str, name: str) -> CodeLocation:
    """Add a code location to a deployment and return it.

    Raises:
        ValueError: when the name is empty.
        NotFound: when there is no such deployment.
        Conflict: when the deployment has one of that name.
    """
    name = _named(name, "code location")
    deployment = get_deployment(unit.connection, unit.org_id, deployment_id)
    there = [one for one in list_code_locations(unit.connection, unit.org_id) if one.deployment_id == deployment.id]
    if any(one.name == name for one in there):
        raise Conflict(f"the deployment {deployment.name!r} has a code location {name!r} already")
    told = {"name": name, "deployment_id": deployment.id}
    return CodeLocation(_insert(unit, code_locations, "code_location", told), name, deployment.id, unit.at)


def remove_deployment(unit: Unit, deployment_id: str) -> None:
    """Remove a deployment with its code locations and the grants on them.

    Raises:
        NotFound: when there is no such deployment.
    """
    deployment = get_deployment(unit.connection, unit.org_id, deployment_id)
    for one in list_code_locations(unit.connection, unit.org_id):
        if one.deployment_id == deployment.id:
            remove_code_location(unit, one.id)
    grants.revoke_all(unit, grants.on_scope(deployment.id))
    told = {"name": deployment.name, "kind": deployment.kind}
    _remove(unit, deployments, "deployment", deployment.id, told)


def remove_code_location(unit: Unit, code_location_id: str) -> None:
    """Remove a code location and the grants on it.

    Raises:
        NotFound: when there is no such code location.
    """
    found = next((one for one in list_code_locations(unit.connection, unit.org_id) if one.id == code_location_id), None)
    if found is None:
        raise NotFound(f"there is no code location {code_location_id!r}; see `dagster-scim deployment list`")
    grants.revoke_all(unit, grants.on_scope(found.id))
    told = {"name": found.name, "deployment_id": found.deployment_id}
    _remove(unit, code_locations, "code_location", found.id, told)


def get_deployment(connection: sa.Connection, org_id: str, deployment: str) -> Deployment:
    """Return a deployment by its id or its name.

    Raises:
        NotFound: when there is none.
    """
    for one in list_deployments(connection, org_id):
        if deployment in (one.id, one.name):
            return one
    raise NotFound(f"there is no deployment {deployment!r}; see `dagster-scim deployment list`")


def take_over(unit: Unit, deployment: str, names: Iterable[str]) -> list[CodeLocation]:
    """Add the code locations that a deployment lacks, and the deployment where there is none; return those added."""
    try:
        held = get_deployment(unit.connection, unit.org_id, deployment)
    except NotFound:
        held = add_deployment(unit, deployment)
    there = {one.name for one in list_code_locations(unit.connection, unit.org_id) if one.deployment_id == held.id}
    return [add_code_location(unit, held.id, name) for name in sorted(set(names) - there)]


def scope_named(connection: sa.Connection, org_id: str, name: str) -> Scope:
    """Return the scope of a name: `organization`, `all-branch-deployments`, a deployment, or DEPLOYMENT/LOCATION.

    Raises:
        NotFound: when there is no such deployment or code location.
    """
    wide = name.replace("-", "_")
    if wide in (ScopeKind.ORGANIZATION, ScopeKind.ALL_BRANCH_DEPLOYMENTS):
        return Scope(ScopeKind(wide))
    deployment, slash, location = name.partition("/")
    held = get_deployment(connection, org_id, deployment)
    if not slash:
        return Scope(ScopeKind.DEPLOYMENT, held.id)
    for one in list_code_locations(connection, org_id):
        if one.deployment_id == held.id and location in (one.id, one.name):
            return Scope(ScopeKind.CODE_LOCATION, one.id)
    raise NotFound(f"the deployment {held.name!r} has no code location {location!r}")


def _insert(unit: Unit, table: sa.Table, kind: str, told: Mapping[str, Any]) -> str:
    place_id = new_id()
    row = {"org_id": unit.org_id, "id": place_id, **told, "created_at": unit.at}
    unit.connection.execute(sa.insert(table), row)
    event = EventType.DEPLOYMENT_ADDED if kind == "deployment" else EventType.CODE_LOCATION_ADDED
    unit.record(_event(event, kind, place_id, told))
    return place_id


def _remove(unit: Unit, table: sa.Table, kind: str, place_id: str, told: Mapping[str, Any]) -> None:
    mine = (table.c.org_id == unit.org_id) & (table.c.id == place_id)
    unit.connection.execute(sa.update(table).where(mine).values(removed_at=unit.at))
    event = EventType.DEPLOYMENT_REMOVED if kind == "deployment" else EventType.CODE_LOCATION_REMOVED
    unit.record(_event(event, kind, place_id, told))


def _event(event: EventType, kind: str, place_id: str, told: Mapping[str, Any]) -> Event:
    change = {kind: {f"{kind}_id": place_id, **told}}
    return Event(type=event, subject_kind=kind, subject_id=place_id, subject_name=told["name"], change=change)


def _named(name: str, what: str) -> str:
    name = name.strip()
    if not name:
        raise ValueError(f"a {what} needs a name")
    return name
