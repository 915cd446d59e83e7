"""`dagster-scim team`: teams, their members and owners, and their link to groups of the identity provider."""

from dataclasses import asdict
from typing import Annotated

import typer

from scim_app.cli.opening import AsJson, Organization, acting, show, told
from scim_app.cli.walking import walk
from scim_app.directory.kinds import TEAM
from scim_app.store.db.stamps import now
from scim_app.store.lifecycle import people, removal, teams
from scim_app.store.resources import members
from scim_app.store.views import lists

app = typer.Typer(help="Teams.", no_args_is_help=True)

Team = Annotated[str, typer.Argument(metavar="TEAM", help="Name or id of the team.")]
User = Annotated[str, typer.Argument(metavar="USER", help="User name or id.")]


@app.command("show")
def show_one(org: Organization, team: Team, as_json: AsJson = False) -> None:
    """List a team's members, each with its origin; those not provisioned yet are pending."""
    with acting(org) as desk:
        stored = desk.read(teams.get, team)
        rows = desk.read(members.listing, stored.id)
    show(("id", "user_name", "origin", "since", "pending", "owner"), rows, as_json=as_json)


@app.command()
def create(org: Organization, name: Annotated[str, typer.Argument(help="Its name.")], as_json: AsJson = False) -> None:
    """Make a team that exists only here."""
    with acting(org) as desk:
        made = desk.write(teams.create, name)
    told({"id": made.id, "display_name": name}, f"The team {name} was made.", as_json=as_json)


@app.command()
def rename(
    org: Organization, team: Team, name: Annotated[str, typer.Argument(help="Its new name.")], as_json: AsJson = False
) -> None:
    """Rename a team; a linked one gets the group's name again at its next push."""
    with acting(org) as desk:
        stored = desk.write(teams.rename, team, name)
    told({"id": stored.id, "display_name": name}, f"The team is called {name} now.", as_json=as_json)


@app.command()
def delete(org: Organization, team: Team, as_json: AsJson = False) -> None:
    """Remove a team with its members and grants."""
    with acting(org) as desk:
        stored = desk.read(teams.get, team)
        desk.write(teams.remove, stored.id)
    sentence = f"{team} was removed, and can be restored for {removal.RESTORABLE.days} days by the id {stored.id}."
    told({"id": stored.id}, sentence, as_json=as_json)


@app.command()
def restore(
    org: Organization,
    team: Annotated[str, typer.Argument(help="Id, as `team removed` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Bring a removed team back with its members, owners and grants."""
    with acting(org) as desk:
        stored = desk.write(teams.restore, team)
    told({"id": stored.id}, f"The team {stored.load()[TEAM.unique]} is back.", as_json=as_json)


@app.command()
def removed(org: Organization, as_json: AsJson = False) -> None:
    """List the teams that can be restored."""
    with acting(org) as desk:
        rows = desk.read(removal.removed, TEAM, now())
    show(("id", "name", "origin", "deleted_at"), rows, as_json=as_json)


@app.command()
def link(
    org: Organization,
    team: Team,
    external_id: Annotated[str | None, typer.Option(help="Id of the group in the identity provider.")] = None,
    as_json: AsJson = False,
) -> None:
    """Offer a team to the identity provider: the next push of a group of its name or id links it."""
    with acting(org) as desk:
        stored = desk.write(teams.offer, team, external_id)
    told({"id": stored.id, "origin": stored.origin}, f"{team} is linked by the group's next push.", as_json=as_json)


@app.command()
def unlink(org: Organization, team: Team, as_json: AsJson = False) -> None:
    """Cut a team off from its group; its members stay."""
    with acting(org) as desk:
        stored = desk.write(teams.unlink, team)
    told({"id": stored.id, "origin": stored.origin}, f"{team} is managed here alone now.", as_json=as_json)


@app.command()
def preview(
    org: Organization,
    team: Team,
    user_names: Annotated[list[str], typer.Argument(metavar="USER_NAME...", help="User names in the group.")],
    as_json: AsJson = False,
) -> None:
    """Show what linking a team to a group of these users would add and remove."""
    with acting(org) as desk:
        found = asdict(desk.read(teams.preview_link, team, user_names))
    rows = [{"user_name": name, "change": change} for change, names in found.items() for name in names]
    show(("user_name", "change"), rows, as_json=as_json)


@app.command()
def add_member(org: Organization, team: Team, user: User, as_json: AsJson = False) -> None:
    """Put a user into a team by hand."""
    with acting(org) as desk:
        desk.write(teams.add_member, team, desk.read(people.get, user).id)
    told({"team": team, "user": user}, f"{user} is in {team}.", as_json=as_json)


@app.command()
def remove_member(org: Organization, team: Team, user: User, as_json: AsJson = False) -> None:
    """Take a user out of a team."""
    with acting(org) as desk:
        desk.write(teams.remove_member, team, desk.read(people.get, user).id)
    told({"team": team, "user": user}, f"{user} is not in {team} any more.", as_json=as_json)


@app.command()
def add_owner(org: Organization, team: Team, user: User, as_json: AsJson = False) -> None:
    """Make a user an owner of a team: its reviewer in access reviews."""
    with acting(org) as desk:
        desk.write(teams.add_owner, team, desk.read(people.get, user).id)
    told({"team": team, "user": user}, f"{user} owns {team}.", as_json=as_json)


@app.command()
def remove_owner(org: Organization, team: Team, user: User, as_json: AsJson = False) -> None:
    """Take the ownership of a team away."""
    with acting(org) as desk:
        desk.write(teams.remove_owner, team, desk.read(people.get, user).id)
    told({"team": team, "user": user}, f"{user} does not own {team} any more.", as_json=as_json)


@app.command("list")
def list_teams(
    org: Organization,
    search: Annotated[str, typer.Option(help="Only those whose name contains this.")] = "",
    origin: Annotated[str, typer.Option(help="Only `scim` (linked) or `local` ones.")] = "",
    as_json: AsJson = False,
) -> None:
    """List teams in order of name."""
    query = lists.Query(search=search, origin=origin)
    with acting(org) as desk:
        found = desk.store.read(
            lambda db: list(walk(lambda after: lists.list_teams(db, desk.organization, query, after)))
        )
    columns = ("id", "display_name", "origin", "idp", "members", "pending", "role")
    show(columns, map(asdict, found), as_json=as_json)
