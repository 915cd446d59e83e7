"""Access reviews: opened over a population fixed at one event, decided item by item, closed with what was revoked."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from scim_app.directory.events import Event, EventType
from scim_app.directory.reviews import Access, Decision, ReviewScope, assign, digest, require_lawful
from scim_app.errors import Conflict, NotFound
from scim_app.store.db.review_tables import campaigns, review_items
from scim_app.store.db.stamps import new_id
from scim_app.store.db.tables import organizations, users
from scim_app.store.log.event_log import Unit
from scim_app.store.reviews.review_population import owners, population


@dataclass(frozen=True, slots=True)
class Campaign:
    """An access review. Times are ISO 8601 in UTC."""

    id: str
    name: str
    scope: str
    opened_at: str
    opened_by: str
    due_at: str
    as_of_seq: int
    items: int
    population_sha256: str
    closed_at: str | None
    closed_by: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """An access of a review, with what was decided."""

    id: int
    access: Access
    reviewer_id: str
    reviewer_name: str
    decision: str | None
    reason: str | None
    decided_at: str | None
    applied_at: str | None
    task: str | None


_CAMPAIGN = [campaigns.c[field.name] for field in fields(Campaign)]
_ACCESS = [field.name for field in fields(Access)]


def open_campaign(
    unit: Unit,
    *,
    name: str,
    scope: ReviewScope,
    due_at: str,
    team_ids: Sequence[str] = (),
    by_owners: bool = True,
    reviewers: Sequence[str] = (),
) -> Campaign:
    """Begin a review and return it; the accesses that there are now are its population.

    Args:
        unit: the write.
        name: what people call it, unique among the open ones.
        scope: whose access it asks for.
        due_at: when it should be decided (ISO 8601, UTC).
        team_ids: teams of the scope `teams`.
        by_owners: whether owners of a team review its members.
        reviewers: user ids of those who review what no owner does.

    Raises:
        ValueError: when it asks for nothing, or an access has nobody else to review it.
        NotFound: when a reviewer is no active account.
        Conflict: when an open review has this name.
    """
    if any(one.closed_at is None and one.name == name for one in listing(unit.connection, unit.org_id)):
        raise Conflict(f"an open review is called {name!r} already: close it, or choose another name")
    names = _names(unit, reviewers)
    asked = population(unit.connection, unit.org_id, scope, team_ids)
    if not asked:
        raise ValueError("there is no access to review in this scope")
    owning = owners(unit.connection, unit.org_id) if by_owners else {}
    assigned = assign(asked, owning, list(reviewers))
    names |= _names(unit, sorted({reviewer for _, reviewer in assigned}))
    campaign_id = new_id()
    row = {
        "name": name,
        "scope": scope.value,
        "due_at": due_at,
        "as_of_seq": _last_event(unit),
        "items": len(asked),
        "population_sha256": digest(asked),
    }
    unit.record(_event(EventType.CAMPAIGN_OPENED, campaign_id, name, {"campaign": row}))
    key = {"org_id": unit.org_id, "id": campaign_id, "opened_at": unit.at, "opened_by": unit.actor.name}
    unit.connection.execute(sa.insert(campaigns), key | row)
    _insert_items(unit, campaign_id, assigned, names)
    return get(unit.connection, unit.org_id, campaign_id)


def _insert_items(unit: Unit, campaign_id: str, assigned: Sequence[tuple[Access, str]], names: dict[str, str]) -> None:
    rows = [
        {name: getattr(access, name) for name in _ACCESS}
        | {"org_id": unit.org_id, "campaign_id": campaign_id, "id": number}
        | {"reviewer_id": reviewer, "reviewer_name": names[reviewer]}
        for number, (access, reviewer) in enumerate(assigned, 1)
    ]
    unit.connection.execute(sa.insert(review_items), rows)


def decide(
    unit: Unit, campaign_id: str, item_ids: Sequence[int], decision: Decision, reason: str, *, reviewer_id: str
) -> int:
    """Decide on accesses of an open review as one of its reviewers, and return how many; the last word counts.

    Raises:
        ValueError: when a decision is not the reviewer's to make, or has no reason.
        Conflict: when the review is closed.
        NotFound: when there is no such review or access.
    """
    campaign = require_open(unit, campaign_id)
    wanted = set(item_ids)
    found = [one for one in items(unit.connection, unit.org_id, campaign_id) if one.id in wanted]
    if missing := wanted - {one.id for one in found}:
        raise NotFound(f"the review {campaign.name!r} has no access {min(missing)}")
    for one in found:
        require_lawful(decision, reason, reviewer_id=reviewer_id, access=one.access, assigned_to=one.reviewer_id)
    values = {"decision": decision.value, "reason": reason.strip(), "decided_at": unit.at, "decided_by": reviewer_id}
    change = {"campaign_id": campaign_id, "items": sorted(wanted), **values}
    unit.record(_event(EventType.CAMPAIGN_DECIDED, campaign_id, campaign.name, {"decisions": change}))
    for number in sorted(wanted):
        unit.connection.execute(_item(unit, campaign_id, number).values(values))
    return len(found)


def require_open(unit: Unit, campaign_id: str) -> Campaign:
    """Return a review that is open.

    Raises:
        Conflict: when it is closed.
    """
    campaign = get(unit.connection, unit.org_id, campaign_id)
    if campaign.closed_at is not None:
        raise Conflict(f"the review {campaign.name!r} was closed at {campaign.closed_at[:16]} UTC")
    return campaign


def listing(connection: sa.Connection, org_id: str) -> list[Campaign]:
    """Return an organization's reviews, the newest first."""
    query = sa.select(*_CAMPAIGN).where(campaigns.c.org_id == org_id).order_by(campaigns.c.opened_at.desc())
    return [Campaign(*row) for row in connection.execute(query)]


