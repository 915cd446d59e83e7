"""The effective access of one person, now."""

from dataclasses import dataclass

import sqlalchemy as sa

from scim_app.directory.access import Access, Places, effective_access, explain
from scim_app.directory.roles import Grant, Role
from scim_app.store.access import grants, organizations
from scim_app.store.access.places import places
from scim_app.store.resources import team_names


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person holds: effective access, the grants behind it, and the words for it."""

    access: list[Access]
    grants: list[Grant]
    """Every live grant that the person holds, by itself or through a team."""
    places: Places
    teams: dict[str, str]
    """Names of the person's teams by id."""

    @property
    def words(self) -> str:
        """The access in words: "Editor on prod through team Data Platform; Viewer by default"."""
        return explain(self.access, self.places, self.teams)

    @property
    def role(self) -> Role:
        """The most permissive role anywhere."""
        return min((held.role for held in self.access), key=lambda role: role.rank)


def of_user(connection: sa.Connection, org_id: str, user_id: str) -> Standing:
    """Return what a user holds; what an inactive user holds is worth nothing until it is active again."""
    teams = dict(team_names.teams_of(connection, org_id, [user_id]).get(user_id, []))
    held = grants.find(connection, org_id, grants.among([user_id, *teams]))
    where, default = places(connection, org_id), Role(organizations.by_id(connection, org_id).default_role)
    return Standing(effective_access(held, default, where), held, where, teams)
