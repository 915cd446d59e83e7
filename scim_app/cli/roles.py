"""`dagster-scim role`: who holds which role where."""

from typing import Annotated, Any

import typer

from scim_app.cli.opening import AsJson, Organization, acting, show, told
from scim_app.directory.roles import Role
from scim_app.store.access import grants, places
from scim_app.store.access.acting import Acting
from scim_app.store.lifecycle import people, teams

app = typer.Typer(help="Roles and their grants.", no_args_is_help=True)

Holder = Annotated[str, typer.Argument(metavar="HOLDER", help="`user:NAME` or `team:NAME`; ids do as well.")]
COLUMNS = (
    *("grant_id", "holder_kind", "holder_name", "role", "scope_name"),
    *("granted_at", "granted_by", "granted_by_name", "reason"),
)


@app.command("list")
def list_all(
    org: Organization,
    holder: Annotated[str | None, typer.Option(help="Only those of `user:NAME` or `team:NAME`.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the grants."""
    with acting(org) as desk:
        where = grants.of_holder(_holder(desk, holder)[1]) if holder else None
        rows = desk.read(grants.rows, where)
    show(COLUMNS, rows, as_json=as_json)


@app.command()
def grant(
    org: Organization,
    holder: Holder,
    role: Annotated[Role, typer.Argument(help="The role.")],
    on: Annotated[
        str, typer.Option(help="`organization`, `all-branch-deployments`, a deployment, or DEPLOYMENT/LOCATION.")
    ] = "organization",
    reason: Annotated[str | None, typer.Option(help="Why, for access reviews.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a role to a user or a team; it takes the place of the one on the same scope."""
    with acting(org) as desk:
        kind, holder_id = _holder(desk, holder)
        scope = desk.read(places.scope_named, on)
        made = desk.write(grants.grant, kind, holder_id, role, scope, reason=reason)
    result: dict[str, Any] = {"grant_id": made.grant_id, "holder": holder, "role": role.value, "on": on}
    told(result, f"{holder} is {role.words} on {on}.", as_json=as_json)


@app.command()
def revoke(
    org: Organization,
    grant_id: Annotated[str, typer.Argument(help="Id, as `role list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Take a role away."""
    with acting(org) as desk:
        desk.write(grants.revoke, grant_id)
    told({"grant_id": grant_id}, "The role was taken away.", as_json=as_json)


def _holder(desk: Acting, text: str) -> tuple[str, str]:
    """Return kind and id of a holder; raises `NotFound`, and `ValueError` where the kind is left out."""
    kind, _, name = text.partition(":")
    if kind not in ("user", "team") or not name:
        raise ValueError(f"{text!r} is no holder: write user:NAME or team:NAME")
    found = desk.read(people.get, name) if kind == "user" else desk.read(teams.get, name)
    return kind, found.id
