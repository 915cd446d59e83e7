"""The foundation: organizations, tokens, users, teams, members, and the event log.

The first revision makes the tables as they are declared; later ones change them step by step.
"""

from alembic import op

from scim_app.store.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
