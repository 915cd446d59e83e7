"""Writing the event log: one write of one organization, its lock, its moment and its events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa

from scim_app.directory.events import Actor, Event, chain_hash
from scim_app.store.stamps import new_id, now
from scim_app.store.tables import events, organizations

T = TypeVar("T")

_HEAD = (
    sa.select(
        organizations.c.last_seq,
        organizations.c.head_hash,
        organizations.c.head_at,
        organizations.c.log_epoch,
    )
    .where(organizations.c.id == sa.bindparam("org"))
    .with_for_update()
)
_FENCED_HEAD = _HEAD.add_columns(sa.func.set_config("app.org", organizations.c.id, True))
"""On PostgreSQL, row-level security shows nothing but this organization until the transaction ends."""
_MOVE_HEAD = sa.update(organizations).where(organizations.c.id == sa.bindparam("org"))


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
    _seq: int
    _hash: str
    _epoch: str

    @classmethod
    def begin(cls, connection: sa.Connection, org_id: str, actor: Actor) -> "Unit":
        """Take the organization's counter row until the transaction ends."""
        statement = _FENCED_HEAD if connection.dialect.name == "postgresql" else _HEAD
        seq, head, head_at, epoch, *_ = connection.execute(statement, {"org": org_id}).one()
        return cls(connection, org_id, actor, max(now(), head_at), seq, head, epoch)

    def record(self, event: Event) -> int:
        """Append an event and return its sequence number: one more than the last, without gaps."""
        return self.record_all([event])

    def record_all(self, happened: Sequence[Event]) -> int:
        """Append events in order and return the sequence number of the last."""
        rows = [self._row(event) for event in happened]
        self.connection.execute(sa.insert(events), rows)
        moved = {"org": self.org_id, "last_seq": self._seq, "head_hash": self._hash, "head_at": self.at}
        self.connection.execute(_MOVE_HEAD, moved)
        return self._seq

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


def in_unit(org_id: str, actor: Actor, work: Callable[[Unit], T]) -> Callable[[sa.Connection], T]:
    """Return a write of one organization, for the store's writer."""
    return lambda connection: work(Unit.begin(connection, org_id, actor))


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
