"""Who may do what: one table for pages, API and keys. The command line is the operator's and may do everything."""

from collections.abc import Iterable
from enum import StrEnum

from scim_app.directory.access import Access, Places, role_in
from scim_app.directory.roles import ORGANIZATION, Role, Scope


class Permission(StrEnum):
    """What can be allowed."""

    SEE_USERS = "see_users"
    """See users, teams, roles, deployments and the organization's settings."""
    ADD_USERS = "add_users"
    """Add and restore users by hand, which works while SCIM is off."""
    EDIT_USERS = "edit_users"
    """Change the name and the sign-in address of users that are not synced."""
    REMOVE_USERS = "remove_users"
    """Remove users that are not synced."""
    MANAGE_TEAMS = "manage_teams"
    """Make, rename, link, unlink, remove and restore teams; change their members and owners by hand."""
    GRANT = "grant"
    """Grant and revoke roles; an Admin does on its own deployments (`may_grant`)."""
    MANAGE_DEPLOYMENTS = "manage_deployments"
    """Add and remove deployments and code locations."""
    MANAGE_SCIM = "manage_scim"
    """Switch SCIM on and off; see and describe SCIM tokens; read the request log; see how people sign in."""
    MANAGE_SETTINGS = "manage_settings"
    """Change the organization's settings."""
    MANAGE_CREDENTIALS = "manage_credentials"
    """Make, rotate and revoke SCIM tokens; set the emergency password; forget how people sign in. People alone."""
    MANAGE_API_KEYS = "manage_api_keys"
    """Make and revoke keys of the API. People alone."""
    SEE_AUDIT_LOG = "see_audit_log"
    """Read the event log and reports."""


OF_PEOPLE = frozenset({Permission.MANAGE_CREDENTIALS, Permission.MANAGE_API_KEYS})
"""What no API key may: each of these opens a way in that is worth more than any scope."""

_LOOKING = frozenset({Permission.SEE_USERS})

TABLE: dict[Role, frozenset[Permission]] = {
    Role.ORGANIZATION_ADMIN: frozenset(Permission),
    Role.ADMIN: _LOOKING | {Permission.ADD_USERS, Permission.GRANT},
    Role.EDITOR: _LOOKING,
    Role.LAUNCHER: _LOOKING,
    Role.VIEWER: _LOOKING,
}
"""What each role may do, as in Dagster+."""

SCOPES: dict[str, frozenset[Permission]] = {
    "directory:read": _LOOKING,
    "directory:write": _LOOKING
    | {Permission.ADD_USERS, Permission.EDIT_USERS, Permission.REMOVE_USERS, Permission.MANAGE_TEAMS},
    "roles:write": _LOOKING | {Permission.GRANT, Permission.MANAGE_DEPLOYMENTS},
    "scim:write": frozenset({Permission.MANAGE_SCIM}),
    "settings:write": _LOOKING | {Permission.MANAGE_SETTINGS},
    "audit:read": frozenset({Permission.SEE_AUDIT_LOG}),
}
"""What each scope of an API key allows; nothing that is for people alone (`OF_PEOPLE`)."""


def may(role: Role, permission: Permission) -> bool:
    """Tell whether a role allows something."""
    return permission in TABLE[role]


def permissions_of(access: Iterable[Access]) -> frozenset[Permission]:
    """Return what a person may do somewhere, given their effective access."""
    return frozenset[Permission]().union(*(TABLE[held.role] for held in access))


def permissions_in(scopes: Iterable[str]) -> frozenset[Permission]:
    """Return what the scopes of an API key allow; a scope that is not one allows nothing."""
    return frozenset[Permission]().union(*(SCOPES.get(scope, frozenset[Permission]()) for scope in scopes))


def may_grant(access: Iterable[Access], scope: Scope, places: Places) -> bool:
    """Tell whether a person may grant and revoke roles in a scope.

    An Organization Admin may everywhere; an Admin on deployments and code locations where it is Admin.
    """
    held = role_in(access, scope, places)
    if held is None:
        return False
    return held.role is Role.ORGANIZATION_ADMIN or (held.role is Role.ADMIN and scope != ORGANIZATION)
