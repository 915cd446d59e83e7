"""How many live resources there are in each block of positions, so that a list knows its total and finds any rank."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BLOCK = 1024
KINDS = {"users": "user", "teams": "team"}


def upgrade() -> None:
    op.create_table(
        "list_blocks",
        sa.Column("org_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("live", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "kind", "block", name="pk_list_blocks"),
    )
    for table, kind in KINDS.items():
        _fill(table, kind)
        for trigger in _sqlite(table, kind) if op.get_bind().dialect.name == "sqlite" else _postgres(table, kind):
            op.execute(trigger)


def _fill(table: str, kind: str) -> None:
    rows = sa.table(table, *(sa.column(name) for name in ("org_id", "position", "deleted_at")))
    block = (rows.c.position / sa.literal_column(str(BLOCK))).label("block")
    counts = sa.select(rows.c.org_id, sa.literal(kind), block, sa.func.count()).where(rows.c.deleted_at.is_(None))
    blocks = sa.table("list_blocks", *(sa.column(name) for name in ("org_id", "kind", "block", "live")))
    op.execute(blocks.insert().from_select(list(blocks.c), counts.group_by(rows.c.org_id, block)))


def _counted(kind: str, row: str, change: str) -> str:
    """Return the statement that counts a row in or out of its block."""
    return (  # the names are this file's own
        f"INSERT INTO list_blocks (org_id, kind, block, live) "
        f"VALUES ({row}.org_id, '{kind}', {row}.position / {BLOCK}, {change}) "
        f"ON CONFLICT (org_id, kind, block) DO UPDATE SET live = list_blocks.live + excluded.live;"
    )


def _sqlite(table: str, kind: str) -> list[str]:
    back_or_gone = "CASE WHEN NEW.deleted_at IS NULL THEN 1 ELSE -1 END"
    return [
        f"CREATE TRIGGER {table}_listed AFTER INSERT ON {table} WHEN NEW.deleted_at IS NULL "
        f"BEGIN {_counted(kind, 'NEW', '1')} END",
        f"CREATE TRIGGER {table}_relisted AFTER UPDATE OF deleted_at ON {table} "
        f"WHEN (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) BEGIN {_counted(kind, 'NEW', back_or_gone)} END",
        f"CREATE TRIGGER {table}_unlisted AFTER DELETE ON {table} WHEN OLD.deleted_at IS NULL "
        f"BEGIN {_counted(kind, 'OLD', '-1')} END",
    ]


def _postgres(table: str, kind: str) -> list[str]:
    return [
        f"CREATE FUNCTION {table}_count() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL THEN {_counted(kind, 'OLD', '-1')} END IF; "
        f"IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL THEN {_counted(kind, 'NEW', '1')} END IF; "
        f"RETURN NULL; END $$",
        f"CREATE TRIGGER {table}_listed AFTER INSERT OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_count()",
        f"CREATE TRIGGER {table}_relisted AFTER UPDATE OF deleted_at ON {table} "
        f"FOR EACH ROW WHEN (OLD.deleted_at IS DISTINCT FROM NEW.deleted_at) EXECUTE FUNCTION {table}_count()",
    ]


def downgrade() -> None:
    for table in KINDS:
        if op.get_bind().dialect.name == "sqlite":
            for name in ("listed", "relisted", "unlisted"):
                op.execute(f"DROP TRIGGER {table}_{name}")
        else:
            op.execute(f"DROP TRIGGER {table}_listed ON {table}; DROP TRIGGER {table}_relisted ON {table}")
            op.execute(f"DROP FUNCTION {table}_count()")
    op.drop_table("list_blocks")
