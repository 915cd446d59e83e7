"""`dagster-scim user`: people, what they hold and where it comes from."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from scim_app.cli.opening import AsJson, Organization, acting, show, told
from scim_app.cli.walking import walk
from scim_app.directory.kinds import USER, value_at
from scim_app.errors import Conflict, NotFound
from scim_app.store.access import access
from scim_app.store.db.stamps import now
from scim_app.store.lifecycle import people, removal
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import team_names
from scim_app.store.sign_in import identities, identity_requests
from scim_app.store.views import lists

app = typer.Typer(help="Users.", no_args_is_help=True)

User = Annotated[str, typer.Argument(metavar="USER", help="User name or id.")]
Subject = Annotated[
    str | None, typer.Option(help="The provider's own id of the person, where several wait for the same user.")
]


@app.command("show")
def show_one(org: Organization, user: User, as_json: AsJson = False) -> None:
    """Show a user: attributes, teams, and the effective access with its sources."""
    with acting(org) as desk:
        stored = desk.read(people.get, user)
        standing = desk.read(access.of_user, stored.id)
        teams = desk.read(team_names.teams_of, [stored.id]).get(stored.id, [])
    document = stored.load()
    row = {
        "id": stored.id,
        **{one.column: one.rule(document) if one.rule else value_at(document, one.path) for one in USER.attributes},
        "origin": stored.origin,
        "teams": ", ".join(name for _, name in teams),
        "access": standing.words,
    }
    if as_json:
        show(row, [row], as_json=True)
    else:
        show(
            ("attribute", "value"), [{"attribute": name, "value": value} for name, value in row.items()], as_json=False
        )


@app.command()
def add(
    org: Organization,
    user_name: Annotated[str, typer.Argument(help="E-mail address that signs in.")],
    given_name: Annotated[str, typer.Option(help="Given name.")] = "",
    family_name: Annotated[str, typer.Option(help="Family name.")] = "",
    display_name: Annotated[str | None, typer.Option(help="Name shown to people.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a user by hand, while SCIM is off."""
    with acting(org) as desk:
        made = desk.write(
            people.add, user_name, display_name=display_name, given_name=given_name, family_name=family_name
        )
    told({"id": made.id, "user_name": user_name}, f"{user_name} was added.", as_json=as_json)


