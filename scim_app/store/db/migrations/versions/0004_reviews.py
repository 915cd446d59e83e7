"""Access reviews and exceptions from controls."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID, INSTANT = sa.String(36), sa.String(27)


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "scope")),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("as_of_seq", sa.BigInteger, nullable=False),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("population_sha256", sa.String(64), nullable=False),
        sa.Column("closed_at", INSTANT),
        sa.Column("closed_by", sa.Text),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_campaigns"),
    )
    _create_items()
    op.create_table(
        "exceptions",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("control", "subject_id", "subject_name", "owner")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("reason", "requested_by", "approved_by")),
        *(sa.Column(name, INSTANT, nullable=False) for name in ("created_at", "expires_at")),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", sa.Text),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_exceptions"),
    )


def _create_items() -> None:
    op.create_table(
        "review_items",
        *(sa.Column(name, ID, nullable=False) for name in ("org_id", "campaign_id")),
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text),
        sa.Column("access_kind", sa.Text, nullable=False),
        sa.Column("access_id", ID, nullable=False),
        sa.Column("access_name", sa.Text, nullable=False),
        sa.Column("role", sa.Text),
        sa.Column("managed_by", sa.Text, nullable=False),
        sa.Column("privileged", sa.Boolean, nullable=False),
        sa.Column("reviewer_id", ID, nullable=False),
        sa.Column("reviewer_name", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("decision", "reason")),
        sa.Column("decided_at", INSTANT),
        sa.Column("decided_by", sa.Text),
        sa.Column("applied_at", INSTANT),
        *(sa.Column(name, sa.Text) for name in ("applied_by", "task")),
        sa.PrimaryKeyConstraint("org_id", "campaign_id", "id", name="pk_review_items"),
    )
    op.create_index("ix_review_items_reviewer", "review_items", ["org_id", "campaign_id", "reviewer_id", "id"])


def downgrade() -> None:
    for name in ("exceptions", "review_items", "campaigns"):
        op.drop_table(name)
