"""Several ends of pages for one step: walks of one client over one search, side by side, miss nobody."""

from alembic import op

revision = "0011"
down_revision = "0010"

KEY = "org_id VARCHAR(36) NOT NULL, token_id VARCHAR(12) NOT NULL, search TEXT NOT NULL, start BIGINT NOT NULL"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # on SQLite they are in a file beside the store
        op.execute("DROP TABLE IF EXISTS walks")
        op.execute(
            f"CREATE UNLOGGED TABLE walk_ends ({KEY}, place TEXT NOT NULL, until VARCHAR(27) NOT NULL, "
            "waiting INTEGER NOT NULL, "
            "CONSTRAINT pk_walk_ends PRIMARY KEY (org_id, token_id, search, start, place))"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TABLE IF EXISTS walk_ends")
        op.execute(
            f"CREATE UNLOGGED TABLE walks ({KEY}, place TEXT NOT NULL, until VARCHAR(27) NOT NULL, "
            "CONSTRAINT pk_walks PRIMARY KEY (org_id, token_id, search, start))"
        )
