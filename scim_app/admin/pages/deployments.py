"""Deployments and code locations: added by hand, or read from a running Dagster."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from scim_app.admin.dagster_instance import DagsterUnreadable, read_code_locations
from scim_app.admin.guard import PageRoute
from scim_app.admin.visits import Visit, allowed
from scim_app.admin.wording import plural
from scim_app.directory.permissions import Permission
from scim_app.store.access import places

router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.SEE_USERS)]
Manage = Annotated[Visit, allowed(Permission.MANAGE_DEPLOYMENTS)]


@router.get("/{org}/settings/deployments")
def show_deployments(visit: See) -> Response:
    """Show where roles can be granted."""
    return _page(visit)


@router.post("/{org}/settings/deployments")
def add_deployment(visit: Manage) -> Response:
    """Add a deployment."""
    name = visit.field("name")
    added, problem = visit.attempt(lambda unit: places.add_deployment(unit, name, visit.field("kind")))
    return visit.go("deployments", f"The deployment {name} was added.") if added else _page(visit, problem)


@router.post("/{org}/settings/deployments/read")
def read_locations(visit: Manage) -> Response:
    """Read the code locations of the Dagster instance of the settings, and add those that are new to a deployment."""
    name = visit.field("name")
    try:
        names = read_code_locations(str(visit.site.settings.dagster_url))
    except DagsterUnreadable as problem:
        return _page(visit, str(problem))

    added, problem = visit.attempt(lambda unit: places.take_over(unit, name, names))
    if added is None:
        return _page(visit, problem)
    return visit.go("deployments", f"{plural(len(added), 'code location')} of {len(names)} were new.")


@router.post("/{org}/settings/deployments/locations")
def add_location(visit: Manage) -> Response:
    """Add a code location to a deployment."""
    name, deployment = visit.field("name"), visit.field("deployment")
    added, problem = visit.attempt(lambda unit: places.add_code_location(unit, deployment, name))
    return visit.go("deployments", f"The code location {name} was added.") if added else _page(visit, problem)


@router.post("/{org}/settings/deployments/locations/{location_id}/remove")
def remove_location(visit: Manage, location_id: str) -> Response:
    """Remove a code location with the grants on it, after asking."""
    if not visit.confirmed:
        return _ask(visit, "Remove this code location?", "The grants on it end.")
    visit.write(lambda unit: places.remove_code_location(unit, location_id))
    return visit.go("deployments", "The code location was removed, with the grants on it.")


@router.post("/{org}/settings/deployments/{deployment_id}/remove")
def remove_deployment(visit: Manage, deployment_id: str) -> Response:
    """Remove a deployment with its code locations and the grants on them, after asking."""
    deployment = visit.read(lambda db: places.get_deployment(db, visit.org.id, deployment_id))
    if not visit.confirmed:
        return _ask(visit, f"Remove {deployment.name}?", "Its code locations and every grant on them end.")
    visit.write(lambda unit: places.remove_deployment(unit, deployment.id))
    return visit.go("deployments", f"{deployment.name} was removed, with the grants on it.")


def _ask(visit: Visit, question: str, told: str) -> Response:
    back = ("deployments", "Deployments")
    return visit.confirm(question, "Remove", [told], section="deployments", back=back)


def _page(visit: Visit, problem: str = "") -> Response:
    def load(db: sa.Connection) -> list[dict[str, Any]]:
        locations = places.list_code_locations(db, visit.org.id)
        return [
            {
                "id": one.id,
                "name": one.name,
                "kind": one.kind,
                "created_at": one.created_at,
                "locations": [there for there in locations if there.deployment_id == one.id],
            }
            for one in places.list_deployments(db, visit.org.id)
        ]

    shown = {"deployments": visit.read(load), "problem": problem, "dagster_url": str(visit.site.settings.dagster_url)}
    return visit.page("deployments.html", "Deployments", "deployments", 422 if problem else 200, **shown)
