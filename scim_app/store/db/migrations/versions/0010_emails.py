"""Who has which e-mail address, so that look-ups by address read no other documents."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

LONGEST = 200

_SQLITE = """
    INSERT OR IGNORE INTO user_emails (org_id, email, user_id)
    SELECT u.org_id, substr(json_extract(e.value, '$.value'), 1, :most), u.id
    FROM users u, json_each(u.folded, '$.emails') e
    WHERE json_type(e.value, '$.value') = 'text' AND json_extract(e.value, '$.value') NOT IN ('', u.name_key)
"""
_POSTGRES = """
    INSERT INTO user_emails (org_id, email, user_id)
    SELECT u.org_id, left(e ->> 'value', :most), u.id
    FROM users u, jsonb_array_elements(
        CASE jsonb_typeof(u.folded::jsonb -> 'emails') WHEN 'array' THEN u.folded::jsonb -> 'emails' ELSE '[]' END) e
    WHERE jsonb_typeof(e -> 'value') = 'string' AND e ->> 'value' NOT IN ('', u.name_key)
    ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    op.create_table(
        "user_emails",
        sa.Column("org_id", sa.String(36), nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "email", "user_id", name="pk_user_emails"),
        sqlite_with_rowid=False,
    )
    text = _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE
    op.get_bind().execute(sa.text(text), {"most": LONGEST})


def downgrade() -> None:
    op.drop_table("user_emails")
