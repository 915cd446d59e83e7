"""`dagster-scim history`: an organization with a made-up past, to try reports and to measure on."""

import time
from typing import Annotated

import typer

from scim_app.cli.history.building import PEOPLE, SEED, build
from scim_app.cli.history.plan import DAYS
from scim_app.cli.opening import opened_store
from scim_app.settings import Settings
from scim_app.store.db import migrate


def history(
    org: Annotated[str, typer.Argument(metavar="ORG", help="Slug of the organization to make.")] = "northwind",
    people: Annotated[int, typer.Option(min=20, help="Head count that it begins with.")] = PEOPLE,
    seed: Annotated[int, typer.Option(help="The same seed gives the same history.")] = SEED,
    days: Annotated[int, typer.Option(min=1, help="Length of the history; it ends last midnight (UTC).")] = DAYS,
) -> None:
    """Make an organization with a year of joiners, movers, leavers, returns, refusals and grants, and a mass event.

    It is made up, and written through the same writes as any other, each as of its own moment.
    """
    settings = Settings()
    settings.ensure_pepper()
    migrate.upgrade(settings.store_url)
    began = time.monotonic()
    with opened_store(settings) as store:
        made = build(settings, store, org, people=people, seed=seed, days=days, tell=_tell)
    typer.echo(f"Organization {made.slug} has a history of {days} days ({time.monotonic() - began:.0f} s).", err=True)


def _tell(steps: int) -> None:
    typer.echo(f"{steps} steps …", err=True)
