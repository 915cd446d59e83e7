"""How many members of each team are no users, so that a team of users is told without looking each of them up."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_COUNT = """
    UPDATE team_sizes SET others = (
        SELECT count(*) FROM team_members m
        WHERE m.org_id = team_sizes.org_id AND m.team_id = team_sizes.team_id AND NOT EXISTS (
            SELECT 1 FROM users u
            WHERE u.org_id = m.org_id AND u.id = m.member_id AND coalesce(u.deleted_at, '') = ''))
"""


def upgrade() -> None:
    op.add_column("team_sizes", sa.Column("others", sa.Integer, nullable=False, server_default="0"))
    op.execute(sa.text(_COUNT))


def downgrade() -> None:
    op.drop_column("team_sizes", "others")
