"""The tables of the settings: where roles hold and who holds them, keys of the API, what was asked lately."""

from typing import Any

import sqlalchemy as sa

from scim_app.directory.roles import Role, ScopeKind
from scim_app.store.db.tables import Id, Instant, credentials, metadata, unique

# `scopes` is a list of scopes, separated by spaces.
api_keys = credentials("api_keys", sa.Column("scopes", sa.Text, nullable=False))

team_owners = sa.Table(
    "team_owners",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("team_id", Id, primary_key=True),
    sa.Column("user_id", Id, primary_key=True),
    sa.Column("since", Instant, nullable=False),
)


def _places(name: str, *own: sa.Column[Any]) -> sa.Table:
    """Where grants hold; what was removed stays for history."""
    return sa.Table(
        name,
        metadata,
        sa.Column("org_id", Id, primary_key=True),
        sa.Column("id", Id, primary_key=True),
        *own,
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("removed_at", Instant, nullable=True),
    )


deployments = _places("deployments", sa.Column("kind", sa.Text, nullable=False))
code_locations = _places("code_locations", sa.Column("deployment_id", Id, nullable=False))
unique("ux_deployments_name", deployments.c.name, where=deployments.c.removed_at.is_(None))
unique(
    "ux_code_locations_name",
    *(code_locations.c.deployment_id, code_locations.c.name),
    where=code_locations.c.removed_at.is_(None),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("holder_kind", sa.Text, nullable=False),
    sa.Column("holder_id", Id, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("scope_kind", sa.Text, nullable=False),
    sa.Column("scope_id", Id, nullable=True),
    sa.Column("granted_at", Instant, nullable=False),
    sa.Column("granted_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=True),
    sa.Column("revoked_at", Instant, nullable=True),
)
_held = [grants.c[name] for name in ("holder_kind", "holder_id", "scope_kind")]
_live_grant = grants.c.revoked_at.is_(None)
# NULL differs from NULL in a unique index, so the scopes without an id have one of their own.
unique("ux_grants_wide", *_held, where=_live_grant & grants.c.scope_id.is_(None))
unique("ux_grants_named", *_held, grants.c.scope_id, where=_live_grant & grants.c.scope_id.is_not(None))
makes_admin = (
    _live_grant
    & grants.c.scope_id.is_(None)
    & (grants.c.scope_kind == ScopeKind.ORGANIZATION.value)
    & (grants.c.role == Role.ORGANIZATION_ADMIN.value)
)
"""Condition that a grant makes its holder an Organization Admin."""

break_glass = sa.Table(
    "break_glass",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("enabled_at", Instant, nullable=False),
    sa.Column("enabled_by", sa.Text, nullable=False),
    sa.Column("last_used_at", Instant, nullable=True),
)

# What identity providers sent lately and what was answered; the oldest rows go.
request_log = sa.Table(
    "request_log",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    # The request's own id: a UUIDv7, so the order of ids is that of time.
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=True),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("scim_type", sa.Text, nullable=True),
    sa.Column("detail", sa.Text, nullable=True),
    sa.Column("cause", sa.Text, nullable=True),
    sa.Column("token_id", sa.String(12), nullable=True),
    sa.Column("ip", sa.Text, nullable=True),
    sa.Column("agent", sa.Text, nullable=True),
    sa.Column("milliseconds", sa.Integer, nullable=False),
    sa.Column("sent", sa.Text, nullable=True),
)

# Requests by hour and cause ('' where they succeeded), however many there were.
request_counts = sa.Table(
    "request_counts",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("hour", sa.String(13), primary_key=True),
    sa.Column("cause", sa.Text, primary_key=True),
    sa.Column("requests", sa.Integer, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
)
