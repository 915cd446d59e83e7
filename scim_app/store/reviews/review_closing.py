"""The end of an access review: what is ours is revoked at once, the rest becomes a task with the exact group."""

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.directory.reviews import Access, Decision, task
from scim_app.errors import NotFound, Refused
from scim_app.store.access import grants
from scim_app.store.db.review_tables import campaigns as campaign_table
from scim_app.store.db.review_tables import review_items
from scim_app.store.db.tables import team_members, users
from scim_app.store.lifecycle import people, teams
from scim_app.store.log.event_log import Unit
from scim_app.store.reviews import campaigns
from scim_app.store.reviews.campaigns import Campaign, Item

SYSTEM = "dagster-scim"


def close(unit: Unit, campaign_id: str) -> Campaign:
    """Close a review and return it; what stays undecided is told as not reviewed.

    A revocation stays open until the access is really gone, whoever ends it (`still_there`).

    Raises:
        NotFound: when there is no such review.
        Conflict: when it is closed.
    """
    campaign = campaigns.require_open(unit, campaign_id)
    found = campaigns.items(unit.connection, unit.org_id, campaign.id)
    told = {
        "items": len(found),
        "decided": sum(one.decision is not None for one in found),
        "revoked": [one.id for one in found if one.decision == Decision.REVOKE],
    }
    change = {"campaign": told}
    unit.record(
        Event(
            type=EventType.CAMPAIGN_CLOSED,
            subject_kind="campaign",
            subject_id=campaign.id,
            subject_name=campaign.name,
            change=change,
        )
    )
    mine = (campaign_table.c.org_id == unit.org_id) & (campaign_table.c.id == campaign.id)
    closed = {"closed_at": unit.at, "closed_by": unit.actor.name}
    unit.connection.execute(sa.update(campaign_table).where(mine).values(closed))
    for one in found:
        if one.decision == Decision.REVOKE:
            _revoke(unit, campaign.id, one)
    return campaigns.get(unit.connection, unit.org_id, campaign.id)


def still_there(connection: sa.Connection, org_id: str, access: Access) -> bool:
    """Tell whether an access that was revoked still exists: it is what keeps a revocation open."""
    active = sa.select(users.c.id).where(
        users.c.org_id == org_id, users.c.id == access.user_id, users.c.deleted_at.is_(None), users.c.active
    )
    if connection.execute(active).first() is None:
        return False
    if access.access_kind == "role":
        return any(one.grant_id == access.access_id for one in grants.find(connection, org_id))
    if access.access_kind == "account":
        return True
    member = sa.select(team_members.c.member_id).where(
        team_members.c.org_id == org_id,
        team_members.c.team_id == access.access_id,
        team_members.c.member_id == access.user_id,
    )
    return connection.execute(member).first() is not None


def _revoke(unit: Unit, campaign_id: str, one: Item) -> None:
    """Do what is ours to do; note a task for what is the identity provider's, or what keeps us from it."""
    values: dict[str, str | None] = {"task": task(one.access, _identity_provider(unit, one.access))}
    if values["task"] is None:
        try:
            with unit.attempt():
                _end(unit, one.access)
            values = {"applied_at": unit.at, "applied_by": SYSTEM}
        except NotFound:
            values = {"applied_at": unit.at, "applied_by": "already gone"}
        except Refused as refusal:
            values = {"task": str(refusal)}
    c = review_items.c
    mine = (c.org_id == unit.org_id) & (c.campaign_id == campaign_id) & (c.id == one.id)
    unit.connection.execute(sa.update(review_items).where(mine).values(values))


def _end(unit: Unit, access: Access) -> None:
    if access.access_kind == "role":
        grants.revoke(unit, access.access_id)
    elif access.access_kind == "team":
        teams.remove_member(unit, access.access_id, access.user_id)
    else:
        people.remove(unit, access.user_id)


def _identity_provider(unit: Unit, access: Access) -> str | None:
    query = sa.select(users.c.idp).where(users.c.org_id == unit.org_id, users.c.id == access.user_id)
    return unit.connection.execute(query).scalar_one_or_none()
