"""Who had a name before: found when the same person is provisioned again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    gone = sa.text("deleted_at IS NOT NULL")
    for name in ("users", "teams"):
        columns = ["org_id", "name_key", "deleted_at"]
        op.create_index(f"ix_{name}_former", name, columns, sqlite_where=gone, postgresql_where=gone)


def downgrade() -> None:
    for name in ("users", "teams"):
        op.drop_index(f"ix_{name}_former", name)
