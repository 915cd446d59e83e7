"""The tables of signing in: sessions, which identity is which user, and links for the first sign-in."""

import sqlalchemy as sa

from scim_app.store.db.tables import Id, Instant, metadata

# The browser holds a secret, the store its digest.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("user_id", Id, nullable=True),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("ended_at", Instant, nullable=True),
    sa.Column("authenticated_at", Instant, nullable=True),
    sa.Index("ux_sessions_digest", "org_id", "digest", unique=True),
    sa.Index("ix_sessions_user", "org_id", "user_id"),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Index("ix_identities_user", "org_id", "user_id"),
)

setup_links = sa.Table(
    "setup_links",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant, nullable=True),
    # Whom the operator named, and the e-mail address that it was named by.
    sa.Column("user_id", Id, nullable=True),
    sa.Column("address", sa.Text, nullable=True),
)

# First sign-ins that wait until an admin says that the person is this user.
identity_requests = sa.Table(
    "identity_requests",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("email", sa.Text, nullable=True),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Index("ix_identity_requests_user", "org_id", "user_id"),
)
