"""Teams in the API."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query

from scim_app.admin.api.bodies import GroupMembers, Link, TeamName, seal, unseal
from scim_app.admin.api.callers import Caller, needs
from scim_app.admin.api.problems import ApiRoute
from scim_app.directory.kinds import TEAM
from scim_app.directory.permissions import Permission
from scim_app.store.db.stamps import now
from scim_app.store.lifecycle import removal, teams
from scim_app.store.resources import members
from scim_app.store.resources.resources import Stored
from scim_app.store.views import lists

router = APIRouter(prefix="/{org}/api", tags=["teams"], route_class=ApiRoute)
See = Annotated[Caller, needs(Permission.SEE_USERS)]
Manage = Annotated[Caller, needs(Permission.MANAGE_TEAMS)]
Word = Annotated[str, Query(max_length=200)]


@router.get("/teams")
def list_teams(
    caller: See,
    search: Word = "",
    origin: Word = "",
    sort: Word = "name",
    after: Annotated[str | None, Query(max_length=2000)] = None,
) -> dict[str, Any]:
    """List teams, a page at a time; `next` is the `after` of the next page."""
    query = lists.Query(search=search, origin=origin, sort=sort)
    rows, cursor = caller.store.read(lambda db: lists.list_teams(db, caller.organization, query, unseal(after)))
    return {"teams": [asdict(row) for row in rows], "next": seal(cursor)}


@router.post("/teams", status_code=HTTPStatus.CREATED)
def create_team(caller: Manage, body: TeamName) -> dict[str, Any]:
    """Make a team that exists only here."""
    return _shown(caller.write(teams.create, body.display_name))


@router.get("/teams/{team_id}")
def get_team(caller: See, team_id: str) -> dict[str, Any]:
    """Show a team."""
    return _shown(caller.read(teams.get, team_id))


@router.patch("/teams/{team_id}")
def rename_team(caller: Manage, team_id: str, body: TeamName) -> dict[str, Any]:
    """Rename a team; a linked one gets the group's name again at its next push."""
    return _shown(caller.write(teams.rename, team_id, body.display_name))


@router.delete("/teams/{team_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_team(caller: Manage, team_id: str) -> None:
    """Remove a team with its members and grants."""
    caller.write(teams.remove, team_id)


@router.post("/teams/{team_id}/restore")
def restore_team(caller: Manage, team_id: str) -> dict[str, Any]:
    """Bring a removed team back with its members, owners and grants."""
    return _shown(caller.write(teams.restore, team_id))


@router.get("/removed-teams")
def list_removed_teams(caller: See) -> dict[str, Any]:
    """List the teams that can be restored."""
    return {"teams": caller.read(removal.removed, TEAM, now())}


@router.post("/teams/{team_id}/link")
def link_team(caller: Manage, team_id: str, body: Link) -> dict[str, Any]:
    """Offer a team for linking: the next push of a group of its name or externalId links it."""
    return _shown(caller.write(teams.offer, team_id, body.external_id))


@router.post("/teams/{team_id}/unlink")
def unlink_team(caller: Manage, team_id: str) -> dict[str, Any]:
    """Cut a team off from its group; its members stay."""
    return _shown(caller.write(teams.unlink, team_id))


@router.post("/teams/{team_id}/link-preview")
def preview_link(caller: Manage, team_id: str, body: GroupMembers) -> dict[str, Any]:
    """Show whom linking the team to a group of these users would add, remove, keep and leave pending."""
    return asdict(caller.read(teams.preview_link, team_id, body.user_names))


@router.get("/teams/{team_id}/members")
def list_members(caller: See, team_id: str) -> dict[str, Any]:
    """List a team's members with their origin; those not provisioned yet are pending."""
    return {"members": caller.read(members.listing, caller.read(teams.get, team_id).id)}


@router.put("/teams/{team_id}/members/{user_id}", status_code=HTTPStatus.NO_CONTENT)
def add_member(caller: Manage, team_id: str, user_id: str) -> None:
    """Put a user into a team by hand."""
    caller.write(teams.add_member, team_id, user_id)


@router.delete("/teams/{team_id}/members/{user_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_member(caller: Manage, team_id: str, user_id: str) -> None:
    """Take a member out of a team."""
    caller.write(teams.remove_member, team_id, user_id)


@router.put("/teams/{team_id}/owners/{user_id}", status_code=HTTPStatus.NO_CONTENT)
def add_owner(caller: Manage, team_id: str, user_id: str) -> None:
    """Make a user an owner of a team: its reviewer in access reviews."""
    caller.write(teams.add_owner, team_id, user_id)


@router.delete("/teams/{team_id}/owners/{user_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_owner(caller: Manage, team_id: str, user_id: str) -> None:
    """Take the ownership of a team away."""
    caller.write(teams.remove_owner, team_id, user_id)


def _shown(stored: Stored) -> dict[str, Any]:
    document = stored.load()
    return {
        "id": stored.id,
        "display_name": document[TEAM.unique],
        "external_id": document.get("externalId"),
        "origin": stored.origin,
        "created_at": stored.created_at,
        "updated_at": stored.updated_at,
    }
