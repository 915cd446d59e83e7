"""Organization settings: deployments, grants, team owners, API keys, and what identity providers sent lately."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID, INSTANT, TOKEN_ID = sa.String(36), sa.String(27), sa.String(12)
USE = ("last_used_ip", "last_used_agent")


def upgrade() -> None:
    _extend()
    op.create_table(
        "api_keys",
        sa.Column("id", TOKEN_ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("expires_at", INSTANT, nullable=False),
        *(sa.Column(name, INSTANT) for name in ("revoked_at", "last_used_at")),
        *(sa.Column(name, sa.Text) for name in USE),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_org_id", "api_keys", ["org_id"])
    op.create_table(
        "team_owners",
        *(sa.Column(name, ID, nullable=False) for name in ("org_id", "team_id", "user_id")),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "team_id", "user_id", name="pk_team_owners"),
    )
    _create_places("deployments", sa.Column("kind", sa.Text, nullable=False))
    _create_places("code_locations", sa.Column("deployment_id", ID, nullable=False))
    live = "removed_at IS NULL"
    _create_unique("ux_deployments_name", "deployments", ["name"], live)
    _create_unique("ux_code_locations_name", "code_locations", ["deployment_id", "name"], live)
    _create_grants()
    op.create_table(
        "break_glass",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("enabled_at", INSTANT, nullable=False),
        sa.Column("enabled_by", sa.Text, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.PrimaryKeyConstraint("org_id", name="pk_break_glass"),
    )
    _create_requests()


def _extend() -> None:
    op.add_column("organizations", sa.Column("default_role", sa.Text, nullable=False, server_default="viewer"))
    op.add_column("organizations", sa.Column("seat_limit", sa.Integer))
    op.add_column("organizations", sa.Column("user_name_policy", sa.Text, nullable=False, server_default="flag"))
    sla = sa.Column("deprovision_sla_seconds", sa.Integer, nullable=False, server_default="86400")
    op.add_column("organizations", sla)
    for name in ("created_by", *USE):
        op.add_column("tokens", sa.Column(name, sa.Text))
    op.add_column("tokens", sa.Column("replaced_by", TOKEN_ID))


def _create_places(name: str, own: sa.Column) -> None:
    op.create_table(
        name,
        sa.Column("org_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        own,
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT),
        sa.PrimaryKeyConstraint("org_id", "id", name=f"pk_{name}"),
    )


def _create_grants() -> None:
    op.create_table(
        "grants",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("holder_kind", sa.Text, nullable=False),
        sa.Column("holder_id", ID, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("scope_kind", sa.Text, nullable=False),
        sa.Column("scope_id", ID),
        sa.Column("granted_at", INSTANT, nullable=False),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_grants"),
    )
    held, live = ["holder_kind", "holder_id", "scope_kind"], "revoked_at IS NULL AND scope_id IS"
    _create_unique("ux_grants_wide", "grants", held, f"{live} NULL")
    _create_unique("ux_grants_named", "grants", [*held, "scope_id"], f"{live} NOT NULL")


def _create_requests() -> None:
    op.create_table(
        "request_log",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("method", "path")),
        sa.Column("query", sa.Text),
        sa.Column("status", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("scim_type", "detail", "cause")),
        sa.Column("token_id", TOKEN_ID),
        *(sa.Column(name, sa.Text) for name in ("ip", "agent")),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("sent", sa.Text),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_request_log"),
    )
    op.create_table(
        "request_counts",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("hour", sa.String(13), nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "hour", "cause", name="pk_request_counts"),
    )


def _create_unique(index: str, table: str, columns: list[str], where: str) -> None:
    condition, columns = sa.text(where), ["org_id", *columns]
    op.create_index(index, table, columns, unique=True, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    for name in ("request_counts", "request_log", "break_glass", "grants", "code_locations", "deployments"):
        op.drop_table(name)
    for name in ("team_owners", "api_keys"):
        op.drop_table(name)
    for name in ("replaced_by", *USE, "created_by"):
        op.drop_column("tokens", name)
    for name in ("deprovision_sla_seconds", "user_name_policy", "seat_limit", "default_role"):
        op.drop_column("organizations", name)
