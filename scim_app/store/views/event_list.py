"""The event log as people page through it: filtered, the newest first."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_app.directory.choices import require_choice
from scim_app.directory.events import EventType
from scim_app.directory.names import fold
from scim_app.store.db.stamps import read_instant
from scim_app.store.db.tables import TABLES, events
from scim_app.store.log import actors

PAGE = 50
Condition = sa.ColumnElement[bool]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events. Empty strings do not filter; times are ISO 8601 in UTC."""

    type: str = ""
    actor: str = ""
    """As the log has it, or the name of a user, token or key."""
    subject: str = ""
    """Id or name."""
    since: str = ""
    until: str = ""
    """The first moment that is too late."""

    def __post_init__(self) -> None:
        """Refuse what can't be asked for.

        Raises:
            ValueError: with the event types that there are, or the form of a time.
        """
        require_choice("event type", self.type, EventType)
        for name in ("since", "until"):
            object.__setattr__(self, name, read_instant(f"the time `{name}`", getattr(self, name)))


def list_events(
    connection: sa.Connection, org_id: str, query: EventQuery, *, before: int | None = None, limit: int = PAGE
) -> list[Row]:
    """Return events as rows of the log, `change` and `document` as JSON texts, the newest first.

    Args:
        connection: where to read.
        org_id: whose log.
        query: which events.
        before: only events with a smaller sequence number.
        limit: at most so many.
    """
    found = _where(connection, org_id, query)
    if before is not None:
        found.append(events.c.seq < before)
    reading = sa.select(events).where(*found).order_by(events.c.seq.desc()).limit(limit)
    return [dict(row) for row in connection.execute(reading).mappings()]


def events_after(connection: sa.Connection, org_id: str, query: EventQuery, *, after: int, limit: int) -> list[Row]:
    """Return events that match in order of `seq`, those after a number, at most `limit`."""
    where = [*_where(connection, org_id, query), events.c.seq > after]
    reading = sa.select(events).where(*where).order_by(events.c.seq).limit(limit)
    return [dict(row) for row in connection.execute(reading).mappings()]


def get_event(connection: sa.Connection, org_id: str, seq: int) -> Row | None:
    """Return one event, None when there is none of this number."""
    row = connection.execute(sa.select(events).where(events.c.org_id == org_id, events.c.seq == seq)).mappings()
    found = row.first()
    return dict(found) if found else None


def of_request(connection: sa.Connection, org_id: str, request_id: str, at: str) -> list[Row]:
    """Return the events of one request, looked for around its time."""
    first = _first_at(connection, org_id, at)
    near = events.c.seq.between(max(1, first - 500), first + 500)
    reading = sa.select(events).where(events.c.org_id == org_id, near, events.c.request_id == request_id)
    return [dict(row) for row in connection.execute(reading.order_by(events.c.seq.desc())).mappings()]


def recent_actors(connection: sa.Connection, org_id: str, limit: int = 50) -> list[str]:
    """Return what people call those who acted, one step through the index for each, in order of name."""
    found: list[str] = []
    query = sa.select(sa.func.min(events.c.actor)).where(
        events.c.org_id == org_id, events.c.actor > sa.bindparam("after")
    )
    last = ""
    while len(found) < limit and (name := connection.execute(query, {"after": last}).scalar()) is not None:
        found.append(name)
        last = name
    called = actors.names(connection, org_id, found)
    return sorted({called.get(one, one) for one in found}, key=str.casefold)


def _where(connection: sa.Connection, org_id: str, query: EventQuery) -> list[Condition]:
    found = [events.c.org_id == org_id]
    if query.type:
        found.append(events.c.type == query.type)
    if query.actor:
        found.append(events.c.actor.in_(actors.meant(connection, org_id, query.actor)))
    if query.subject:
        found.append(_about(connection, org_id, query.subject))
    if query.since:
        found.append(events.c.seq >= _first_at(connection, org_id, query.since))
    if query.until:
        found.append(events.c.seq < _first_at(connection, org_id, query.until))
    return found


def _about(connection: sa.Connection, org_id: str, subject: str) -> Condition:
    """Return the condition of the events about a subject: by id, which is indexed, wherever the name leads to one."""
    named = [
        sa.select(table.c.id).where(
            table.c.org_id == org_id, table.c.name_key == fold(subject), table.c.deleted_at.is_(None)
        )
        for table in TABLES.values()
    ]
    ids = [subject, *connection.execute(sa.union_all(*named)).scalars()]
    known = sa.select(events.c.seq).where(events.c.org_id == org_id, events.c.subject_id.in_(ids)).limit(1)
    if connection.execute(known).first():
        return events.c.subject_id.in_(ids)
    return events.c.subject_name == subject


def _first_at(connection: sa.Connection, org_id: str, at: str) -> int:
    """Return the number of the first event at or after a moment: numbers and times rise together."""
    reading = sa.select(events.c.at).where(events.c.org_id == org_id, events.c.seq == sa.bindparam("seq"))
    last = connection.execute(sa.select(sa.func.max(events.c.seq)).where(events.c.org_id == org_id)).scalar() or 0
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        held = connection.execute(reading, {"seq": middle}).scalar()
        if held is not None and held < at:
            low = middle + 1
        else:
            high = middle
    return low
