"""Users in the API."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query

from scim_app.admin.api.bodies import NewUser, UserChanges, seal, unseal
from scim_app.admin.api.callers import Caller, needs
from scim_app.admin.api.problems import ApiRoute
from scim_app.directory.kinds import USER
from scim_app.directory.permissions import Permission
from scim_app.store.access import access
from scim_app.store.db.stamps import now
from scim_app.store.lifecycle import people, removal
from scim_app.store.resources import team_names
from scim_app.store.resources.resources import Stored
from scim_app.store.sign_in import identities
from scim_app.store.views import lists

router = APIRouter(prefix="/{org}/api", tags=["users"], route_class=ApiRoute)
See = Annotated[Caller, needs(Permission.SEE_USERS)]
Add = Annotated[Caller, needs(Permission.ADD_USERS)]
Edit = Annotated[Caller, needs(Permission.EDIT_USERS)]
Scim = Annotated[Caller, needs(Permission.MANAGE_SCIM)]
Credentials = Annotated[Caller, needs(Permission.MANAGE_CREDENTIALS, recent=True)]
Remove = Annotated[Caller, needs(Permission.REMOVE_USERS)]
Word = Annotated[str, Query(max_length=200)]


@router.get("/users")
def list_users(
    caller: See,
    search: Word = "",
    origin: Word = "",
    state: Word = "",
    role: Word = "",
    team: Word = "",
    sort: Word = "name",
    after: Annotated[str | None, Query(max_length=2000)] = None,
) -> dict[str, Any]:
    """List users, a page at a time; `next` is the `after` of the next page."""
    query = lists.Query(search=search, origin=origin, state=state, role=role, team=team, sort=sort)
    rows, cursor = caller.store.read(lambda db: lists.list_users(db, caller.organization, query, unseal(after)))
    return {"users": [asdict(row) for row in rows], "next": seal(cursor)}


@router.post("/users", status_code=HTTPStatus.CREATED)
def add_user(caller: Add, body: NewUser) -> dict[str, Any]:
    """Add a user by hand, while SCIM is off."""
    return _shown(caller, caller.write(people.add, **body.model_dump()))


@router.get("/users/{user_id}")
def get_user(caller: See, user_id: str) -> dict[str, Any]:
    """Show a user: the SCIM document, teams, and effective access with its sources."""
    return _shown(caller, caller.read(people.get, user_id))


@router.patch("/users/{user_id}")
def change_user(caller: Edit, user_id: str, body: UserChanges) -> dict[str, Any]:
    """Change a user that is not synced; what is left out stays, an empty text is taken away."""
    return _shown(caller, caller.write(people.edit, user_id, **body.model_dump()))


@router.get("/users/{user_id}/identities")
def list_identities(caller: Scim, user_id: str) -> dict[str, Any]:
    """List how a user signs in: the provider, its own id of the person, and since when."""
    user = caller.read(people.get, user_id)
    return {"identities": [asdict(one) for one in caller.read(identities.of_user, user.id)]}


@router.delete("/users/{user_id}/identities", status_code=HTTPStatus.NO_CONTENT)
def forget_identities(caller: Credentials, user_id: str) -> None:
    """Forget how a user signs in and end its sessions: the next sign-in with the verified address binds anew."""
    caller.write(identities.forget, user_id)


@router.delete("/users/{user_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_user(caller: Remove, user_id: str) -> None:
    """Remove a user that is not synced, or any while SCIM is off."""
    caller.write(people.remove, user_id)


@router.post("/users/{user_id}/restore")
def restore_user(caller: Add, user_id: str) -> dict[str, Any]:
    """Bring a removed or deactivated user back, while SCIM is off."""
    return _shown(caller, caller.write(people.restore, user_id))


@router.get("/removed-users")
def list_removed_users(caller: See) -> dict[str, Any]:
    """List the users that can be restored."""
    return {"users": caller.read(removal.removed, USER, now())}


def _shown(caller: Caller, stored: Stored) -> dict[str, Any]:
    standing = caller.read(access.of_user, stored.id)
    teams = caller.read(team_names.teams_of, [stored.id]).get(stored.id, [])
    held = [
        {
            "scope_kind": one.scope.kind,
            "scope_id": one.scope.id,
            "scope_name": standing.places.name(one.scope),
            "role": one.role,
            "source": one.source,
            "source_id": one.source_id,
        }
        for one in standing.access
    ]
    return {
        "id": stored.id,
        "origin": stored.origin,
        "created_at": stored.created_at,
        "updated_at": stored.updated_at,
        "document": stored.load(),
        "teams": [{"id": team_id, "display_name": name} for team_id, name in teams],
        "access": held,
        "access_in_words": standing.words,
    }
