"""Bulk reads of the store as Arrow: the wide half of the one door."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from scim_app.directory import leaving
from scim_app.directory.events import EventType
from scim_app.errors import StoreUnavailable
from scim_app.store.db import postgres
from scim_app.store.db.tables import TABLES, events, organizations, team_members
from scim_app.store.export.columns import ASKED_TO_LEAVE, EVENT_COLUMNS

BLOCK = 50_000
"""Rows of one scan. The SQLite driver settles a column's type by the rows of its first block: there is but one."""

_STORED = ["at" if column.name == "occurred_at" else column.name for column in EVENT_COLUMNS]

_READ = ("type", "subject_kind", "subject_id", "method", "change")
"""Columns of an event that tell whether it asked for the end of somebody's access."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An organization in a cut: the life of its log, the last event, and the rows of the live tables."""

    log_epoch: str
    last_seq: int
    users: int
    teams: int
    team_members: int


class ArrowExport:
    """Reads of the store as Arrow tables, over a connection of its own that can only read.

    All reads between opening and closing are one cut: they see the same moment.
    """

    def __init__(self, store_url: str) -> None:
        self._connection = _connect(store_url)
        self._is_fenced = make_url(store_url).get_backend_name() == "postgresql"

    def standing(self, org_id: str) -> "Standing":
        """Return where the log stands in this cut, and how many rows the live tables hold there."""
        return Standing(**self._read(_standing_query(), (org_id,)).to_pylist()[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def events(self, org_id: str, *, after: int, until: int) -> Iterator[pa.Table]:
        """Yield the events after `after` up to and with `until` in order.

        They have `EVENT_COLUMNS` as text and integers, and `ASKED_TO_LEAVE`.
        """
        query = _events_query()
        names = [column.name for column in EVENT_COLUMNS]
        for first in range(after, until, BLOCK):
            block = self._read(query, (org_id, first, min(first + BLOCK, until))).rename_columns(names)
            yield block.append_column(ASKED_TO_LEAVE.name, asked_to_leave(block))

    def documents(self, org_id: str, kind: str) -> Iterator[pa.Table]:
        """Yield the live rows of a kind (`user` or `team`): `id`, `document` (JSON text), in order of `id`."""
        query, last = _documents_query(kind), ""
        while (found := self._read(query, (org_id, last))).num_rows:
            yield found
            last = found.column("id")[-1].as_py()

    def memberships(self, org_id: str) -> Iterator[pa.Table]:
        """Yield the live memberships: `team_id`, `member_id`, in order of both."""
        query, last = _memberships_query(), ("", "")
        while (found := self._read(query, (org_id, *last))).num_rows:
            yield found
            last = (found.column("team_id")[-1].as_py(), found.column("member_id")[-1].as_py())

    def _read(self, query: str, values: tuple[object, ...]) -> pa.Table:
        with self._connection.cursor(adbc_stmt_kwargs=self._options()) as cursor:
            if self._is_fenced:  # every query is of the organization that comes first
                cursor.execute("SELECT set_config('app.org', $1, true)", values[:1])
                cursor.fetchall()
            cursor.execute(query, values)
            return cursor.fetch_arrow_table()

    def _options(self) -> dict[str, str]:
        vendor = self._connection.adbc_get_info()["vendor_name"]
        return {"adbc.sqlite.query.batch_rows": str(BLOCK)} if vendor == "SQLite" else {}


@contextmanager
def opened(store_url: str) -> Generator[ArrowExport]:
    """Open the store for bulk reading."""
    with closing(ArrowExport(store_url)) as export:
        yield export


def asked_to_leave(block: pa.Table) -> pa.Array:
    """Return, for each event of a block, whether it is a refused write that asked for the end of a user's access."""
    told: list[bool | None] = [None] * block.num_rows
    for row, kind in enumerate(block["type"].to_pylist()):
        if kind == EventType.WRITE_REJECTED:
            told[row] = leaving.asked_to_leave({name: block[name][row].as_py() for name in _READ})
    return pa.array(told, pa.bool_())


def _connect(store_url: str) -> Any:
    url = make_url(store_url)
    if url.get_backend_name() == "sqlite":
        import adbc_driver_sqlite.dbapi as sqlite

        return sqlite.connect(f"file:{quote(str(Path(url.database or '').absolute()))}?mode=ro")
    if url.get_backend_name() == "postgresql":
        try:
            import adbc_driver_postgresql.dbapi as postgresql
        except ImportError as error:
            raise StoreUnavailable("install dagster-scim[postgres] to read a PostgreSQL store") from error

        connection = postgresql.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(postgres.ACT_AS_ROLE.replace("%s", "$1"), (postgres.ROLE,))
            cursor.fetchall()
        return connection
    raise StoreUnavailable(f"the store {url.get_backend_name()!r} can't be read in bulk")


def _text(query: sa.Select[*tuple[Any, ...]]) -> str:
    """Return a query as text with `$1`, `$2` … where it has literal columns of that name; both databases take these."""
    return str(query.compile(compile_kwargs={"literal_binds": True}))


def _given(number: int) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"${number}")


def _standing_query() -> str:
    counts = [
        sa.select(sa.func.count()).where(table.c.org_id == _given(1), table.c.deleted_at.is_(None))
        for table in (TABLES["user"], TABLES["team"])
    ]
    counts.append(sa.select(sa.func.count()).where(team_members.c.org_id == _given(1)))
    named = zip(counts, ("users", "teams", "team_members"), strict=True)
    columns = [query.scalar_subquery().label(name) for query, name in named]
    head = (organizations.c.log_epoch, organizations.c.last_seq)
    return _text(sa.select(*head, *columns).where(organizations.c.id == _given(1)))


def _events_query() -> str:
    columns = [events.c[name] for name in _STORED]
    wanted = (events.c.org_id == _given(1), events.c.seq > _given(2), events.c.seq <= _given(3))
    return _text(sa.select(*columns).where(*wanted).order_by(events.c.seq))


def _documents_query(kind: str) -> str:
    table = TABLES[kind]
    wanted = (table.c.org_id == _given(1), table.c.id > _given(2), table.c.deleted_at.is_(None))
    return _text(sa.select(table.c.id, table.c.document).where(*wanted).order_by(table.c.id).limit(BLOCK))


def _memberships_query() -> str:
    team, member = team_members.c.team_id, team_members.c.member_id
    beyond = sa.or_(team > _given(2), sa.and_(team == _given(2), member > _given(3)))
    wanted = (team_members.c.org_id == _given(1), beyond)
    return _text(sa.select(team, member).where(*wanted).order_by(team, member).limit(BLOCK))
