"""Users: the list, one user, and what an admin may do to one."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from scim_app.admin.failures import forbidden, not_found
from scim_app.admin.guard import PageRoute
from scim_app.admin.pages import sign_in_words
from scim_app.admin.pages.history import timeline
from scim_app.admin.pages.paging import cursor_of, pages_of, query_of, sorting_of
from scim_app.admin.pages.shown import grants_of, role_options, show_access
from scim_app.admin.visits import Visit, allowed
from scim_app.admin.wording import scalar
from scim_app.directory import profile
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.names import is_email_address
from scim_app.directory.permissions import Permission
from scim_app.store.access import access
from scim_app.store.db.stamps import now
from scim_app.store.lifecycle import people, removal
from scim_app.store.resources import resources
from scim_app.store.sign_in import identities, identity_requests
from scim_app.store.sign_in.identity_requests import IdentityRequest
from scim_app.store.views import holding, lists, profiles

router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.SEE_USERS)]
Add = Annotated[Visit, allowed(Permission.ADD_USERS)]
Edit = Annotated[Visit, allowed(Permission.EDIT_USERS)]
Credentials = Annotated[Visit, allowed(Permission.MANAGE_CREDENTIALS, recent=True)]
Remove = Annotated[Visit, allowed(Permission.REMOVE_USERS)]


@router.get("/{org}/settings/users")
def show_users(visit: See) -> Response:
    """Show a page of the users that match."""
    query, after = query_of(visit), cursor_of(visit)

    def load(db: sa.Connection) -> dict[str, Any]:
        rows, cursor = lists.list_users(db, visit.org, query, after)
        team = resources.find(db, visit.org.id, TEAM, query.team) if query.team else None
        return {
            "rows": rows,
            "pages": pages_of(visit, len(rows), after, cursor),
            "counts": lists.count_users(db, visit.org.id),
            "team": team.load()[TEAM.unique] if team else query.team,
            "teams": holding.suggestions(db, visit.org.id),
            "waiting": identity_requests.waiting(db, visit.org.id) if visit.may(Permission.MANAGE_SCIM) else [],
            "removed": [] if visit.org.scim_enabled else removal.removed(db, visit.org.id, USER, now()),
        }

    shown = {"query": query, "filtered": query.filtered, "sorting": sorting_of(visit, query)}
    return visit.page("users.html", "Users", "users", **shown, roles=role_options(), **visit.read(load))


@router.get("/{org}/settings/users/new")
def ask_for_user(visit: Add) -> Response:
    """Show the form of a new user."""
    return visit.page("user_new.html", "Add a user", "users", problem="", email="", display_name="")


@router.post("/{org}/settings/users/new")
def add_user(visit: Add) -> Response:
    """Add a user that exists only here."""
    email, name = visit.field("email"), visit.field("display_name")
    user, problem = visit.attempt(lambda unit: people.add(unit, email, display_name=name or None))
    if user is None:
        told = {"problem": problem, "email": email, "display_name": name}
        return visit.page("user_new.html", "Add a user", "users", 422, **told)
    return visit.go(f"users/{user.id}", f"{name or email} was added.")


@router.get("/{org}/settings/users/{user_id}")
def show_user(visit: See, user_id: str) -> Response:
    """Show one user: who it is, what it may do and why, and all that happened to it."""

    def load(db: sa.Connection) -> dict[str, Any]:
        user = profiles.user(db, visit.org.id, user_id)
        if user is None:
            raise _no_user(visit)
        standing = access.of_user(db, visit.org.id, user_id)
        return {
            "user": user,
            "teams": profiles.teams_of_user(db, visit.org.id, user_id),
            "profile": [(label, scalar(value)) for label, value in user.profile if value not in (None, "")],
            "access": show_access(standing),
            "grants": grants_of(db, visit.org, user_id),
            "identities": identities.of_user(db, visit.org.id, user_id),
            "waiting": identity_requests.waiting(db, visit.org.id, user_id),
            "privileged": standing.role.privileged,
            **timeline(db, visit.org.id, user_id),
        }

    found = visit.read(load)
    user = found["user"]
    flagged = not is_email_address(user.user_name)
    ours = user.origin == "local" or not visit.org.scim_enabled
    address = user.email if flagged else user.user_name
    return visit.page("user.html", user.label, "users", ours=ours, flagged=flagged, address=address, **found)


@router.get("/{org}/settings/users/{user_id}/edit")
def ask_for_changes(visit: Edit, user_id: str) -> Response:
    """Show the form that changes a user."""
    user = visit.read(lambda db: people.get(db, visit.org.id, user_id))
    return _edit_page(visit, user_id, profile.fields_of(user.load()))


@router.post("/{org}/settings/users/{user_id}/edit")
def edit_user(visit: Edit, user_id: str) -> Response:
    """Change a user that is not synced."""
    sent = {name: visit.field(name) for name in ("user_name", "given_name", "family_name", "display_name")}
    user, problem = visit.attempt(lambda unit: people.edit(unit, user_id, **sent))
    if user is None:
        return _edit_page(visit, user_id, sent, problem)
    return visit.go(f"users/{user.id}", "The changes are saved.")


@router.post("/{org}/settings/users/{user_id}/forget")
def forget_identity(visit: Credentials, user_id: str) -> Response:
    """Forget how a user signs in, after asking."""
    user = _user(visit, user_id)
    if not visit.confirmed:
        told = [
            f"{user.label} is signed out everywhere, and is recognized anew at the next sign-in, as at the first one.",
            "Do this after the person got another account at the identity provider, or when the wrong one was bound.",
        ]
        back = (f"users/{user_id}", user.label)
        return visit.confirm(f"Forget how {user.label} signs in?", "Forget", told, section="users", back=back)
    visit.write(lambda unit: identities.forget(unit, user_id))
    return visit.go(f"users/{user_id}", f"How {user.label} signs in is forgotten.")


@router.post("/{org}/settings/users/{user_id}/confirm-sign-in")
def confirm_sign_in(visit: Credentials, user_id: str) -> Response:
    """Say that a person who waits is this user, after asking."""
    user, asked = _asked(visit, user_id)
    if not visit.confirmed:
        sentences = visit.read(lambda db: sign_in_words.question(db, visit.org.id, asked))
        back = (f"users/{user_id}", user.label)
        title = f"Is this person {user.label}?"
        return visit.confirm(title, "Yes, let this person in", sentences, section="users", back=back)
    visit.write(lambda unit: identity_requests.confirm(unit, user_id, asked.issuer, asked.subject))
    return visit.go(f"users/{user_id}", f"{user.label} can sign in now.")


@router.post("/{org}/settings/users/{user_id}/decline-sign-in")
def decline_sign_in(visit: Credentials, user_id: str) -> Response:
    """Say that a person who waits is not this user."""
    user, asked = _asked(visit, user_id)
    visit.write(lambda unit: identity_requests.decline(unit, user_id, asked.issuer, asked.subject))
    return visit.go(f"users/{user_id}", f"The sign-in as {user.label} is declined.")


@router.post("/{org}/settings/users/{user_id}/remove")
def remove_user(visit: Remove, user_id: str) -> Response:
    """Remove a user, after asking."""
    user = _user(visit, user_id)
    if not visit.confirmed:
        told = [
            f"{user.label} ({user.user_name}) loses access at once: sessions end, and teams and grants are gone.",
            "The history stays. For 30 days the user can be restored, while SCIM provisioning is off.",
        ]
        back = (f"users/{user_id}", user.label)
        return visit.confirm(f"Remove {user.label}?", "Remove user", told, section="users", back=back)
    visit.write(lambda unit: people.remove(unit, user_id))
    undo = "" if visit.org.scim_enabled else f"users/{user_id}/restore"
    return visit.go("users", f"{user.label} was removed.", undo=undo)


@router.post("/{org}/settings/users/{user_id}/restore")
def restore_user(visit: Add, user_id: str) -> Response:
    """Give a removed user back, with teams and grants."""
    visit.write(lambda unit: people.restore(unit, user_id))
    return visit.go(f"users/{user_id}", "The user is back, with its teams and grants.")


def _user(visit: Visit, user_id: str) -> profiles.User:
    user = visit.read(lambda db: profiles.user(db, visit.org.id, user_id))
    if user is None:
        raise _no_user(visit)
    return user


def _asked(visit: Visit, user_id: str) -> tuple[profiles.User, IdentityRequest]:
    """Return a user and who waits to be it, as the form names them; nobody decides on the own sign-in."""
    user = _user(visit, user_id)
    if visit.viewer.session.user_id == user_id:
        raise forbidden("Another Organization Admin has to say who signs in as you.", f"{visit.base}/users/{user_id}")
    waiting = visit.read(lambda db: identity_requests.waiting(db, visit.org.id, user_id))
    named = (visit.field("issuer"), visit.field("subject"))
    found = next((one for one in waiting if (one.issuer, one.subject) == named), None)
    if found is None:
        text = "This sign-in does not wait any more."
        raise not_found(text, link=f"{visit.base}/users/{user_id}", link_label=user.label)
    return user, found


def _edit_page(visit: Visit, user_id: str, values: dict[str, str], problem: str = "") -> Response:
    shown = {"user_id": user_id, "values": values, "problem": problem}
    return visit.page("user_edit.html", "Edit user", "users", 422 if problem else 200, **shown)


def _no_user(visit: Visit) -> Exception:
    return not_found("There is no such user; it may have been removed.", link=f"{visit.base}/users", link_label="Users")
