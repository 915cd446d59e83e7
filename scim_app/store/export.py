"""The only door by which Dagster reads the store: consistent cuts, each with the event sequence it stands at."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from scim_app.directory.events import GENESIS, first_break
from scim_app.directory.kinds import TEAM, USER, Kind
from scim_app.directory.names import sign_in_address
from scim_app.directory.replay import Record, State, replay
from scim_app.store.session import open_reader
from scim_app.store.tables import TABLES, events, organizations, team_members

# `at` is a reserved word in many warehouses.
_TOLD = [column.label("occurred_at") if column.name == "at" else column for column in events.c]

Row = dict[str, Any]


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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Users, teams and memberships of one organization as they stood after event `seq`."""

    seq: int
    users: list[Row]
    """One row per account: `user_id`, the reported attributes, `sign_in_address`, `origin`, `idp`,
    `created_at`, `updated_at`, `deactivated_at`."""
    teams: list[Row]
    """One row per team: `team_id`, the reported attributes, `origin`, `idp`, `created_at`, `updated_at`."""
    team_members: list[Row]
    """One row per membership: `team_id`, `user_id`, `since`, `pending` (no such user yet)."""


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
        columns = [
            organizations.c["id"].label("org_id"),
            *(organizations.c[f] for f in Head.__slots__ if f != "org_id"),
        ]
        with self._cut() as connection:
            return [Head(*row) for row in connection.execute(sa.select(*columns).order_by(organizations.c.slug))]

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

    def first_break(self, org_id: str) -> str | None:
        """Return a sentence on the first event that breaks the hash chain, or None when the log is whole."""
        query = sa.select(events).where(events.c.org_id == org_id).order_by(events.c.seq)
        head = sa.select(organizations.c.last_seq, organizations.c.head_hash).where(organizations.c.id == org_id)
        with self._cut() as connection:
            last_seq, head_hash = connection.execute(head).one()
            tail: list[tuple[int, str]] = [(0, "")]
            rows = connection.execution_options(yield_per=1000).execute(query).mappings()
            broken = first_break(GENESIS, 1, _noting_tail(rows, tail))
        if broken is None and last_seq and tail[0] != (last_seq, head_hash):
            return f"the log ends at event {tail[0][0]}, its head says {last_seq}"
        return broken

    def unexplained(self, org_id: str) -> list[str]:
        """Return the ids of users and teams that the live tables and the log tell differently; none is right.

        A row that was changed, added or removed past the event log is found here.
        """
        log = sa.select(events).where(events.c.org_id == org_id).order_by(events.c.seq)
        held = sa.select(team_members.c.team_id, team_members.c.member_id).where(team_members.c.org_id == org_id)
        with self._cut() as connection:
            state = replay(map(_decoded, connection.execution_options(yield_per=1000).execute(log).mappings()))
            found = _differing(_live(connection, TABLES["user"], org_id), state.users)
            found |= _differing(_live(connection, TABLES["team"], org_id), state.teams)
            live = {tuple(row) for row in connection.execute(held)}
        told = {(team, member) for team, members in state.members.items() for member in members}
        return sorted(found | {team for team, _ in live ^ told})

    def snapshot(self, org_id: str, seq: int) -> Snapshot:
        """Return users, teams and memberships as they stood after event `seq`, from the log alone."""
        query = sa.select(events).where(events.c.org_id == org_id, events.c.seq <= seq).order_by(events.c.seq)
        with self._cut() as connection:
            rows = connection.execution_options(yield_per=1000).execute(query).mappings()
            return _as_rows(replay(map(_decoded, rows)))


def _noting_tail(rows: Any, tail: list[tuple[int, str]]) -> Iterator[Any]:
    for row in rows:
        tail[0] = (row["seq"], row["hash"])
        yield row


def _live(connection: sa.Connection, table: sa.Table, org_id: str) -> dict[str, Any]:
    query = sa.select(table.c["id"], table.c.document).where(table.c.org_id == org_id, table.c.deleted_at.is_(None))
    return {key: orjson.loads(document) for key, document in connection.execute(query)}


def _differing(live: dict[str, Any], told: dict[str, Record]) -> set[str]:
    return {key for key in live.keys() | told.keys() if key not in live or key not in told} | {
        key for key in live.keys() & told.keys() if live[key] != told[key].document
    }


def _decoded(row: Any) -> Row:
    """Return an event's row with `change` and `document` as values."""
    return {
        **row,
        "change": orjson.loads(row["change"]) if row["change"] else None,
        "document": orjson.loads(row["document"]) if row["document"] else None,
    }


def _as_rows(state: State) -> Snapshot:
    memberships = [
        {"team_id": team_id, "user_id": member, "since": since, "pending": member not in state.users}
        for team_id, members in sorted(state.members.items())
        for member, since in sorted(members.items())
    ]
    return Snapshot(
        seq=state.seq,
        users=[_row(USER, key, record) for key, record in sorted(state.users.items())],
        teams=[_row(TEAM, key, record) for key, record in sorted(state.teams.items())],
        team_members=memberships,
    )


def _row(kind: Kind, key: str, record: Record) -> Row:
    columns = kind.columns(record.document)
    row = {f"{kind.name}_id": key, **columns, "origin": record.origin, "idp": record.idp}
    row |= {"created_at": record.created_at, "updated_at": record.updated_at}
    if kind is USER:
        row["sign_in_address"] = sign_in_address(columns["user_name"] or "", columns["email"])
        row["deactivated_at"] = record.deactivated_at
    return row
