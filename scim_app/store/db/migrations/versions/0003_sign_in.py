"""Signing in: sessions, identities, setup links; and what the pages search and sort by."""

import orjson
import sqlalchemy as sa
from alembic import op

from scim_app.directory.kinds import TEAM, USER, Kind, search_key

revision = "0003"
down_revision = "0002"

ID, INSTANT, DIGEST = sa.String(36), sa.String(27), sa.String(64)


def upgrade() -> None:
    _create_sign_in()
    live = sa.text("deleted_at IS NULL")
    for name, kind in (("users", USER), ("teams", TEAM)):
        op.add_column(name, sa.Column("search_key", sa.Text, nullable=False, server_default=""))
        _fill_search_keys(name, kind)
        found = ["org_id", "search_key", "id"]
        op.create_index(f"ix_{name}_search", name, found, sqlite_where=live, postgresql_where=live)
        op.create_index(f"ix_{name}_changed", name, ["org_id", "updated_at", "id"])
    for name in ("type", "actor"):
        op.create_index(f"ix_events_{name}", "events", ["org_id", name, "seq"])


def _create_sign_in() -> None:
    op.create_table(
        "sessions",
        *(sa.Column(name, ID, nullable=False) for name in ("org_id", "id")),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("user_id", ID),
        *(sa.Column(name, INSTANT, nullable=False) for name in ("started_at", "seen_at")),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_sessions"),
    )
    op.create_index("ux_sessions_digest", "sessions", ["org_id", "digest"], unique=True)
    op.create_index("ix_sessions_user", "sessions", ["org_id", "user_id"])
    op.create_table(
        "identities",
        sa.Column("org_id", ID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("issuer", "subject")),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "issuer", "subject", name="pk_identities"),
    )
    op.create_index("ix_identities_user", "identities", ["org_id", "user_id"])
    op.create_table(
        "setup_links",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.PrimaryKeyConstraint("org_id", "digest", name="pk_setup_links"),
    )


def _fill_search_keys(name: str, kind: Kind) -> None:
    table = sa.table(name, *(sa.column(column) for column in ("org_id", "id", "document", "search_key")))
    connection = op.get_bind()
    for org_id, key, document in connection.execute(sa.select(table.c.org_id, table.c.id, table.c.document)).all():
        mine = (table.c.org_id == org_id) & (table.c.id == key)
        found = search_key(kind, orjson.loads(document))
        connection.execute(sa.update(table).where(mine).values(search_key=found))