@app.command()
def edit(
    org: Organization,
    user: User,
    user_name: Annotated[str | None, typer.Option(help="E-mail address that signs in.")] = None,
    given_name: Annotated[str | None, typer.Option(help="Given name; an empty text takes it away.")] = None,
    family_name: Annotated[str | None, typer.Option(help="Family name; an empty text takes it away.")] = None,
    display_name: Annotated[str | None, typer.Option(help="Name shown to people.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change a user that is not synced, or any while SCIM is off."""
    changes = {
        "user_name": user_name,
        "given_name": given_name,
        "family_name": family_name,
        "display_name": display_name,
    }
    with acting(org) as desk:
        stored = desk.write(people.edit, user, **changes)
    name = str(stored.load()[USER.unique])
    told({"id": stored.id, "user_name": name}, f"{name} was changed.", as_json=as_json)


@app.command("identities")
def list_identities(org: Organization, user: User, as_json: AsJson = False) -> None:
    """List how a user signs in: the provider, its own id of the person, and since when."""
    with acting(org) as desk:
        found = desk.read(identities.of_user, desk.read(people.get, user).id)
    show(("issuer", "subject", "since"), map(asdict, found), as_json=as_json)


@app.command("forget-identity")
def forget_identity(org: Organization, user: User, as_json: AsJson = False) -> None:
    """Forget how a user signs in and end its sessions; its next sign-in is recognized as a first one is."""
    with acting(org) as desk:
        stored = desk.read(people.get, user)
        desk.write(identities.forget, stored.id)
    told({"id": stored.id}, f"How {user} signs in is forgotten.", as_json=as_json)


@app.command("waiting-sign-ins")
def list_waiting(org: Organization, as_json: AsJson = False) -> None:
    """List the first sign-ins that wait for a confirmation."""
    with acting(org) as desk:
        found = desk.read(identity_requests.waiting)
    show(("user_name", "user_id", "issuer", "subject", "email", "asked_at"), map(asdict, found), as_json=as_json)


@app.command("confirm-sign-in")
def confirm_sign_in(org: Organization, user: User, subject: Subject = None, as_json: AsJson = False) -> None:
    """Confirm that the person who waits to sign in as a user is this user, and let the person sign in."""
    _decide(org, user, subject, identity_requests.confirm, "can sign in now", as_json=as_json)


@app.command("decline-sign-in")
def decline_sign_in(org: Organization, user: User, subject: Subject = None, as_json: AsJson = False) -> None:
    """Decline a sign-in that waits: the person who asked to sign in as a user is somebody else."""
    _decide(org, user, subject, identity_requests.decline, "is somebody else: the sign-in is declined", as_json=as_json)


def _decide(
    org: str,
    user: str,
    subject: str | None,
    decide: Callable[[Unit, str, str, str], None],
    sentence: str,
    *,
    as_json: bool,
) -> None:
    with acting(org) as desk:
        stored = desk.read(people.get, user)
        waiting = desk.read(identity_requests.waiting, stored.id)
        chosen = [one for one in waiting if subject in (None, one.subject)]
        if not chosen:
            raise NotFound(
                f"no such sign-in of {user} waits; `dagster-scim user waiting-sign-ins {org}` lists those that do"
            )
        if len(chosen) > 1:
            known = ", ".join(one.subject for one in chosen)
            raise Conflict(f"several people wait to sign in as {user}: choose one with --subject, of {known}")
        desk.write(decide, stored.id, chosen[0].issuer, chosen[0].subject)
    told({"id": stored.id, **asdict(chosen[0])}, f"{user} {sentence}.", as_json=as_json)


@app.command()
def remove(org: Organization, user: User, as_json: AsJson = False) -> None:
    """Remove a user; synced ones are removed in the identity provider while SCIM is on."""
    with acting(org) as desk:
        stored = desk.read(people.get, user)
        desk.write(people.remove, stored.id)
    sentence = f"{user} was removed, and can be restored for {removal.RESTORABLE.days} days by the id {stored.id}."
    told({"id": stored.id}, sentence, as_json=as_json)


@app.command()
def restore(
    org: Organization,
    user: Annotated[str, typer.Argument(help="Id of a removed user (`user removed`), or name of a deactivated one.")],
    as_json: AsJson = False,
) -> None:
    """Bring a removed or deactivated user back, with teams and grants, while SCIM is off."""
    with acting(org) as desk:
        stored = desk.write(people.restore, user)
    told({"id": stored.id}, f"{stored.load()[USER.unique]} has access again.", as_json=as_json)


@app.command()
def removed(org: Organization, as_json: AsJson = False) -> None:
    """List the users that can be restored."""
    with acting(org) as desk:
        rows = desk.read(removal.removed, USER, now())
    show(("id", "name", "origin", "deleted_at"), rows, as_json=as_json)


@app.command("list")
def list_users(
    org: Organization,
    search: Annotated[str, typer.Option(help="Only those whose name or e-mail address contains this.")] = "",
    origin: Annotated[str, typer.Option(help="Only `scim` (synced) or `local` ones.")] = "",
    state: Annotated[str, typer.Option(help="Only `active` or `inactive` ones.")] = "",
    role: Annotated[str, typer.Option(help="Only those with this highest role.")] = "",
    team: Annotated[str, typer.Option(help="Only those in this team: its id, its name, or a part of it.")] = "",
    as_json: AsJson = False,
) -> None:
    """List users in order of name."""
    query = lists.Query(search=search, origin=origin, state=state, role=role, team=team)
    with acting(org) as desk:
        found = desk.store.read(
            lambda db: list(walk(lambda after: lists.list_users(db, desk.organization, query, after)))
        )
    rows = [asdict(one) | {"teams": ", ".join(name for _, name in one.teams)} for one in found]
    show(("id", "user_name", "display_name", "active", "origin", "idp", "role", "teams"), rows, as_json=as_json)