def get(connection: sa.Connection, org_id: str, campaign_id: str) -> Campaign:
    """Return a review by its id, or by its name where one open review has it.

    Raises:
        NotFound: when there is none.
    """
    for one in listing(connection, org_id):
        if one.id == campaign_id or (one.name == campaign_id and one.closed_at is None):
            return one
    raise NotFound(f"there is no review {campaign_id!r}; `dagster-scim review list` shows those there are")


def items(connection: sa.Connection, org_id: str, campaign_id: str, *, reviewer_id: str | None = None) -> list[Item]:
    """Return the accesses of a review in their order, all or those of one reviewer."""
    c = review_items.c
    query = sa.select(review_items).where(c.org_id == org_id, c.campaign_id == campaign_id).order_by(c.id)
    if reviewer_id is not None:
        query = query.where(c.reviewer_id == reviewer_id)
    return [_as_item(row) for row in connection.execute(query).mappings()]


def _as_item(row: Any) -> Item:
    access = Access(**{name: row[name] for name in _ACCESS})
    kept = ("reviewer_id", "reviewer_name", "decision", "reason", "decided_at", "applied_at", "task")
    return Item(row["id"], access, *(row[name] for name in kept))


def _item(unit: Unit, campaign_id: str, number: int) -> sa.Update:
    c = review_items.c
    return sa.update(review_items).where(c.org_id == unit.org_id, c.campaign_id == campaign_id, c.id == number)


def _names(unit: Unit, user_ids: Sequence[str]) -> dict[str, str]:
    """Return the names of active accounts by id; raises `NotFound` for one that is none."""
    query = sa.select(users.c.id, users.c.user_name).where(
        users.c.org_id == unit.org_id, users.c.id.in_(user_ids), users.c.deleted_at.is_(None), users.c.active
    )
    names: dict[str, str] = {row.id: row.user_name for row in unit.connection.execute(query)}
    if missing := sorted(set(user_ids) - names.keys()):
        raise NotFound(f"the reviewer {missing[0]} is no active account")
    return names


def _last_event(unit: Unit) -> int:
    query = sa.select(organizations.c.last_seq).where(organizations.c.id == unit.org_id)
    return unit.connection.execute(query).scalar_one()


def _event(kind: EventType, campaign_id: str, name: str, change: dict[str, Any]) -> Event:
    return Event(type=kind, subject_kind="campaign", subject_id=campaign_id, subject_name=name, change=change)
