"""Settings in the API: the SCIM switch, default role, seats, and the emergency account."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter

from scim_app.admin.api.bodies import Changes, Password, Switch
from scim_app.admin.api.callers import Caller, needs
from scim_app.admin.api.problems import ApiRoute
from scim_app.directory.permissions import Permission
from scim_app.store.access import admission, organization_settings
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials import break_glass

router = APIRouter(prefix="/{org}/api", tags=["settings"], route_class=ApiRoute)
See = Annotated[Caller, needs(Permission.SEE_USERS)]
Manage = Annotated[Caller, needs(Permission.MANAGE_SETTINGS)]
Emergency = Annotated[Caller, needs(Permission.MANAGE_CREDENTIALS, recent=True)]
NoEmergency = Annotated[Caller, needs(Permission.MANAGE_CREDENTIALS)]
Scim = Annotated[Caller, needs(Permission.MANAGE_SCIM)]


@router.get("/settings")
def get_settings(caller: See) -> dict[str, Any]:
    """Show the organization's settings."""
    return _shown(caller, caller.organization)


@router.patch("/settings")
def change_settings(caller: Manage, body: Changes) -> dict[str, Any]:
    """Change settings; those left out stay, and a `seat_limit` of null is none."""
    values = {name: getattr(body, name) for name in body.model_fields_set}
    return _shown(caller, caller.write(organization_settings.change, **values))


@router.put("/scim")
def switch_scim(caller: Scim, body: Switch) -> dict[str, Any]:
    """Switch SCIM provisioning on or off; users and teams stay as they are."""
    return _shown(caller, caller.write(organization_settings.switch_scim, on=body.enabled))


@router.put("/break-glass", status_code=HTTPStatus.NO_CONTENT)
def enable_break_glass(caller: Emergency, body: Password) -> None:
    """Switch the emergency account on, or give it another password."""
    caller.write(break_glass.enable, body.password)


@router.delete("/break-glass", status_code=HTTPStatus.NO_CONTENT)
def disable_break_glass(caller: NoEmergency) -> None:
    """Switch the emergency account off."""
    caller.write(break_glass.disable)


def _shown(caller: Caller, organization: Organization) -> dict[str, Any]:
    return asdict(organization) | {
        "scim_base_url": caller.site.settings.scim_base_url(organization.slug),
        "seats_taken": caller.read(admission.seats_taken),
    }
