"""The tables of access reviews and of exceptions from controls."""

import sqlalchemy as sa

from scim_app.store.db.tables import Id, Instant, metadata

campaigns = sa.Table(
    "campaigns",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    # The event that the population was fixed at, how many accesses it has, and the digest of all of them.
    sa.Column("as_of_seq", sa.BigInteger, nullable=False),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("population_sha256", sa.String(64), nullable=False),
    sa.Column("closed_at", Instant, nullable=True),
    sa.Column("closed_by", sa.Text, nullable=True),
)

review_items = sa.Table(
    "review_items",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("campaign_id", Id, primary_key=True),
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # The access as it was when the review was opened: no key to what may be gone later.
    sa.Column("user_id", Id, nullable=False),
    sa.Column("user_name", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=True),
    sa.Column("access_kind", sa.Text, nullable=False),
    sa.Column("access_id", Id, nullable=False),
    sa.Column("access_name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=True),
    sa.Column("managed_by", sa.Text, nullable=False),
    sa.Column("privileged", sa.Boolean, nullable=False),
    sa.Column("reviewer_id", Id, nullable=False),
    sa.Column("reviewer_name", sa.Text, nullable=False),
    sa.Column("decision", sa.Text, nullable=True),
    sa.Column("reason", sa.Text, nullable=True),
    sa.Column("decided_at", Instant, nullable=True),
    sa.Column("decided_by", sa.Text, nullable=True),
    # When a revocation was done, by whom; what the identity provider's admin has to do where it is theirs.
    sa.Column("applied_at", Instant, nullable=True),
    sa.Column("applied_by", sa.Text, nullable=True),
    sa.Column("task", sa.Text, nullable=True),
    sa.Index("ix_review_items_reviewer", "org_id", "campaign_id", "reviewer_id", "id"),
)

exceptions = sa.Table(
    "exceptions",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("control", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Text, nullable=False),
    sa.Column("subject_name", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("ended_at", Instant, nullable=True),
    sa.Column("ended_by", sa.Text, nullable=True),
)
