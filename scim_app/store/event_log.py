"""Writing the event log: one write of one organization, its lock, its moment and its events."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import orjson
import sqlalchemy as sa

from scim_app.directory.events import Actor, Event, chain_hash
from scim_app.errors import NotFound
from scim_app.store.prepared import Prepared, savepoint
from scim_app.store.stamps import new_id, now
from scim_app.store.tables import events, organizations, tokens

T = TypeVar("T")


class Rules(NamedTuple):
    """What an organization allows, as the write found it."""

    scim_enabled: bool
    token_stands: bool
    """Whether who writes is a SCIM token of the organization that is not revoked."""
    seat_limit: int | None
    user_name_policy: str


def _head(dialect: str) -> sa.Select[Any]:
    """Return the statement that takes an organization's counter row, with what every write needs to know of it.

    On PostgreSQL it also has row-level security show nothing but this organization until the transaction ends.
    """
    c = organizations.c
    mine = (tokens.c.id == sa.bindparam("actor")) & (tokens.c.org_id == c.id) & tokens.c.revoked_at.is_(None)
    rules = (c.scim_enabled, sa.exists().where(mine), c.seat_limit, c.user_name_policy)
    fence = [sa.func.set_config("app.org", c.id, True)] if dialect == "postgresql" else []
    query = sa.select(c.last_seq, c.head_hash, c.head_at, c.log_epoch, *rules, *fence)
    return query.where(c.id == sa.bindparam("org")).with_for_update(of=organizations)


_HEAD = Prepared(_head)
_MOVE_HEAD = Prepared(
    lambda _: (
        sa.update(organizations)
        .where(organizations.c.id == sa.bindparam("org"))
        .values(last_seq=sa.bindparam("seq"), head_hash=sa.bindparam("hash"), head_at=sa.bindparam("at"))
    )
)
_APPEND = Prepared(lambda _: sa.insert(events))


@dataclass(slots=True)
class Unit:
    """One write of one organization: rows and events that become durable together.

    It holds the organization's counter row, so writes of an organization happen one after the other:
    what a write reads stays true until it commits, and events get their numbers in commit order.
    """

    connection: sa.Connection
    org_id: str
    actor: Actor
    at: str
    """The moment of the write; never before the organization's last event."""
    rules: Rules
    _seq: int
    _hash: str
    _epoch: str

    @classmethod
    def begin(cls, connection: sa.Connection, org_id: str, actor: Actor) -> "Unit":
        """Take the organization's counter row until the transaction ends."""
        found = _HEAD.first(connection, org=org_id, actor=actor.name)
        if found is None:
            raise NotFound(f"there is no organization {org_id}")
        seq, head, head_at, epoch, *rules = found[:8]
        return cls(connection, org_id, actor, max(now(), head_at), Rules(*rules), seq, head, epoch)

    def record(self, event: Event) -> int:
        """Append an event and return its sequence number: one more than the last, without gaps."""
        _APPEND.run(self.connection, **self._row(event))
        return self._move_head()

    def record_all(self, happened: Sequence[Event]) -> int:
        """Append events in order and return the sequence number of the last."""
        rows = [self._row(event) for event in happened]
        self.connection.execute(sa.insert(events), rows)
        return self._move_head()

    def _move_head(self) -> int:
        _MOVE_HEAD.run(self.connection, org=self.org_id, seq=self._seq, hash=self._hash, at=self.at)
        return self._seq

    @contextmanager
    def attempt(self) -> Generator[None]:
        """Make the block undo itself alone when an error leaves it: its rows, and the events it recorded."""
        before = self._seq, self._hash
        try:
            with savepoint(self.connection):
                yield
        except BaseException:
            self._seq, self._hash = before
            raise

    def _row(self, event: Event) -> dict[str, Any]:
        self._seq += 1
        row: dict[str, Any] = {
            "org_id": self.org_id,
            "log_epoch": self._epoch,
            "seq": self._seq,
            "id": new_id(),
            "type": event.type.value,
            "at": self.at,
            "subject_kind": event.subject_kind,
            "subject_id": event.subject_id,
            "subject_name": event.subject_name,
            "actor": self.actor.name,
            "idp": self.actor.idp,
            "request_id": self.actor.request_id,
            "method": self.actor.method,
            "path": self.actor.path,
            "status": event.status,
            "scim_type": event.scim_type,
            "detail": event.detail,
            "change": _json(event.change),
            "document": _json(event.document),
            "prev_hash": self._hash,
        }
        row["hash"] = self._hash = chain_hash(self._hash, row)
        return row


def holding(org_id: str, work: Callable[[sa.Connection], T]) -> Callable[[sa.Connection], T]:
    """Return a write that records no event, for the store's writer.

    It takes the organization's counter row before anything else, as every write does: where some write took its rows
    in another order, two workers would wait for each other.
    """

    def held(connection: sa.Connection) -> T:
        _HEAD.first(connection, org=org_id, actor="")
        return work(connection)

    return held


def in_unit(org_id: str, actor: Actor, work: Callable[[Unit], T]) -> Callable[[sa.Connection], T]:
    """Return a write of one organization, for the store's writer."""
    return lambda connection: work(Unit.begin(connection, org_id, actor))


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
