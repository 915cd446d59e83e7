"""`dagster-scim user list` and `dagster-scim team list`."""

from dataclasses import asdict
from typing import Annotated

import typer

from scim_app.cli.opening import AsJson, Organization, acting, show
from scim_app.cli.walking import walk
from scim_app.store.views import lists


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
