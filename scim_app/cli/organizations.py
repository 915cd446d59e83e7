"""`dagster-scim org`: the organizations that are served, and their settings."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from scim_app.cli import setup_link
from scim_app.cli.opening import CLI, AsJson, Organization, acting, opened_store, show, show_fields, told
from scim_app.directory.thresholds import THRESHOLDS
from scim_app.settings import Settings
from scim_app.store.access import admission, organization_settings, organizations
from scim_app.store.credentials import break_glass

app = typer.Typer(help="Organizations.", no_args_is_help=True)

NO_LIMIT = "none"


def _threshold(name: str) -> Any:
    """Return the option of a threshold of reports."""
    threshold = THRESHOLDS[name]
    return typer.Option(min=threshold.least, max=threshold.most, help=f"{threshold.words.capitalize()}.")


@app.command()
def create(
    slug: Annotated[str, typer.Argument(help="Name in addresses: lower-case letters, digits and hyphens.")],
    name: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Zone in which its day ends (IANA name).")] = None,
    as_json: AsJson = False,
) -> None:
    """Set up an organization and print its SCIM base URL."""
    settings = Settings()
    with opened_store(settings) as store:
        zone = time_zone or settings.time_zone
        made = store.write(lambda db: organizations.create(db, slug, name=name, time_zone=zone, actor=CLI))
    url = settings.scim_base_url(slug)
    following = f"Next: `dagster-scim token create {slug}` makes the token for your identity provider."
    told({"id": made.id, "slug": slug, "scim_base_url": url}, following, as_json=as_json)
    if not as_json:
        typer.echo(url)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the organizations."""
    settings = Settings()
    with opened_store(settings) as store:
        found = store.read(organizations.listing)
    rows = [asdict(one) | {"scim_base_url": settings.scim_base_url(one.slug)} for one in found]
    columns = ("slug", "name", "time_zone", "scim_enabled", "last_seq", "created_at", "scim_base_url")
    show(columns, rows, as_json=as_json)


@app.command("show")
def show_one(org: Organization, as_json: AsJson = False) -> None:
    """Show an organization and its settings."""
    with acting(org) as desk:
        seats, emergency = desk.read(admission.seats_taken), desk.read(break_glass.find)
    row = asdict(desk.organization) | {
        "scim_base_url": Settings().scim_base_url(org),
        "seats_taken": seats,
        "break_glass": "off" if emergency is None else f"on since {emergency.enabled_at}",
    }
    show_fields(row, as_json=as_json)


@app.command("set")
def set_values(
    org: Organization,
    name: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Zone in which its day ends.")] = None,
    default_role: Annotated[str | None, typer.Option(help="Of everybody: viewer, launcher, editor, admin.")] = None,
    seat_limit: Annotated[str | None, typer.Option(help="Most active users, or `none`.")] = None,
    user_name_policy: Annotated[
        str | None, typer.Option(help="`flag` or `strict` (refuse user names that are no e-mail address).")
    ] = None,
    deprovision_sla_seconds: Annotated[int | None, _threshold("deprovision_sla_seconds")] = None,
    dormant_days: Annotated[int | None, _threshold("dormant_days")] = None,
    review_days: Annotated[int | None, _threshold("review_days")] = None,
    grace_days: Annotated[int | None, _threshold("grace_days")] = None,
    rubber_stamp_seconds: Annotated[int | None, _threshold("rubber_stamp_seconds")] = None,
    rubber_stamp_least: Annotated[int | None, _threshold("rubber_stamp_least")] = None,
    as_json: AsJson = False,
) -> None:
    """Change settings of an organization."""
    asked: dict[str, Any] = {
        "name": name,
        "time_zone": time_zone,
        "default_role": default_role,
        "user_name_policy": user_name_policy,
        "deprovision_sla_seconds": deprovision_sla_seconds,
        "dormant_days": dormant_days,
        "review_days": review_days,
        "grace_days": grace_days,
        "rubber_stamp_seconds": rubber_stamp_seconds,
        "rubber_stamp_least": rubber_stamp_least,
    }
    values = {key: value for key, value in asked.items() if value is not None}
    if seat_limit is not None:
        values["seat_limit"] = None if seat_limit == NO_LIMIT else _number(seat_limit)
    with acting(org) as desk:
        changed = desk.write(organization_settings.change, **values)
    told(asdict(changed), f"The settings of {org} are changed.", as_json=as_json)


@app.command()
def enable_scim(org: Organization, as_json: AsJson = False) -> None:
    """Switch SCIM provisioning on."""
    _switch(org, on=True, as_json=as_json)


@app.command()
def disable_scim(org: Organization, as_json: AsJson = False) -> None:
    """Switch SCIM provisioning off; users and teams stay as they are and can be changed by hand."""
    _switch(org, on=False, as_json=as_json)


@app.command("break-glass")
def set_break_glass(
    org: Organization,
    off: Annotated[bool, typer.Option("--off", help="Switch it off.")] = False,
    password: Annotated[
        str | None, typer.Option(help="Its password, of at least 16 characters; asked for when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Switch the emergency account on, or off; it signs in when the identity provider can't."""
    with acting(org) as desk:
        if off:
            desk.write(break_glass.disable)
        else:
            given = password or typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
            desk.write(break_glass.enable, given)
    state = "off" if off else "on"
    told({"break_glass": state}, f"The emergency account of {org} is {state}.", as_json=as_json)


def _switch(org: str, *, on: bool, as_json: bool) -> None:
    with acting(org) as desk:
        changed = desk.write(organization_settings.switch_scim, on=on)
    sentence = f"SCIM provisioning of {org} is {'on' if on else 'off'}."
    told({"slug": org, "scim_enabled": changed.scim_enabled}, sentence, as_json=as_json)


def _number(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"{text!r} is no seat limit: use a number of at least 1, or none")
    return int(text)


app.command("open")(setup_link.open_settings)
