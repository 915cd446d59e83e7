"""Makes an organization with a year behind it."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from itertools import islice

import sqlalchemy as sa

from scim_app.cli.history.plan import DAYS, year
from scim_app.cli.history.writing import CHUNK, Writer
from scim_app.cli.opening import CLI
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.access.organizations import Organization
from scim_app.store.db.stamps import written_at
from scim_app.store.log.session import Store

PEOPLE, SEED = 240, 7


def build(
    settings: Settings,
    store: Store,
    slug: str,
    *,
    people: int = PEOPLE,
    seed: int = SEED,
    ends: datetime | None = None,
    days: int = DAYS,
    tell: Callable[[int], object] = lambda _: None,
) -> Organization:
    """Set up an organization, write its history and return it.

    Args:
        settings: hold the pepper of the tokens.
        store: the open store.
        slug: name of the new organization.
        people: head count that it begins with.
        seed: the same seed gives the same history.
        ends: midnight (UTC) at which the history ends; the last one by default.
        days: length of the history.
        tell: is told how many steps are done, from time to time.
    """
    ends = ends or datetime.combine(datetime.now(UTC).date(), time(), UTC)
    starts = ends - timedelta(days=days)
    organization = store.write(lambda db: _found(db, slug, starts + timedelta(hours=7)))
    writer = Writer(organization, settings.read_pepper())
    steps = year(people, seed=seed, starts=starts, days=days)
    done = 0
    while chunk := list(islice(steps, CHUNK)):
        done += store.write(lambda db, chunk=chunk: writer.write(db, chunk))
        tell(done)
    return organization


def _found(connection: sa.Connection, slug: str, at: datetime) -> Organization:
    with written_at(at):
        return organizations.create(connection, slug, name=slug.replace("-", " ").title(), actor=CLI)
