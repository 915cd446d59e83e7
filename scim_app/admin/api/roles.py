"""Grants, deployments and code locations in the API."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query

from scim_app.admin.api.bodies import NewCodeLocation, NewDeployment, NewGrant
from scim_app.admin.api.callers import Caller, needs
from scim_app.admin.api.problems import ApiRoute
from scim_app.admin.dagster_instance import read_code_locations
from scim_app.directory.permissions import Permission
from scim_app.store.access import grants, places

router = APIRouter(prefix="/{org}/api", tags=["roles"], route_class=ApiRoute)
See = Annotated[Caller, needs(Permission.SEE_USERS)]
Grant = Annotated[Caller, needs(Permission.GRANT)]
Manage = Annotated[Caller, needs(Permission.MANAGE_DEPLOYMENTS)]


@router.get("/grants")
def list_grants(caller: See, holder: Annotated[str, Query(max_length=200)] = "") -> dict[str, Any]:
    """List the grants, or those of the user or team whose id is `holder`."""
    return {"grants": caller.read(grants.rows, grants.of_holder(holder) if holder else None)}


@router.post("/grants", status_code=HTTPStatus.CREATED)
def grant_role(caller: Grant, body: NewGrant) -> dict[str, Any]:
    """Give a role to a user or a team; it takes the place of the one on the same scope."""
    caller.require_grantable(body.scope)
    made = caller.write(
        grants.grant, body.holder_kind, body.holder_id, body.role, body.scope, reason=body.reason or None
    )
    return caller.read(grants.rows, grants.is_grant(made.grant_id))[0]


@router.delete("/grants/{grant_id}", status_code=HTTPStatus.NO_CONTENT)
def revoke_role(caller: Grant, grant_id: str) -> None:
    """Take a role away."""
    caller.require_grantable(caller.read(grants.get, grant_id).scope)
    caller.write(grants.revoke, grant_id)


@router.get("/deployments")
def list_deployments(caller: See) -> dict[str, Any]:
    """List deployments, each with its code locations."""
    locations = caller.read(places.list_code_locations)
    return {
        "deployments": [
            asdict(one) | {"code_locations": [asdict(there) for there in locations if there.deployment_id == one.id]}
            for one in caller.read(places.list_deployments)
        ]
    }


@router.post("/deployments", status_code=HTTPStatus.CREATED)
def add_deployment(caller: Manage, body: NewDeployment) -> dict[str, Any]:
    """Add a deployment."""
    return asdict(caller.write(places.add_deployment, body.name, body.kind))


@router.delete("/deployments/{deployment_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_deployment(caller: Manage, deployment_id: str) -> None:
    """Remove a deployment with its code locations and the grants on them."""
    caller.write(places.remove_deployment, deployment_id)


@router.post("/deployments/{deployment_id}/code-locations", status_code=HTTPStatus.CREATED)
def add_code_location(caller: Manage, deployment_id: str, body: NewCodeLocation) -> dict[str, Any]:
    """Add a code location to a deployment."""
    return asdict(caller.write(places.add_code_location, deployment_id, body.name))


@router.post("/deployments/{deployment_id}/read")
def read_from_dagster(caller: Manage, deployment_id: str) -> dict[str, Any]:
    """Add the code locations that the Dagster instance of this service's settings has and the deployment lacks."""
    held = caller.read(places.get_deployment, deployment_id)
    found = read_code_locations(str(caller.site.settings.dagster_url))
    return {"added": [asdict(one) for one in caller.write(places.take_over, held.id, found)]}


@router.delete("/code-locations/{code_location_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_code_location(caller: Manage, code_location_id: str) -> None:
    """Remove a code location and the grants on it."""
    caller.write(places.remove_code_location, code_location_id)
