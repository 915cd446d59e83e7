"""The only door by which Dagster reads the store: consistent cuts, each with the event sequence it stands at."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_app.directory.events import CHAINED, GENESIS, EventType, chain_hash, first_break
from scim_app.directory.replay import replay
from scim_app.directory.thresholds import THRESHOLDS
from scim_app.store.db.engines import open_reader
from scim_app.store.db.tables import TABLES, events, organizations, team_members, tokens
from scim_app.store.export.columns import TOKEN_COLUMNS
from scim_app.store.export.comparison import differing
from scim_app.store.export.snapshots import Row, Snapshot, as_rows

__all__ = ["CHAINED", "GENESIS", "Export", "Head", "Row", "Snapshot", "chain_hash"]

# `at` is a reserved word in many warehouses.
_TOLD = [column.label("occurred_at") if column.name == "at" else column for column in events.c]


@dataclass(frozen=True, slots=True)
class Head:
    """Where an organization's log stands."""

    org_id: str
    slug: str
    name: str
    time_zone: str
    created_at: str
    log_epoch: str
    last_seq: int
    head_hash: str
    thresholds: Mapping[str, int]
    """What reports judge by, as it is set now."""


class Export:
    """Reads of the store for reporting. Opens its own read-only connections; safe beside a running service."""

    def __init__(self, store_url: str) -> None:
        self._engine = open_reader(store_url)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def _cut(self) -> Generator[sa.Connection]:
        """Open one transaction, so that all reads in it see the same moment."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def heads(self) -> list[Head]:
        """Return where each organization's log stands, in order of slug."""
        own = ("id", *(name for name in Head.__slots__ if name not in ("org_id", "thresholds")))
        query = sa.select(*(organizations.c[name] for name in (*own, *THRESHOLDS))).order_by(organizations.c.slug)
        with self._cut() as connection:
            return [
                Head(*row[: len(own)], thresholds=dict(zip(THRESHOLDS, row[len(own) :], strict=True)))
                for row in connection.execute(query)
            ]

    def counts(self, org_id: str) -> dict[str, int]:
        """Return the row counts of the live tables, and `seq`, the event they stand at."""
        with self._cut() as connection:
            found = {
                f"{name}s": connection.execute(
                    sa.select(sa.func.count()).where(table.c.org_id == org_id, table.c.deleted_at.is_(None))
                ).scalar_one()
                for name, table in TABLES.items()
            }
            found["team_members"] = connection.execute(
                sa.select(sa.func.count()).where(team_members.c.org_id == org_id)
            ).scalar_one()
            seq = connection.execute(sa.select(organizations.c.last_seq).where(organizations.c.id == org_id))
            return found | {"seq": seq.scalar_one()}

    def events(self, org_id: str, *, after: int = 0, limit: int = 1000) -> list[Row]:
        """Return events in order of `seq`, from the one after `after`: `EVENT_COLUMNS`, the JSON ones as text."""
        query = (
            sa.select(*_TOLD).where(events.c.org_id == org_id, events.c.seq > after).order_by(events.c.seq).limit(limit)
        )
        with self._cut() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def seq_at(self, org_id: str, before: str) -> int:
        """Return the sequence of the last event before an instant (ISO 8601, UTC), 0 when there is none."""
        query = sa.select(sa.func.max(events.c.seq)).where(events.c.org_id == org_id, events.c.at < before)
        with self._cut() as connection:
            return connection.execute(query).scalar_one() or 0

    def last_refusal(self, org_id: str, *, after: int) -> int:
        """Return the sequence of the last refused write after `after`, 0 when there is none."""
        refused = (events.c.org_id == org_id, events.c.seq > after, events.c.type == EventType.WRITE_REJECTED)
        with self._cut() as connection:
            return connection.execute(sa.select(sa.func.max(events.c.seq)).where(*refused)).scalar_one() or 0

    def first_break(self, org_id: str) -> str | None:
        """Return a sentence on the first event that breaks the hash chain, or None when the log is whole."""
        return self.verify(org_id)[1]

    def verify(self, org_id: str, *, after: int = 0, previous: str | None = None) -> tuple[int, str | None]:
        """Return the last event, and a sentence on the first that breaks the hash chain, None when it holds.

        Args:
            org_id: organization.
            after: event whose hash is known to be right; the chain is followed from there.
            previous: that hash.
        """
        query = sa.select(events).where(events.c.org_id == org_id, events.c.seq > after).order_by(events.c.seq)
        head = sa.select(organizations.c.last_seq, organizations.c.head_hash).where(organizations.c.id == org_id)
        with self._cut() as connection:
            last_seq, head_hash = connection.execute(head).one()
            tail: list[tuple[int, str]] = [(after, previous or "")]
            rows = connection.execution_options(yield_per=1000).execute(query).mappings()
            broken = first_break(previous or GENESIS, after + 1, _noting_tail(rows, tail))
        if broken is None and last_seq and tail[0] != (last_seq, head_hash):
            broken = f"the log ends at event {tail[0][0]}, its head says {last_seq}"
        return tail[0][0], broken

    def unexplained(self, org_id: str) -> list[str]:
        """Return the ids of what the live tables and the log tell differently; none is right.

        A row that was changed, added or removed past the event log is found here. Settings have the
        organization's id.
        """
        with self._cut() as connection:
            state = replay(self._log(connection, org_id))
            return differing(connection, org_id, state)

    def snapshot(self, org_id: str, seq: int) -> Snapshot:
        """Return users, teams, memberships, grants and access as they stood after event `seq`, from the log alone."""
        with self._cut() as connection:
            return as_rows(replay(self._log(connection, org_id, seq)))

    def tokens(self, org_id: str) -> list[Row]:
        """Return the SCIM tokens as they are now, the oldest first: `TOKEN_COLUMNS`, and `replaced_by`."""
        names = (*(column.name for column in TOKEN_COLUMNS[1:]), "replaced_by")
        columns = [tokens.c["id"].label("token_id"), *(tokens.c[name] for name in names)]
        query = sa.select(*columns).where(tokens.c.org_id == org_id).order_by(tokens.c.created_at, tokens.c["id"])
        with self._cut() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @staticmethod
    def _log(connection: sa.Connection, org_id: str, seq: int | None = None) -> Iterator[Row]:
        query = sa.select(events).where(events.c.org_id == org_id).order_by(events.c.seq)
        if seq is not None:
            query = query.where(events.c.seq <= seq)
        return map(_decoded, connection.execution_options(yield_per=1000).execute(query).mappings())


def _noting_tail(rows: Any, tail: list[tuple[int, str]]) -> Iterator[Any]:
    for row in rows:
        tail[0] = (row["seq"], row["hash"])
        yield row


def _decoded(row: Any) -> Row:
    """Return an event's row with `change` and `document` as values."""
    return {
        **row,
        "change": orjson.loads(row["change"]) if row["change"] else None,
        "document": orjson.loads(row["document"]) if row["document"] else None,
    }
