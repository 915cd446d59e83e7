"""How far power reaches: nobody gives, takes over or unlocks a role that they do not hold themselves.

A permission opens an operation (`permissions`); this table says whose roles come into the caller's hands by it. Pages,
API and command line ask the same question, in the transaction that does the operation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from scim_app.directory.access import Access, Places, role_in
from scim_app.directory.permissions import TABLE, Permission
from scim_app.directory.roles import ORGANIZATION, Role, Scope
from scim_app.errors import NotPermitted

Held = tuple[Role, Scope]
"""A role and where it holds."""


class Power(StrEnum):
    """Whose roles an operation puts into the caller's hands."""

    NONE = "none"
    """Nobody's: it takes access away, or touches nothing that holds a role."""
    DEFAULT_ROLE = "default_role"
    """Those of somebody new: the organization's default role."""
    HOLDER = "holder"
    """Those of the user, by itself and through its teams, or of the team that it is done to."""
    ROLE = "role"
    """The role that it names."""


class Operation(StrEnum):
    """What is done to users, teams and roles, in the words of a refusal."""

    ADD_USER = "adding a user"
    EDIT_USER = "changing this user"
    REMOVE_USER = "removing this user"
    RESTORE_USER = "restoring this user"
    CREATE_TEAM = "making a team"
    RENAME_TEAM = "renaming this team"
    OFFER_TEAM = "offering this team for linking"
    UNLINK_TEAM = "unlinking this team"
    REMOVE_TEAM = "removing this team"
    RESTORE_TEAM = "restoring this team"
    ADD_MEMBER = "adding a member to this team"
    REMOVE_MEMBER = "removing a member of this team"
    ADD_OWNER = "adding an owner of this team"
    REMOVE_OWNER = "removing an owner of this team"
    GRANT_ROLE = "granting this role"
    REVOKE_ROLE = "revoking this role"
    SET_DEFAULT_ROLE = "giving everybody this role"


REACH: dict[Operation, Power] = {
    Operation.ADD_USER: Power.DEFAULT_ROLE,
    # Who writes the address of somebody who has not signed in yet signs in as them.
    Operation.EDIT_USER: Power.HOLDER,
    Operation.REMOVE_USER: Power.NONE,
    Operation.RESTORE_USER: Power.HOLDER,
    Operation.CREATE_TEAM: Power.NONE,
    # A team that waits for its group is linked by its name.
    Operation.RENAME_TEAM: Power.HOLDER,
    Operation.OFFER_TEAM: Power.HOLDER,
    # Members stay whom the identity provider takes out of the group later.
    Operation.UNLINK_TEAM: Power.HOLDER,
    Operation.REMOVE_TEAM: Power.NONE,
    Operation.RESTORE_TEAM: Power.HOLDER,
    Operation.ADD_MEMBER: Power.HOLDER,
    Operation.REMOVE_MEMBER: Power.NONE,
    # Owners decide in access reviews who stays.
    Operation.ADD_OWNER: Power.HOLDER,
    Operation.REMOVE_OWNER: Power.HOLDER,
    Operation.GRANT_ROLE: Power.ROLE,
    Operation.REVOKE_ROLE: Power.NONE,
    Operation.SET_DEFAULT_ROLE: Power.ROLE,
}


@dataclass(frozen=True, slots=True)
class Authority:
    """What somebody who asks for a change holds: a person by its roles, all others by permissions."""

    permissions: frozenset[Permission] = frozenset()
    access: tuple[Access, ...] | None = None
    """A person's effective access; None of a key and of the operator."""
    places: Places = Places()  # noqa: RUF009 - it is frozen
    user_id: str | None = None
    """The person, where it is a user."""

    def holds(self, role: Role, scope: Scope) -> bool:
        """Tell whether a role in a scope is no more than what is held there."""
        if self.access is None:
            return TABLE[role] <= self.permissions
        held = role_in(self.access, scope, self.places)
        return held is not None and held.role.rank <= role.rank


OPERATOR = Authority(frozenset(Permission))
"""The machine's operator, on the command line: everything."""
NOTHING = Authority()
"""Who may change nothing beyond what the way in allows, such as a SCIM token."""


def require(authority: Authority, operation: Operation, held: Iterable[Held]) -> None:
    """Refuse an operation that reaches more than its caller holds.

    Args:
        authority: what the caller holds.
        operation: what is asked for.
        held: the roles that it reaches (`REACH` says which).

    Raises:
        NotPermitted: naming the role and whom to ask.
    """
    gives = REACH[operation] is Power.ROLE
    for role, scope in sorted(held, key=lambda one: one[0].rank):
        if not authority.holds(role, scope) or (gives and Permission.GRANT not in authority.permissions):
            where = "" if scope == ORGANIZATION else f" on a {scope.kind.value.replace('_', ' ')}"
            raise NotPermitted(
                f"{operation.value} reaches the role {role.words}{where}, "
                "which whoever asks does not hold or may not give: ask an Organization Admin to do it"
            )


def require_another(authority: Authority, role: Role, recipients: Iterable[str]) -> None:
    """Refuse a person to give themselves a role that gives access to others.

    Args:
        authority: what the caller holds.
        role: the role to be given.
        recipients: ids of the users who get it.

    Raises:
        NotPermitted: saying who else can.
    """
    if role.privileged and authority.user_id is not None and authority.user_id in recipients:
        raise NotPermitted(
            f"nobody gives the role {role.words} to themselves: ask another Organization Admin, "
            "or the operator by `dagster-scim role grant`"
        )
