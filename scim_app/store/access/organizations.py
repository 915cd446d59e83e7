"""Organizations: who is served, under which name."""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from scim_app.directory.events import GENESIS, Actor, Event, EventType, describe
from scim_app.directory.replay import FIRST_SETTINGS
from scim_app.errors import Conflict, NotFound
from scim_app.store.db.stamps import new_id, now
from scim_app.store.db.tables import organizations
from scim_app.store.log.event_log import Unit

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization as it stands."""

    id: str
    slug: str
    name: str
    scim_enabled: bool
    time_zone: str
    created_at: str
    last_seq: int
    default_role: str
    """Role of everybody who has no grant."""
    seat_limit: int | None
    """Most active users; None for any number."""
    user_name_policy: str
    """What is done about a userName that is no e-mail address: `flag` or `strict` (refused)."""
    deprovision_sla_seconds: int
    dormant_days: int
    review_days: int
    grace_days: int
    rubber_stamp_seconds: int
    rubber_stamp_least: int
    """Thresholds of reports; `directory.thresholds` says what they mean."""


_COLUMNS = [organizations.c[name] for name in Organization.__slots__]


def create(
    connection: sa.Connection, slug: str, *, name: str | None = None, time_zone: str = "UTC", actor: Actor
) -> Organization:
    """Set up an organization, with SCIM on, and return it.

    Raises:
        ValueError: when the slug or the time zone is not one.
        Conflict: when the slug is taken.
    """
    if not _SLUG.fullmatch(slug):
        raise ValueError(
            f"{slug!r} can't be an organization's slug: use lower-case letters, digits and hyphens, at most 63"
        )
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{time_zone!r} is not a time zone; use an IANA name such as Europe/Paris") from error
    if connection.execute(sa.select(organizations.c.id).where(organizations.c.slug == slug)).first():
        raise Conflict(f"the organization {slug!r} exists already")
    org_id, at = new_id(), now()
    row = {"id": org_id, "slug": slug, "name": name or slug, "scim_enabled": True, "time_zone": time_zone}
    log = {"created_at": at, "head_at": at, "log_epoch": new_id(), "last_seq": 0, "head_hash": GENESIS}
    connection.execute(sa.insert(organizations), row | log)
    Unit.begin(connection, org_id, actor).record(
        Event(
            type=EventType.ORGANIZATION_CREATED,
            subject_kind="organization",
            subject_id=org_id,
            subject_name=slug,
            change={"attributes": describe(None, {"name": name or slug, "time_zone": time_zone, **FIRST_SETTINGS})},
        )
    )
    return by_slug(connection, slug)


def listing(connection: sa.Connection) -> list[Organization]:
    """Return all organizations in order of slug."""
    return [Organization(*row) for row in connection.execute(sa.select(*_COLUMNS).order_by(organizations.c.slug))]


def by_slug(connection: sa.Connection, slug: str) -> Organization:
    """Return the organization with a slug.

    Raises:
        NotFound: when there is none.
    """
    row = connection.execute(sa.select(*_COLUMNS).where(organizations.c.slug == slug)).first()
    if row is None:
        raise NotFound(f"there is no organization {slug!r}; `dagster-scim org list` shows those there are")
    return Organization(*row)


def by_id(connection: sa.Connection, org_id: str) -> Organization:
    """Return the organization with an id.

    Raises:
        NotFound: when there is none.
    """
    row = connection.execute(sa.select(*_COLUMNS).where(organizations.c.id == org_id)).first()
    if row is None:
        raise NotFound("there is no such organization")
    return Organization(*row)
