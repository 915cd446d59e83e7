"""The tables of SCIM: every key starts with the organization; the event log can only grow.

Those of the settings are in `settings_tables`.
"""

from typing import Any

import sqlalchemy as sa

from scim_app.directory import thresholds
from scim_app.directory.kinds import TEAM, USER, Attribute, Kind

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# Instants are text in ISO 8601, UTC, with microseconds: they sort as they pass, and hash alike on every database.
Instant = sa.String(27)
Id = sa.String(36)

organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("slug", sa.String(63), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scim_enabled", sa.Boolean, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("log_epoch", Id, nullable=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("head_hash", sa.String(64), nullable=False),
    sa.Column("head_at", Instant, nullable=False),
    sa.Column("default_role", sa.Text, nullable=False, server_default="viewer"),
    sa.Column("seat_limit", sa.Integer, nullable=True),
    sa.Column("user_name_policy", sa.Text, nullable=False, server_default="flag"),
    *(
        sa.Column(name, sa.Integer, nullable=False, server_default=str(value))
        for name, value in thresholds.DEFAULTS.items()
    ),
)


def credentials(name: str, *own: sa.Column[Any]) -> sa.Table:
    """Secrets that a program presents, as digests, with their life and their last use."""
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("org_id", Id, nullable=False, index=True),
        sa.Column("description", sa.Text, nullable=False),
        *own,
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("created_by", sa.Text, nullable=True),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant, nullable=True),
        sa.Column("last_used_at", Instant, nullable=True),
        sa.Column("last_used_ip", sa.Text, nullable=True),
        sa.Column("last_used_agent", sa.Text, nullable=True),
    )


tokens = credentials(
    "tokens", sa.Column("idp", sa.Text, nullable=True), sa.Column("replaced_by", sa.String(12), nullable=True)
)


def _promoted(attribute: Attribute) -> sa.Column[object]:
    return sa.Column(
        attribute.column,
        sa.Boolean if attribute.boolean else sa.Text,
        nullable=not attribute.boolean,
        info={"scim": attribute.path, "description": attribute.description},
    )


def unique(name: str, *columns: sa.Column[Any], where: sa.ColumnElement[bool]) -> None:
    """Make columns unique within an organization, among the rows that meet a condition."""
    org_id = columns[0].table.c.org_id
    sa.Index(name, org_id, *columns, unique=True, sqlite_where=where, postgresql_where=where)


def is_live(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition that a resource found by its id is live.

    It is not spelled `deleted_at IS NULL`, since PostgreSQL, as long as it has no statistics of a table that has just
    been filled, takes an index of live rows for as good as that of ids, and reads all of an organization.
    """
    return sa.func.coalesce(table.c.deleted_at, "") == ""


def _resources(kind: Kind, name: str) -> sa.Table:
    """Rows of one kind: the stored document is the truth, the promoted columns are projections of it."""
    table = sa.Table(
        name,
        metadata,
        sa.Column("org_id", Id, primary_key=True),
        sa.Column("id", Id, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("idp", sa.Text, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("deleted_at", Instant, nullable=True),
        sa.Column("name_key", sa.Text, nullable=False),
        *(_promoted(attribute) for attribute in kind.attributes),
        sa.Column("document", sa.Text, nullable=False),
        # The document with every string as it compares without regard to case, so that SQL need only compare bytes.
        sa.Column("folded", sa.Text, nullable=False),
        # What people search for and lists are sorted by.
        sa.Column("search_key", sa.Text, nullable=False, server_default=""),
        sa.Index(f"ix_{name}_changed", "org_id", "updated_at", "id"),
        info={"kind": kind},
    )
    live = table.c.deleted_at.is_(None)
    unique(f"ux_{name}_name", table.c.name_key, where=live)
    unique(f"ux_{name}_external_id", table.c.external_id, where=live & table.c.external_id.is_not(None))
    # The stable order of every list: creation. Deleted rows are outside, so a page costs its own length.
    unique(f"ux_{name}_position", table.c.position, where=live)
    found = (table.c.org_id, table.c.search_key, table.c.id)
    sa.Index(f"ix_{name}_search", *found, sqlite_where=live, postgresql_where=live)
    gone = table.c.deleted_at.is_not(None)
    former = (table.c.org_id, table.c.name_key, table.c.deleted_at)
    sa.Index(f"ix_{name}_former", *former, sqlite_where=gone, postgresql_where=gone)
    return table


users = _resources(USER, "users")
teams = _resources(TEAM, "teams")

user_emails = sa.Table(
    "user_emails",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    # As it compares, its first characters; an address that is the userName as well has no row.
    sa.Column("email", sa.Text, primary_key=True),
    sa.Column("user_id", Id, primary_key=True),
    sqlite_with_rowid=False,
)

team_members = sa.Table(
    "team_members",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("team_id", Id, primary_key=True),
    # The id as the client sent it. A member that isn't provisioned (yet) has no user row: it is pending.
    sa.Column("member_id", sa.Text, primary_key=True),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Index("ix_team_members_member", "org_id", "member_id", "team_id"),
)

team_sizes = sa.Table(
    "team_sizes",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("team_id", Id, primary_key=True),
    # Kept by the writes that change members, in their transaction, so that the limit of a team needs no count.
    sa.Column("members", sa.Integer, nullable=False),
    # Those of them that are no users: teams and pending ones. Where there are none, nobody need be looked up.
    sa.Column("others", sa.Integer, nullable=False, server_default="0"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("log_epoch", Id, nullable=False),
    sa.Column("id", Id, nullable=False, unique=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Text, nullable=True),
    sa.Column("subject_name", sa.Text, nullable=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("idp", sa.Text, nullable=True),
    sa.Column("request_id", sa.Text, nullable=True),
    sa.Column("method", sa.Text, nullable=True),
    sa.Column("path", sa.Text, nullable=True),
    sa.Column("status", sa.Integer, nullable=True),
    sa.Column("scim_type", sa.Text, nullable=True),
    sa.Column("detail", sa.Text, nullable=True),
    sa.Column("change", sa.Text, nullable=True),
    sa.Column("document", sa.Text, nullable=True),
    sa.Column("prev_hash", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("ix_events_subject", "org_id", "subject_id", "seq"),
    sa.Index("ix_events_type", "org_id", "type", "seq"),
    sa.Index("ix_events_actor", "org_id", "actor", "seq"),
)

list_blocks = sa.Table(
    "list_blocks",
    metadata,
    sa.Column("org_id", Id, primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
    # Kept by triggers: how many live resources of the kind have a position in the block.
    sa.Column("live", sa.Integer, nullable=False),
)

TABLES = {USER.name: users, TEAM.name: teams}
