"""How many members each team has, so that its limit can be held without counting them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    sizes = op.create_table(
        "team_sizes",
        sa.Column("org_id", sa.String(36), nullable=False),
        sa.Column("team_id", sa.String(36), nullable=False),
        sa.Column("members", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "team_id", name="pk_team_sizes"),
    )
    members = sa.table("team_members", sa.column("org_id"), sa.column("team_id"))
    counts = sa.select(members.c.org_id, members.c.team_id, sa.func.count()).group_by(
        members.c.org_id, members.c.team_id
    )
    op.execute(sizes.insert().from_select(["org_id", "team_id", "members"], counts))


def downgrade() -> None:
    op.drop_table("team_sizes")
