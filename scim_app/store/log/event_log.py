"""Writing the event log: one write of one organization, its lock, its moment and its events."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
import sqlalchemy as sa

from scim_app.directory.events import Actor, Event, chain_hash
from scim_app.errors import NotFound
from scim_app.store.db.prepared import Prepared, Together, savepoint
from scim_app.store.db.settings_tables import grants, makes_admin
from scim_app.store.db.stamps import new_id, now
from scim_app.store.db.tables import events, organizations, tokens

T = TypeVar("T")


class Rules(NamedTuple):
    """What an organization allows, as the write found it."""

    scim_enabled: bool
    token_stands: bool
    """Whether who writes is a SCIM token of the organization that is not revoked."""
    seat_limit: int | None
    user_name_policy: str
    has_admin_grants: bool
    """Whether anybody holds the role of an Organization Admin, so that the last one may go."""


def _head(dialect: str) -> sa.Select[Any]:
    """Return the statement that takes an organization's counter row, with what every write needs to know of it.

    On PostgreSQL it also has row-level security show nothing but this organization until the transaction ends.
    """
    c = organizations.c
    mine = (tokens.c.id == sa.bindparam("actor")) & (tokens.c.org_id == c.id) & tokens.c.revoked_at.is_(None)
    admins = sa.exists().where(grants.c.org_id == c.id, makes_admin)
    rules = (c.scim_enabled, sa.exists().where(mine), c.seat_limit, c.user_name_policy, admins)
    fence = [sa.func.set_config("app.org", c.id, True)] if dialect == "postgresql" else []
    query = sa.select(c.last_seq, c.head_hash, c.head_at, c.log_epoch, *rules, *fence)
    return query.where(c.id == sa.bindparam("org")).with_for_update(of=organizations)


_HEAD = Prepared(_head)


def _append() -> sa.Insert:
    return sa.insert(events).values({c.name: sa.bindparam(f"event_{c.name}") for c in events.c})


def _move_head() -> sa.Update:
    now_at = {"last_seq": "event_seq", "head_hash": "event_hash", "head_at": "event_at"}
    mine = organizations.c.id == sa.bindparam("event_org_id")
    return sa.update(organizations).where(mine).values({name: sa.bindparam(value) for name, value in now_at.items()})


_MOVE_HEAD = Prepared(lambda _: _move_head())
_RECORD = Together(_append, _move_head)


def told(change: Callable[[], sa.Insert | sa.Update]) -> Together:
    """Return a change of rows together with the event that tells of it, for `Unit.change`."""
    return Together(_append, _move_head, change)


class Reading(NamedTuple):
    """Where something of an organization is read outside a write."""

    connection: sa.Connection
    org_id: str


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
    def begin(cls, connection: sa.Connection, org_id: str, actor: Actor, *, after: "Unit | None" = None) -> "Unit":
        """Take the organization's counter row until the transaction ends.

        Args:
            connection: where the write's transaction is open.
            org_id: the organization.
            actor: who writes.
            after: the last write of the transaction. What it knows of the counter row and of the rules still holds for
                the same actor: SCIM changes neither.
        """
        if after is not None and (after.org_id, after.actor.name) == (org_id, actor.name):
            return replace(after, actor=actor, at=max(now(), after.at))
        found = _HEAD.first(connection, org=org_id, actor=actor.name)
        if found is None:
            raise NotFound(f"there is no organization {org_id}")
        seq, head, head_at, epoch, *rules = found[: 4 + len(Rules._fields)]
        return cls(connection, org_id, actor, max(now(), head_at), Rules(*rules), seq, head, epoch)

    @property
    def next_seq(self) -> int:
        """The number that the next event gets: one more than the last, without gaps."""
        return self._seq + 1

    def record(self, event: Event) -> int:
        """Append an event and return its sequence number."""
        _RECORD.run(self.connection, **self._told(event))
        return self._seq

    def change(self, statement: Together, event: Event, **values: Any) -> int:
        """Change rows by a statement that `told` has made, append its event, and return how many rows changed."""
        return statement.run(self.connection, **self._told(event), **values)

    def record_all(self, happened: Sequence[Event]) -> int:
        """Append events in order and return the sequence number of the last."""
        rows = [self._row(event) for event in happened]
        self.connection.execute(sa.insert(events), rows)
        head = {"event_org_id": self.org_id, "event_seq": self._seq, "event_hash": self._hash, "event_at": self.at}
        _MOVE_HEAD.run(self.connection, **head)
        return self._seq

    def _told(self, event: Event) -> dict[str, Any]:
        return {f"event_{name}": value for name, value in self._row(event).items()}

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


@dataclass(frozen=True, slots=True)
class InUnit(Generic[T]):
    """A write that a client asks for by SCIM, for the store's writer."""

    org_id: str
    actor: Actor
    work: Callable[[Unit], T]

    def __call__(self, connection: sa.Connection) -> T:
        """Do it."""
        return self.work(Unit.begin(connection, self.org_id, self.actor))

    def follow(self, connection: sa.Connection, before: Unit | None) -> tuple[T, Unit]:
        """Do it behind another write of the same transaction; return also what the next one may know from it."""
        unit = Unit.begin(connection, self.org_id, self.actor, after=before)
        return self.work(unit), unit


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
