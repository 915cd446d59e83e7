"""Access reviews: opened and closed by an admin, decided by reviewers on a page of their own."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from scim_app.admin.failures import bad_request
from scim_app.admin.guard import PageRoute
from scim_app.admin.visits import Visit, allowed
from scim_app.admin.wording import plural
from scim_app.directory.permissions import Permission
from scim_app.directory.reviews import Decision, ReviewScope
from scim_app.store.db.stamps import instant
from scim_app.store.lifecycle import people, teams
from scim_app.store.log.event_log import Unit
from scim_app.store.reviews import campaigns, review_closing
from scim_app.store.reviews.campaigns import Campaign, Item

router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.SEE_USERS)]
Manage = Annotated[Visit, allowed(Permission.MANAGE_SETTINGS)]

PAGE = 40
"""Accesses on a page: as many as one form can decide."""


@router.get("/{org}/settings/reviews")
def show_reviews(visit: See) -> Response:
    """Show the reviews: all to an admin, to others those they have something to decide in."""

    def load(db: sa.Connection) -> list[dict[str, Any]]:
        found = [_told(db, visit, one) for one in campaigns.listing(db, visit.org.id)]
        return [one for one in found if one["mine"] or visit.may(Permission.SEE_AUDIT_LOG)]

    return visit.page("reviews.html", "Access reviews", "reviews", rows=visit.read(load))


@router.get("/{org}/settings/reviews/new")
def ask_for_review(visit: Manage) -> Response:
    """Show the form of a new review."""
    return _form(visit, {"scope": ReviewScope.ORGANIZATION.value, "owners": "yes", "days": "14"})


@router.post("/{org}/settings/reviews/new")
def open_review(visit: Manage) -> Response:
    """Open a review over every access that there is now."""
    made, problem = visit.attempt(lambda unit: _open(unit, visit))
    if made is None:
        return _form(visit, dict(visit.form), problem)
    return visit.go(
        f"reviews/{made.id}", f"The review is open. It asks for {plural(made.items, 'access', 'accesses')}."
    )


@router.get("/{org}/settings/reviews/{review_id}")
def show_review(visit: See, review_id: str) -> Response:
    """Show a review: to a reviewer what is theirs to decide, to an admin all of it."""

    def load(db: sa.Connection) -> dict[str, Any]:
        campaign = campaigns.get(db, visit.org.id, review_id)
        every = campaigns.items(db, visit.org.id, campaign.id)
        seen = every if visit.may(Permission.SEE_AUDIT_LOG) else _mine(visit, every)
        chosen = _chosen(visit, seen)
        first = max(0, _number(visit.query("from")))
        shown = chosen[first : first + PAGE]
        return {
            "campaign": campaign,
            "counts": _counts(seen),
            "rows": [_row(db, visit, one) for one in shown],
            "first": first,
            "total": len(chosen),
            "page_size": PAGE,
            "view": visit.query("view"),
            "may_decide": campaign.closed_at is None and bool(_mine(visit, shown)),
            "tasks": [one for one in seen if one.task and review_closing.still_there(db, visit.org.id, one.access)],
        }

    found = visit.read(load)
    return visit.page("review.html", found["campaign"].name, "reviews", **found)


@router.post("/{org}/settings/reviews/{review_id}/decide")
def decide(visit: See, review_id: str) -> Response:
    """Keep or revoke the accesses that were ticked; they must be this person's to decide."""
    reviewer_id = visit.viewer.session.user_id
    ticked = [_number(name.removeprefix("item-")) for name in visit.form if name.startswith("item-")]
    if reviewer_id is None or not ticked or visit.field("decision") not in set(Decision):
        raise bad_request("Sign in as a reviewer, tick at least one access and say what to do.", visit.base)
    decision = Decision(visit.field("decision"))
    reason = visit.field("reason")
    visit.write(lambda unit: campaigns.decide(unit, review_id, ticked, decision, reason, reviewer_id=reviewer_id))
    words = "are kept" if decision is Decision.KEEP else "will be taken away when the review is closed"
    return visit.go(f"reviews/{review_id}?view=open", f"{plural(len(ticked), 'access', 'accesses')} {words}.")


@router.post("/{org}/settings/reviews/{review_id}/close")
def close_review(visit: Manage, review_id: str) -> Response:
    """Close a review, after asking."""
    campaign = visit.read(lambda db: campaigns.get(db, visit.org.id, review_id))
    if not visit.confirmed:
        counts = _counts(visit.read(lambda db: campaigns.items(db, visit.org.id, review_id)))
        told = [
            f"{plural(counts['open'], 'access is', 'accesses are')} not decided and will be told as not reviewed.",
            f"{plural(counts['revoked'], 'access is', 'accesses are')} revoked: ours at once, those of the identity "
            "provider as tasks with the exact group. A revocation stays open until the access is gone.",
        ]
        back = (f"reviews/{review_id}", campaign.name)
        return visit.confirm(f"Close {campaign.name}?", "Close review", told, section="reviews", back=back)
    visit.write(lambda unit: review_closing.close(unit, review_id))
    return visit.go(f"reviews/{review_id}", "The review is closed. Its evidence pack is written by the next run.")


def _open(unit: Unit, visit: Visit) -> Campaign:
    days = _number(visit.field("days")) or 14
    named = [line.strip() for line in visit.field("reviewers").replace(",", "\n").splitlines() if line.strip()]
    chosen = [line.strip() for line in visit.field("teams").splitlines() if line.strip()]
    return campaigns.open_campaign(
        unit,
        name=visit.field("name"),
        scope=ReviewScope(visit.field("scope")),
        due_at=instant(datetime.now(UTC) + timedelta(days=min(days, 365))),
        team_ids=[teams.get(unit.connection, unit.org_id, name).id for name in chosen],
        by_owners=visit.field("owners") == "yes",
        reviewers=[people.get(unit.connection, unit.org_id, name).id for name in named],
    )


def _form(visit: Visit, values: dict[str, str], problem: str = "") -> Response:
    names = ("name", "scope", "teams", "owners", "reviewers", "days")
    fields = {name: values.get(name, "") for name in names}
    status = 422 if problem else 200
    return visit.page("review_new.html", "New review", "reviews", status, problem=problem, fields=fields)


def _told(db: sa.Connection, visit: Visit, campaign: Campaign) -> dict[str, Any]:
    every = campaigns.items(db, visit.org.id, campaign.id)
    mine = _mine(visit, every)
    return {**asdict(campaign), **_counts(every), "mine": len(mine), "waiting": _counts(mine)["open"]}


def _mine(visit: Visit, items: Sequence[Item]) -> list[Item]:
    return [one for one in items if one.reviewer_id == visit.viewer.session.user_id]


def _counts(items: Sequence[Item]) -> dict[str, int]:
    return {
        "all": len(items),
        "open": sum(one.decision is None for one in items),
        "kept": sum(one.decision == Decision.KEEP for one in items),
        "revoked": sum(one.decision == Decision.REVOKE for one in items),
    }


def _chosen(visit: Visit, items: Sequence[Item]) -> Sequence[Item]:
    views = {"open": None, "kept": Decision.KEEP, "revoked": Decision.REVOKE}
    view = visit.query("view")
    return [one for one in items if one.decision == views[view]] if view in views else items


def _row(db: sa.Connection, visit: Visit, one: Item) -> dict[str, Any]:
    gone = one.decision == Decision.REVOKE and not review_closing.still_there(db, visit.org.id, one.access)
    return {"item": one, "access": one.access, "gone": gone, "mine": one.reviewer_id == visit.viewer.session.user_id}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
