"""First sign-ins that wait for a confirmation, and setup links that name a user."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

ID, INSTANT = sa.String(36), sa.String(27)


def upgrade() -> None:
    op.create_table(
        "identity_requests",
        sa.Column("org_id", ID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("issuer", "subject")),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "issuer", "subject", name="pk_identity_requests"),
    )
    op.create_index("ix_identity_requests_user", "identity_requests", ["org_id", "user_id"])
    op.add_column("setup_links", sa.Column("user_id", ID))
    op.add_column("setup_links", sa.Column("address", sa.Text))


def downgrade() -> None:
    op.drop_column("setup_links", "address")
    op.drop_column("setup_links", "user_id")
    op.drop_table("identity_requests")
