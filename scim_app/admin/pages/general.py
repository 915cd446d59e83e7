"""General settings: what holds for everybody in the organization."""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from scim_app.admin.guard import PageRoute
from scim_app.admin.pages.shown import role_options
from scim_app.admin.visits import Visit, allowed
from scim_app.directory.permissions import Permission
from scim_app.directory.roles import Role
from scim_app.directory.thresholds import OF_CONTROLS, THRESHOLDS
from scim_app.store.access import organization_settings
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials import break_glass
from scim_app.store.views import lists

HOUR = 3600
router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.SEE_USERS)]
Change = Annotated[Visit, allowed(Permission.MANAGE_SETTINGS)]
Emergency = Annotated[Visit, allowed(Permission.MANAGE_CREDENTIALS, recent=True)]
NoEmergency = Annotated[Visit, allowed(Permission.MANAGE_CREDENTIALS)]


@router.get("/{org}/settings/general")
def show_general(visit: See) -> Response:
    """Show what holds for everybody."""
    return _form(visit, {})


@router.post("/{org}/settings/general")
def change_general(visit: Change) -> Response:
    """Change what holds for everybody."""
    names = ("name", "default_role", "seat_limit", "user_name_policy", "deprovision_sla_hours")
    sent = {name: visit.field(name) for name in names}
    thresholds = {one.name: visit.field(one.name) for one in OF_CONTROLS if one.name in visit.form}

    def change(unit: Any) -> Any:
        return organization_settings.change(
            unit,
            name=sent["name"],
            default_role=sent["default_role"],
            seat_limit=_number(sent["seat_limit"], "the seat limit") if sent["seat_limit"] else None,
            user_name_policy=sent["user_name_policy"],
            deprovision_sla_seconds=int(_number(sent["deprovision_sla_hours"], "the deadline", float) * HOUR),
            **{name: _number(text, THRESHOLDS[name].words) for name, text in thresholds.items()},
        )

    changed, problem = visit.attempt(change)
    if changed is None:
        return _form(visit, sent | thresholds, problem, 422)
    return visit.go("general", "The settings are saved.")


@router.post("/{org}/settings/general/emergency")
def enable_emergency(visit: Emergency) -> Response:
    """Switch the emergency sign-in on, or give it another password."""
    visit.write(lambda unit: break_glass.enable(unit, visit.form.get("password", "")))
    return visit.go("general", "The emergency sign-in is on. Keep the password where two people can get at it.")


@router.post("/{org}/settings/general/emergency/off")
def disable_emergency(visit: NoEmergency) -> Response:
    """Switch the emergency sign-in off."""
    visit.write(break_glass.disable)
    return visit.go("general", "The emergency sign-in is off.")


def _number(text: str, what: str, kind: Any = int) -> Any:
    try:
        return kind(text.replace(",", "."))
    except ValueError as problem:
        raise ValueError(f"{what} is a number, not {text!r}") from problem


def _current(org: Organization) -> dict[str, Any]:
    return {
        "name": org.name,
        "default_role": org.default_role,
        "seat_limit": org.seat_limit,
        "user_name_policy": org.user_name_policy,
        "deprovision_sla_hours": f"{org.deprovision_sla_seconds / HOUR:g}",
        **{threshold.name: getattr(org, threshold.name) for threshold in OF_CONTROLS},
    }


def _form(visit: Visit, values: dict[str, Any], problem: str = "", status: int = 200) -> Response:
    shown = {
        "values": _current(visit.org) | values,
        "thresholds": OF_CONTROLS,
        "problem": problem,
        "locked": not visit.may(Permission.MANAGE_SETTINGS),
        "default_roles": [pair for pair in role_options() if pair[0] != Role.ORGANIZATION_ADMIN],
        "counts": visit.read(lambda db: lists.count_users(db, visit.org.id)),
        "provider": visit.site.provider.name if visit.site.provider else "",
        "break_glass": visit.read(lambda db: break_glass.find(db, visit.org.id)),
    }
    return visit.page("general.html", "General", "general", status, **shown)
