"""`dagster-scim deployment`: where roles can be granted."""

from typing import Annotated

import typer

from scim_app.admin.dagster_instance import read_code_locations
from scim_app.cli.opening import AsJson, Organization, acting, show, told
from scim_app.settings import Settings
from scim_app.store.access import places

app = typer.Typer(help="Deployments and code locations.", no_args_is_help=True)

Deployment = Annotated[str, typer.Argument(metavar="DEPLOYMENT", help="Name or id of the deployment.")]


@app.command("list")
def list_all(org: Organization, as_json: AsJson = False) -> None:
    """List deployments and their code locations."""
    with acting(org) as desk:
        deployments = desk.read(places.list_deployments)
        locations = desk.read(places.list_code_locations)
    names = {one.id: one.name for one in deployments}
    rows = [{"id": one.id, "name": one.name, "kind": one.kind, "created_at": one.created_at} for one in deployments]
    rows += [
        {"id": one.id, "name": f"{names[one.deployment_id]}/{one.name}", "kind": "code location"}
        | {"created_at": one.created_at}
        for one in locations
    ]
    show(("id", "name", "kind", "created_at"), sorted(rows, key=lambda row: row["name"]), as_json=as_json)


@app.command()
def add(
    org: Organization,
    name: Annotated[str, typer.Argument(help="Name of the deployment, or DEPLOYMENT/LOCATION for a code location.")],
    branch: Annotated[bool, typer.Option("--branch", help="It is a branch deployment.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a deployment, or a code location to one."""
    deployment, slash, location = name.partition("/")
    with acting(org) as desk:
        if slash:
            within = desk.read(places.get_deployment, deployment)
            made = desk.write(places.add_code_location, within.id, location)
        else:
            made = desk.write(places.add_deployment, name, "branch" if branch else "full")
    told({"id": made.id, "name": name}, f"{name} was added.", as_json=as_json)


@app.command()
def remove(
    org: Organization,
    name: Annotated[str, typer.Argument(help="Name of the deployment, or DEPLOYMENT/LOCATION.")],
    as_json: AsJson = False,
) -> None:
    """Remove a deployment or a code location, with the grants on it."""
    with acting(org) as desk:
        scope = desk.read(places.scope_named, name)
        if scope.id is None:
            raise ValueError(f"{name!r} is no deployment or code location")
        if "/" in name:
            desk.write(places.remove_code_location, scope.id)
        else:
            desk.write(places.remove_deployment, scope.id)
    told({"id": scope.id, "name": name}, f"{name} was removed, with the grants on it.", as_json=as_json)


@app.command()
def read(
    org: Organization,
    deployment: Deployment,
    url: Annotated[str | None, typer.Option(help="Address of the Dagster UI.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add the code locations that a running Dagster has to a deployment, which is made where there is none."""
    names = read_code_locations(url or str(Settings().dagster_url))
    with acting(org) as desk:
        added = desk.write(places.take_over, deployment, names)
    result = {"deployment": deployment, "added": [one.name for one in added]}
    told(result, f"{len(added)} of {len(names)} code locations were new: {', '.join(result['added'])}", as_json=as_json)
