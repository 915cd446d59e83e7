"""The columns of access reviews and exceptions as they leave the store."""

from scim_app.directory.controls import TESTS
from scim_app.store.export.columns import Column


def _text(name: str, description: str) -> Column:
    return Column(name, "text", description)


def _instant(name: str, description: str) -> Column:
    return Column(name, "instant", description)


CAMPAIGN_COLUMNS = (
    _text("campaign_id", "Id of the access review"),
    _text("name", "What people call it"),
    _text("scope", "`organization`, `privileged` or `teams`"),
    _instant("opened_at", "When it was opened (UTC)"),
    _text("opened_by", "Who opened it"),
    _instant("due_at", "When it should be decided (UTC)"),
    Column("as_of_event", "integer", "Event that its population was fixed at"),
    Column("items", "integer", "How many accesses it asks for"),
    _text("population_sha256", "Digest of all of them"),
    _instant("closed_at", "When it was closed (UTC); empty while open"),
    _text("closed_by", "Who closed it"),
)

REVIEW_ITEM_COLUMNS = (
    _text("campaign_id", "Id of the access review"),
    Column("item_id", "integer", "Number of the access in the review"),
    _text("user_id", "Id of the account"),
    _text("user_name", "Name the account signed in with then"),
    _text("display_name", "Name shown to people then"),
    _text("access_kind", "`team`, `role` or `account`"),
    _text("access_id", "Id of the team, the grant or the account"),
    _text("access_name", "What people called it then"),
    _text("role", "Most permissive role that it gave, where it gave one"),
    _text("managed_by", "Who can end it: `identity_provider` or `dagster-scim`"),
    Column("privileged", "boolean", "Whether it gave access to others"),
    _text("reviewer_id", "Id of the account that was to decide"),
    _text("reviewer_name", "Its name then"),
    _text("decision", "`keep` or `revoke`; empty while undecided"),
    _text("reason", "Why"),
    _instant("decided_at", "When it was decided (UTC)"),
    _text("decided_by", "Id of the account that decided"),
    _instant("applied_at", "When the service revoked it (UTC)"),
    _text("applied_by", "Who revoked it, where it was the service"),
    _text("task", "What the identity provider's admin has to do, where it is theirs to revoke"),
)

EXCEPTION_COLUMNS = (
    _text("exception_id", "Id of the exception"),
    _text("control", "Control test that it is an exception from"),
    _text("subject_id", "Id of the account, team or token that is excused"),
    _text("subject_name", "Its name then"),
    _text("owner", "Who answers for it"),
    _text("reason", "Why"),
    _text("requested_by", "Who asked for it"),
    _text("approved_by", "Who allowed it"),
    _instant("created_at", "When it was allowed (UTC)"),
    _instant("expires_at", "Until when (UTC)"),
    _instant("ended_at", "When it was ended before its time (UTC)"),
)

CONTROL_TESTS = TESTS
"""Control test → what it asserts."""
