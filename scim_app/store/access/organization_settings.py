"""Settings of an organization: the SCIM switch, the default role, the seat limit, how strict it is, and thresholds."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from scim_app.directory import reach
from scim_app.directory.events import Event, EventType, describe
from scim_app.directory.reach import Operation
from scim_app.directory.roles import ORGANIZATION, Role
from scim_app.directory.thresholds import THRESHOLDS
from scim_app.store.access.organizations import Organization, by_id
from scim_app.store.db.tables import organizations
from scim_app.store.log.event_log import Rules, Unit

CHANGEABLE = ("name", "time_zone", "default_role", "seat_limit", "user_name_policy", *THRESHOLDS)
USER_NAME_POLICIES = ("flag", "strict")


def switch_scim(unit: Unit, *, on: bool) -> Organization:
    """Switch SCIM provisioning on or off and return the organization; users and teams stay as they are."""
    organization = by_id(unit.connection, unit.org_id)
    if organization.scim_enabled != on:
        _update(unit, {"scim_enabled": on})
        unit.record(_event(EventType.SCIM_ENABLED if on else EventType.SCIM_DISABLED, organization, None))
    return by_id(unit.connection, unit.org_id)


def change(unit: Unit, **values: Any) -> Organization:
    """Change settings (`CHANGEABLE`) and return the organization; what is as it was changes nothing.

    Raises:
        ValueError: when there is no such setting, or the value is not one of it.
        NotPermitted: when the default role is to be more permissive than what the actor holds and may grant.
    """
    organization = by_id(unit.connection, unit.org_id)
    for name, value in values.items():
        _require_valid(name, value)
    changed = {name: value for name, value in values.items() if getattr(organization, name) != value}
    default = Role(changed.get("default_role", organization.default_role))
    if default.rank < Role(organization.default_role).rank:
        reach.require(unit.actor.authority, Operation.SET_DEFAULT_ROLE, [(default, ORGANIZATION)])
    if changed:
        before = {name: getattr(organization, name) for name in changed}
        _update(unit, changed)
        unit.record(_event(EventType.SETTINGS_CHANGED, organization, {"attributes": describe(before, changed)}))
    return by_id(unit.connection, unit.org_id)


def _update(unit: Unit, values: dict[str, Any]) -> None:
    mine = organizations.c.id == unit.org_id
    unit.connection.execute(sa.update(organizations).where(mine).values(values))
    unit.rules = unit.rules._replace(**{name: value for name, value in values.items() if name in Rules._fields})


def _event(kind: EventType, organization: Organization, change: dict[str, Any] | None) -> Event:
    return Event(
        type=kind,
        subject_kind="organization",
        subject_id=organization.id,
        subject_name=organization.slug,
        change=change,
    )


def _require_valid(name: str, value: Any) -> None:
    if name not in CHANGEABLE:
        raise ValueError(f"there is no setting {name!r}; there are {', '.join(CHANGEABLE)}")
    if name in THRESHOLDS:
        THRESHOLDS[name].require_valid(value)
        return
    wrong = {
        "name": lambda: not str(value or "").strip() and "the name must not be empty",
        "time_zone": lambda: not _is_zone(value) and f"{value!r} is not a time zone; use an IANA name",
        "default_role": lambda: (
            value not in (role.value for role in Role if role is not Role.ORGANIZATION_ADMIN)
            and f"{value!r} can't be the default role; use viewer, launcher, editor or admin"
        ),
        "seat_limit": lambda: (
            value is not None and not _is_positive(value) and "the seat limit is a number of at least 1, or none"
        ),
        "user_name_policy": lambda: value not in USER_NAME_POLICIES and f"{value!r} is no policy; use flag or strict",
    }[name]()
    if wrong:
        raise ValueError(wrong)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31


def _is_zone(value: Any) -> bool:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        return False
    return True
