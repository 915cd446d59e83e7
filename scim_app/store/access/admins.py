"""The last Organization Admin: who they are, and what happens where the last one would lose access."""

from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.errors import Refused
from scim_app.store.db.prepared import Prepared
from scim_app.store.db.settings_tables import grants, makes_admin
from scim_app.store.db.tables import team_members, users
from scim_app.store.log.event_log import Unit

_HOLDERS = Prepared(
    lambda _: sa.select(grants.c.holder_kind, grants.c.holder_id).where(
        grants.c.org_id == sa.bindparam("org"), makes_admin
    )
)


def organization_admins(connection: sa.Connection, org_id: str) -> set[str]:
    """Return the ids of the active users who are Organization Admins, by their own grant or a team's."""
    holders = _HOLDERS.all(connection, org=org_id)
    if not holders:
        return set()
    people = [holder for kind, holder in holders if kind == "user"]
    teams = [holder for kind, holder in holders if kind == "team"]
    through = sa.select(team_members.c.member_id).where(
        team_members.c.org_id == org_id, team_members.c.team_id.in_(teams)
    )
    query = sa.select(users.c["id"]).where(
        users.c.org_id == org_id,
        users.c["id"].in_(people) | users.c["id"].in_(through),
        users.c.active,
        users.c.deleted_at.is_(None),
    )
    return set(connection.execute(query).scalars())


@contextmanager
def keeping_an_admin(unit: Unit) -> Generator[None]:
    """Refuse what is done in the block where it would leave the organization without an Organization Admin.

    Raises:
        Refused: naming what to do first; the write is undone.
    """
    before = organization_admins(unit.connection, unit.org_id)
    yield
    if before and not organization_admins(unit.connection, unit.org_id):
        raise Refused(
            "this would take away the last Organization Admin: grant the role to somebody else who is active first"
        )


@contextmanager
def telling_of_no_admin(unit: Unit) -> Generator[None]:
    """Let everything in the block happen, and record `organization.orphaned` where no Organization Admin is left.

    For what an identity provider asks: taking access away is never refused.
    """
    before = organization_admins(unit.connection, unit.org_id) if unit.rules.has_admin_grants else set[str]()
    yield
    if before and not organization_admins(unit.connection, unit.org_id):
        unit.record(
            Event(
                type=EventType.ORGANIZATION_ORPHANED,
                subject_kind="organization",
                subject_id=unit.org_id,
                detail="no active Organization Admin is left; sign in by break-glass and grant the role",
                change={"admins": sorted(before)},
            )
        )
