"""When the person of a session proved who it is: credentials are made only a moment after."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("authenticated_at", sa.String(27)))


def downgrade() -> None:
    op.drop_column("sessions", "authenticated_at")
