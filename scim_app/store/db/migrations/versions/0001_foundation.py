"""The foundation: organizations, tokens, users, teams, members, and the event log that can only grow."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID, INSTANT, HASH = sa.String(36), sa.String(27), sa.String(64)


def upgrade() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", ID, nullable=False),
        sa.Column("slug", sa.String(63), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scim_enabled", sa.Boolean, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("log_epoch", ID, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("head_hash", HASH, nullable=False),
        sa.Column("head_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
        sa.UniqueConstraint("slug", name="uq_organizations_slug"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("idp", sa.Text),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.Column("last_used_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
    )
    op.create_index("ix_tokens_org_id", "tokens", ["org_id"])
    _create_resources(
        "users",
        sa.Column("user_name", sa.Text),
        sa.Column("external_id", sa.Text),
        sa.Column("active", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("display_name", "given_name", "family_name", "email", "title")),
        *(sa.Column(name, sa.Text) for name in ("user_type", "department", "employee_number", "manager_id")),
    )
    _create_resources("teams", sa.Column("display_name", sa.Text), sa.Column("external_id", sa.Text))
    op.create_table(
        "team_members",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("team_id", ID, nullable=False),
        sa.Column("member_id", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "team_id", "member_id", name="pk_team_members"),
    )
    op.create_index("ix_team_members_member", "team_members", ["org_id", "member_id", "team_id"])
    _create_events()


def _create_resources(name: str, *promoted: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("org_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("idp", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT),
        sa.Column("name_key", sa.Text, nullable=False),
        *promoted,
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name=f"pk_{name}"),
    )
    live = "deleted_at IS NULL"
    _create_unique(f"ux_{name}_name", name, "name_key", live)
    _create_unique(f"ux_{name}_external_id", name, "external_id", f"{live} AND external_id IS NOT NULL")
    _create_unique(f"ux_{name}_position", name, "position", live)


def _create_unique(index: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(index, table, ["org_id", column], unique=True, sqlite_where=condition, postgresql_where=condition)


def _create_events() -> None:
    texts = ("subject_id", "subject_name", "actor", "idp", "request_id", "method", "path")
    op.create_table(
        "events",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("log_epoch", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=name != "actor") for name in texts),
        sa.Column("status", sa.Integer),
        *(sa.Column(name, sa.Text) for name in ("scim_type", "detail", "change", "document")),
        sa.Column("prev_hash", HASH, nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "seq", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
    )
    op.create_index("ix_events_subject", "events", ["org_id", "subject_id", "seq"])
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER events_no_{verb.lower()} BEFORE {verb} ON events "
                "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
            "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()"
        )


def downgrade() -> None:
    for table in ("events", "team_members", "teams", "users", "tokens", "organizations"):
        op.drop_table(table)
