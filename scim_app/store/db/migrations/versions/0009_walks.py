"""Where the pages of walks by index ended, for every worker to go on from; unlogged, since a crash may forget it."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # on SQLite it is in a file beside the store
        op.execute(
            "CREATE UNLOGGED TABLE walks (org_id VARCHAR(36) NOT NULL, token_id VARCHAR(12) NOT NULL, "
            "search TEXT NOT NULL, start BIGINT NOT NULL, place TEXT NOT NULL, until VARCHAR(27) NOT NULL, "
            "CONSTRAINT pk_walks PRIMARY KEY (org_id, token_id, search, start))"
        )


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS walks")
