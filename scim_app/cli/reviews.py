"""`dagster-scim review`: access reviews from opening to the last revocation."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from scim_app.cli.opening import AsJson, Organization, acting, show, told
from scim_app.directory.reviews import Decision, ReviewScope
from scim_app.store.access.acting import Acting
from scim_app.store.db.stamps import instant
from scim_app.store.lifecycle import people, teams
from scim_app.store.reviews import campaigns, review_closing
from scim_app.store.reviews.campaigns import Item

app = typer.Typer(help="Access reviews.", no_args_is_help=True)

Review = Annotated[str, typer.Argument(metavar="REVIEW", help="Id of the review, or the name of an open one.")]
COLUMNS = ("id", "name", "scope", "opened_at", "due_at", "items", "closed_at", "as_of_seq")
ITEM_COLUMNS = ("id", "account", "access", "role", "managed_by", "reviewer", "decision", "reason", "outcome", "task")


@app.command("open")
def open_review(
    org: Organization,
    name: Annotated[str, typer.Argument(help="What people call it, such as 'Q4 2026'.")],
    scope: Annotated[ReviewScope, typer.Option(help="Whose access it asks for.")] = ReviewScope.ORGANIZATION,
    team: Annotated[list[str] | None, typer.Option(help="Teams of the scope `teams`; repeat it.")] = None,
    reviewer: Annotated[list[str] | None, typer.Option(help="Who reviews what no owner does; repeat it.")] = None,
    owners: Annotated[bool, typer.Option(help="Whether owners review the members of their teams.")] = True,
    days: Annotated[int, typer.Option(min=1, max=365, help="Days until it is due.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Open a review: its population is every access in the scope as it is now."""
    with acting(org) as desk:
        made = desk.write(
            campaigns.open_campaign,
            name=name,
            scope=scope,
            due_at=instant(datetime.now(UTC) + timedelta(days=days)),
            team_ids=[desk.read(teams.get, one).id for one in team or ()],
            by_owners=owners,
            reviewers=[desk.read(people.get, one).id for one in reviewer or ()],
        )
    told(
        asdict(made),
        f"The review {name!r} asks for {made.items} accesses as of event {made.as_of_seq}.",
        as_json=as_json,
    )


@app.command("list")
def list_all(org: Organization, as_json: AsJson = False) -> None:
    """List the reviews, the newest first."""
    with acting(org) as desk:
        found = desk.read(campaigns.listing)
    show(COLUMNS, map(asdict, found), as_json=as_json)


@app.command("show")
def show_review(
    org: Organization,
    review: Review,
    reviewer: Annotated[str | None, typer.Option(help="Only what this person is to decide.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the accesses of a review, with what was decided and whether revoked ones are gone."""
    with acting(org) as desk:
        campaign = desk.read(campaigns.get, review)
        reviewer_id = desk.read(people.get, reviewer).id if reviewer else None
        found = desk.read(campaigns.items, campaign.id, reviewer_id=reviewer_id)
        rows = [_row(desk, one) for one in found]
    show(ITEM_COLUMNS, rows, as_json=as_json)


@app.command()
def decide(
    org: Organization,
    review: Review,
    decision: Annotated[Decision, typer.Argument(help="What to do with them.")],
    item: Annotated[list[int], typer.Argument(help="Numbers of the accesses, as `review show` lists them.")],
    reviewer: Annotated[str, typer.Option(help="Who decides: one of the review's reviewers.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: AsJson = False,
) -> None:
    """Keep or revoke accesses, as one of the review's reviewers."""
    with acting(org) as desk:
        campaign, who = desk.read(campaigns.get, review), desk.read(people.get, reviewer)
        count = desk.write(campaigns.decide, campaign.id, item, decision, reason, reviewer_id=who.id)
    told({"decided": count}, f"{count} accesses: {decision.value}.", as_json=as_json)


@app.command()
def close(org: Organization, review: Review, as_json: AsJson = False) -> None:
    """Close a review: what is ours to revoke is revoked, the rest is a task for the identity provider's admin."""
    with acting(org) as desk:
        campaign = desk.read(campaigns.get, review)
        desk.write(review_closing.close, campaign.id)
        tasks = [one.task for one in desk.read(campaigns.items, campaign.id) if one.task]
    told({"review": campaign.id, "tasks": tasks}, f"The review {campaign.name!r} is closed.", as_json=as_json)
    if not as_json:
        for task in tasks:
            typer.echo(task)


def _row(desk: Acting, one: Item) -> dict[str, Any]:
    access = one.access
    return {
        "id": one.id,
        "account": access.user_name,
        "access": access.access_name,
        "role": access.role,
        "managed_by": access.managed_by,
        "reviewer": one.reviewer_name,
        "decision": one.decision,
        "reason": one.reason,
        "outcome": _outcome(desk, one),
        "task": one.task,
    }


def _outcome(desk: Acting, one: Item) -> str:
    if one.decision is None:
        return "not reviewed"
    if one.decision == Decision.KEEP:
        return "kept"
    return "open" if desk.read(review_closing.still_there, one.access) else "gone"
