"""Teams: the list, one team, and what an admin may do to its name, link, members and owners."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from scim_app.admin.failures import not_found
from scim_app.admin.guard import PageRoute
from scim_app.admin.pages.history import timeline
from scim_app.admin.pages.paging import cursor_of, pages_of, query_of, sorting_of
from scim_app.admin.pages.shown import grants_of
from scim_app.admin.visits import Visit, allowed
from scim_app.admin.wording import plural
from scim_app.directory.kinds import TEAM
from scim_app.directory.permissions import Permission
from scim_app.store.db.stamps import now
from scim_app.store.lifecycle import link_requests, removal, teams
from scim_app.store.views import lists, profiles
from scim_app.store.views.lists import TeamRow

router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.SEE_USERS)]
Manage = Annotated[Visit, allowed(Permission.MANAGE_TEAMS)]


@router.get("/{org}/settings/teams")
def show_teams(visit: See) -> Response:
    """Show a page of the teams that match."""
    query, after = query_of(visit), cursor_of(visit)

    def load(db: sa.Connection) -> dict[str, Any]:
        rows, cursor = lists.list_teams(db, visit.org, query, after)
        return {
            "rows": rows,
            "pages": pages_of(visit, len(rows), after, cursor),
            "counts": lists.count_teams(db, visit.org.id),
            "removed": removal.removed(db, visit.org.id, TEAM, now()),
        }

    shown = {"query": query, "filtered": query.filtered, "sorting": sorting_of(visit, query)}
    return visit.page("teams.html", "Teams", "teams", **shown, **visit.read(load))


@router.get("/{org}/settings/teams/new")
def ask_for_team(visit: Manage) -> Response:
    """Show the form of a new team."""
    return visit.page("team_new.html", "New team", "teams", problem="", name="")


@router.post("/{org}/settings/teams/new")
def add_team(visit: Manage) -> Response:
    """Make a team that exists only here."""
    name = visit.field("name")
    team, problem = visit.attempt(lambda unit: teams.create(unit, name))
    if team is None:
        return visit.page("team_new.html", "New team", "teams", 422, problem=problem, name=name)
    return visit.go(f"teams/{team.id}", f"The team {name} was made.")


@router.get("/{org}/settings/teams/{team_id}")
def show_team(visit: See, team_id: str) -> Response:
    """Show one team: who is in it and how, what it gives, and all that happened to it."""
    search, after = visit.query("q"), cursor_of(visit)

    def load(db: sa.Connection) -> dict[str, Any]:
        members, cursor = profiles.members_of(db, visit.org.id, team_id, search, after)
        here, pending = lists.count_members(db, visit.org.id, [team_id]).get(team_id, (0, 0))
        team = _team(visit, db, team_id)
        waits = team.origin == teams.LOCAL
        return {
            "team": team,
            "link_request": link_requests.last_request(db, visit.org.id, team_id) if waits else None,
            "members": members,
            "pages": pages_of(visit, len(members), after, cursor),
            "counts": {"members": here, "pending": pending},
            "pending": profiles.pending_of(db, visit.org.id, team_id) if pending else [],
            "owners": profiles.owners_of(db, visit.org.id, team_id),
            "grants": grants_of(db, visit.org, team_id),
            **timeline(db, visit.org.id, team_id),
        }

    found = visit.read(load)
    return visit.page("team.html", found["team"].display_name, "teams", query=search, **found)


@router.post("/{org}/settings/teams/{team_id}/rename")
def rename_team(visit: Manage, team_id: str) -> Response:
    """Give a team another name."""
    visit.write(lambda unit: teams.rename(unit, team_id, visit.field("name")))
    return visit.go(f"teams/{team_id}", f"The team is called {visit.field('name')} now.")


@router.post("/{org}/settings/teams/{team_id}/remove")
def remove_team(visit: Manage, team_id: str) -> Response:
    """Remove a team, after asking."""
    team = visit.read(lambda db: _team(visit, db, team_id))
    if not visit.confirmed:
        counts = visit.read(lambda db: lists.count_members(db, visit.org.id, [team_id])).get(team_id, (0, 0))
        told = [
            f"{plural(counts[0], 'member')} lose what this team gives them; its grants and owners go with it.",
            "For 30 days the team can be restored, with its id, members and grants.",
        ]
        back = (f"teams/{team_id}", team.display_name)
        return visit.confirm(f"Delete {team.display_name}?", "Delete team", told, section="teams", back=back)
    visit.write(lambda unit: teams.remove(unit, team_id))
    return visit.go("teams", f"The team {team.display_name} was deleted.", undo=f"teams/{team_id}/restore")


@router.post("/{org}/settings/teams/{team_id}/restore")
def restore_team(visit: Manage, team_id: str) -> Response:
    """Bring a removed team back, with members and grants."""
    visit.write(lambda unit: teams.restore(unit, team_id))
    return visit.go(f"teams/{team_id}", "The team is back, with its members and grants. It is not linked to a group.")


@router.get("/{org}/settings/teams/{team_id}/link")
def ask_for_link(visit: Manage, team_id: str) -> Response:
    """Show how to link a team, and what linking it to a group of these people would change."""
    asked = visit.request.query_params.get("user_names", "")[:20_000]
    names = [line.strip() for line in asked.replace(",", "\n").splitlines() if line.strip()]
    team = visit.read(lambda db: _team(visit, db, team_id))
    wanted = "user_names" in visit.request.query_params
    preview = visit.read(lambda db: teams.preview_link(db, visit.org.id, team_id, names)) if wanted else None
    shown = {"external_id": visit.query("external_id"), "user_names": "\n".join(names)}
    return visit.page("team_link.html", "Link to a group", "teams", team=team, preview=preview, **shown)


@router.post("/{org}/settings/teams/{team_id}/link")
def link_team(visit: Manage, team_id: str) -> Response:
    """Offer a team to the identity provider: its next push of that group links it."""
    visit.write(lambda unit: teams.offer(unit, team_id, visit.field("external_id") or None))
    said = "The team waits for its group: the next push of the group links it and replaces its members."
    return visit.go(f"teams/{team_id}", said, undo=f"teams/{team_id}/unlink?quietly=yes", undo_label="Withdraw")


@router.post("/{org}/settings/teams/{team_id}/unlink")
def unlink_team(visit: Manage, team_id: str) -> Response:
    """Cut a team off from its group, after asking; an offer is withdrawn at once."""
    team = visit.read(lambda db: _team(visit, db, team_id))
    if team.origin == teams.LINKED and not visit.confirmed:
        told = [
            "Name and members stay as they are, and are changed here from now on.",
            "If the identity provider still pushes the group, take it out of Push Groups first: it is refused then.",
        ]
        back = (f"teams/{team_id}", team.display_name)
        return visit.confirm(f"Unlink {team.display_name}?", "Unlink", told, section="teams", back=back)
    visit.write(lambda unit: teams.unlink(unit, team_id))
    said = "The team is not linked any more." if team.origin == teams.LINKED else "The offer is withdrawn."
    return visit.go(f"teams/{team_id}", said)


@router.post("/{org}/settings/teams/{team_id}/members/add")
def add_member(visit: Manage, team_id: str) -> Response:
    """Put a user into a team by hand."""
    name = visit.field("user_name")

    def add(unit: Any) -> str:
        user = profiles.find_user(unit.connection, visit.org.id, name)
        teams.add_member(unit, team_id, user.id)
        return user.label

    return visit.go(f"teams/{team_id}", f"{visit.write(add)} is a member now.")


@router.post("/{org}/settings/teams/{team_id}/members/remove")
def remove_member(visit: Manage, team_id: str) -> Response:
    """Take a member out of a team, after asking."""
    member = visit.field("member")
    user = visit.read(lambda db: profiles.user(db, visit.org.id, member))
    team = visit.read(lambda db: _team(visit, db, team_id))
    label = user.label if user else member
    if not visit.confirmed:
        told = [f"{label} loses what the team gives."]
        if team.origin == teams.LINKED:
            told.append("The team is linked: the next push of its group may bring the member back.")
        back = (f"teams/{team_id}", team.display_name)
        return visit.confirm(f"Remove {label} from {team.display_name}?", "Remove", told, section="teams", back=back)
    visit.write(lambda unit: teams.remove_member(unit, team_id, member))
    return visit.go(f"teams/{team_id}", f"{label} is no member any more.")


@router.post("/{org}/settings/teams/{team_id}/owners/add")
def add_owner(visit: Manage, team_id: str) -> Response:
    """Make a user an owner of a team."""
    visit.write(lambda unit: teams.add_owner(unit, team_id, visit.field("user")))
    return visit.go(f"teams/{team_id}", "The team has a new owner.")


@router.post("/{org}/settings/teams/{team_id}/owners/remove")
def remove_owner(visit: Manage, team_id: str) -> Response:
    """Take the ownership of a team away."""
    visit.write(lambda unit: teams.remove_owner(unit, team_id, visit.field("user")))
    return visit.go(f"teams/{team_id}", "The team has one owner less.")


def _team(visit: Visit, db: sa.Connection, team_id: str) -> TeamRow:
    team = profiles.team(db, visit.org.id, team_id)
    if team is None:
        where = f"{visit.base}/teams"
        raise not_found("There is no such team; it may have been deleted.", link=where, link_label="Teams")
    return team
