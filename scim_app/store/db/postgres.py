"""PostgreSQL: connections that are durable and bounded in time, and fences around what the service may do.

The service acts as a role that owns nothing: it can't change the schema, switch a trigger off, or touch an event
once it is written. Row-level security shows it the rows of the one organization in `app.org`, whatever a query says;
`*` stands for all of them.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from scim_app.errors import StoreUnavailable
from scim_app.store.db.connections import on_connect

ROLE = "dagster_scim_app"
"""Role that the service acts as, where the one who migrates could make it."""

ALL = "*"
"""Value of `app.org` that shows every organization."""

TIMEOUT = "57014"
"""SQLSTATE of a statement that was stopped because it took too long."""

CONFLICTS = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: undone, worth another try."""

_CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Use:
    """What connections are for: isolation, access, and how long anything may take (`0`: as long as it takes)."""

    isolation: str
    read_only: bool
    as_owner: bool
    statement: str
    idle: str
    lock: str = "5s"


READING = Use("REPEATABLE READ", read_only=True, as_owner=False, statement="10min", idle="10min")
SERVING = Use("REPEATABLE READ", read_only=True, as_owner=False, statement="10s", idle="15s")
GLANCING = Use("AUTOCOMMIT", read_only=True, as_owner=False, statement="10s", idle="15s")
WRITING = Use("READ COMMITTED", read_only=False, as_owner=False, statement="10s", idle="15s")
PROBING = Use("READ COMMITTED", read_only=False, as_owner=False, statement="2s", idle="15s", lock="2s")
NOTING = Use("AUTOCOMMIT", read_only=False, as_owner=False, statement="1s", idle="15s", lock="1s")
OWNING = Use("READ COMMITTED", read_only=False, as_owner=True, statement="0", idle="0")

_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
_PREPARE = """
SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
       set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),
       set_config('idle_in_transaction_session_timeout', %s, false), set_config('jit', 'off', false),
       set_config('app.org', '*', false)
"""
ACT_AS_ROLE = """
SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, 'member')
"""


def open_engine(store_url: str, use: Use, pool: type[sa.Pool] = sa.QueuePool) -> sa.Engine:
    """Return an engine for a use; a server that would lose acknowledged writes is refused on connecting."""
    engine = sa.create_engine(
        make_url(store_url).set(drivername="postgresql+psycopg"),
        hide_parameters=True,  # errors are logged, people's data is not
        isolation_level=use.isolation,  # pyright: ignore[reportArgumentType]
        poolclass=pool,
        connect_args={"connect_timeout": _CONNECT_SECONDS, "application_name": "dagster-scim"},
    )

    def prepare(dbapi: Any) -> None:
        dbapi.read_only = use.read_only
        settings = dbapi.execute(_PREPARE, (use.statement, use.lock, use.idle)).fetchone()
        off = [name for name, value in zip(_DURABLE, settings, strict=False) if value == "off"]
        if off:
            raise StoreUnavailable(f"PostgreSQL runs with {off[0]}=off: an acknowledged write would not be safe")
        if not use.as_owner:
            dbapi.execute(ACT_AS_ROLE, (ROLE,))
        if not dbapi.autocommit:
            dbapi.commit()

    on_connect(engine, prepare)
    return engine


def is_timeout(error: DBAPIError) -> bool:
    """Tell whether a statement was stopped because it took too long."""
    return getattr(error.orig, "sqlstate", None) == TIMEOUT


def is_conflict(error: DBAPIError) -> bool:
    """Tell whether a transaction was undone only because of another one, so that it may be tried again."""
    return getattr(error.orig, "sqlstate", None) in CONFLICTS


_MAKE_ROLE = f"""
DO $$ BEGIN
    CREATE ROLE {ROLE} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
END $$
"""
_GIVE_ROLE = f"""
DO $$ BEGIN
    GRANT {ROLE} TO CURRENT_USER;
EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL;
END $$
"""
_GRANTS = (
    f"GRANT USAGE ON SCHEMA public TO {ROLE}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}",
    f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {ROLE}",
    f"REVOKE UPDATE, DELETE, TRUNCATE ON events FROM {ROLE}",
)
UNFENCED = frozenset({"tokens", "api_keys"})
"""Tables whose rows are found by their own id, before anybody knows whose they are."""

_OF_ORGANIZATIONS = sa.text("""
    SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'org_id' ORDER BY c.relname
""")
_FENCE = """
ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS one_organization ON "{table}";
CREATE POLICY one_organization ON "{table}" USING (
    org_id = (SELECT current_setting('app.org', true)) OR (SELECT current_setting('app.org', true)) = '*'
)
"""
_COLLATED_ELSEWISE = sa.text("""
    SELECT quote_ident(c.relname), quote_ident(a.attname), format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation k ON k.oid = a.attcollation
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      AND k.collname <> 'C' AND NOT EXISTS (
          SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass
          AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
      )
    ORDER BY c.relname, a.attnum
""")


def collate(connection: sa.Connection) -> None:
    """Make texts sort and compare byte by byte, as SQLite does, whatever language the database was set up for."""
    for table, column, kind in connection.execute(_COLLATED_ELSEWISE).all():
        connection.exec_driver_sql(f'ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind} COLLATE "C"')


def secure(connection: sa.Connection) -> None:
    """Give the service's role its rights, and fence every table whose rows belong to an organization.

    May be run again; without the right to make roles the fence holds for the owner, and the role is left out.
    """
    for statement in (_MAKE_ROLE, _GIVE_ROLE):
        connection.exec_driver_sql(statement)
    if connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": ROLE}).first():
        for statement in _GRANTS:
            connection.exec_driver_sql(statement)
    for table in connection.execute(_OF_ORGANIZATIONS).scalars().all():
        if table not in UNFENCED:
            connection.exec_driver_sql(_FENCE.format(table=table))
