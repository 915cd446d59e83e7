"""`dagster-scim exception`: the register of exceptions from controls."""

from dataclasses import asdict
from datetime import UTC, datetime, time
from typing import Annotated

import typer

from scim_app.cli.opening import AsJson, Organization, acting, show, told
from scim_app.directory.controls import TESTS
from scim_app.errors import NotFound
from scim_app.store.access.acting import Acting
from scim_app.store.db.stamps import instant
from scim_app.store.lifecycle import people
from scim_app.store.reviews import exceptions

app = typer.Typer(help="Exceptions from controls.", no_args_is_help=True)

COLUMNS = ("id", "control", "subject_name", "owner", "reason", "approved_by", "expires_at", "ended_at")


@app.command()
def create(
    org: Organization,
    control: Annotated[str, typer.Argument(help="Control test, as `exception controls` lists them.")],
    subject: Annotated[str, typer.Argument(help="User name or id of the account, or id of a team or token.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    requested_by: Annotated[str, typer.Option(help="Who asks for it.")],
    approved_by: Annotated[str, typer.Option(help="Who allows it: somebody else.")],
    expires: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Its last day (UTC).")],
    as_json: AsJson = False,
) -> None:
    """Allow an exception until a day; after it, the control fails again."""
    with acting(org) as desk:
        subject_id, name = _subject(desk, subject)
        made = desk.write(
            exceptions.create,
            control=control,
            subject_id=subject_id,
            subject_name=name,
            owner=owner,
            reason=reason,
            requested_by=requested_by,
            approved_by=approved_by,
            expires_at=instant(datetime.combine(expires.date(), time.max, UTC)),
        )
    told(asdict(made), f"The exception {made.id} stands until {made.expires_at[:10]}.", as_json=as_json)


@app.command("list")
def list_all(org: Organization, as_json: AsJson = False) -> None:
    """List the exceptions, the newest first."""
    with acting(org) as desk:
        found = desk.read(exceptions.listing)
    show(COLUMNS, map(asdict, found), as_json=as_json)


@app.command()
def end(
    org: Organization, exception: Annotated[str, typer.Argument(help="Id of it.")], as_json: AsJson = False
) -> None:
    """End an exception before its time."""
    with acting(org) as desk:
        desk.write(exceptions.end, exception)
    told({"id": exception}, "The exception is ended.", as_json=as_json)


@app.command()
def controls(as_json: AsJson = False) -> None:
    """List the control tests that there can be an exception from."""
    rows = [{"control": name, "asserts": said} for name, said in TESTS.items()]
    show(("control", "asserts"), rows, as_json=as_json)


def _subject(desk: Acting, subject: str) -> tuple[str, str]:
    try:
        user = desk.read(people.get, subject)
    except NotFound:
        return subject, subject
    return user.id, str(user.load()["userName"])
