"""Event logs made by hand, and a warehouse in memory that takes them in."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from dagster_defs import incremental
from dagster_defs.assets import changes, events, history, snapshots, sync_health
from dagster_defs.incremental import COPY, Mark
from scim_app.directory.leaving import asked_to_leave
from scim_app.directory.thresholds import DEFAULTS
from scim_app.store.export.columns import EVENT_COLUMNS

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = FIRST.date()


class Log:
    """Writes events as the store has them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, type_: str, subject: str, document: Any = None, change: Any = None, **told: Any) -> None:
        seq = len(self.events) + 1
        common = {"seq": seq, "id": f"e{seq}", "at": _stamp(FIRST + timedelta(hours=seq)), "actor": "token"}
        kind = {"role": "grant"}.get(type_.split(".")[0], type_.split(".")[0])
        event = {"type": type_, "subject_kind": kind, "subject_id": subject, "document": document, "change": change}
        self.events.append({**dict.fromkeys(c.name for c in EVENT_COLUMNS), **common, "idp": "okta", **event, **told})

    def user(self, type_: str, name: str, *, active: bool = True, change: Any = None, **attributes: Any) -> None:
        self.add(f"user.{type_}", name, {"userName": name, "active": active, **attributes}, change)

    def team(self, type_: str, name: str, added: Sequence[str] = (), removed: Sequence[str] = ()) -> None:
        members = {"added": list(added), "removed": list(removed)}
        self.add(f"team.{type_}", name, {"displayName": name}, {"members": members})

    def role(self, type_: str, grant: str, holder: tuple[str, str], role: str) -> None:
        told = {"grant_id": grant, "holder_kind": holder[0], "holder_id": holder[1], "role": role}
        self.add(f"role.{type_}", grant, change={"grant": {**told, "scope_kind": "organization", "scope_id": None}})


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


class Warehouse:
    """A warehouse in memory that has taken in a log."""

    def __init__(self, log: Sequence[dict[str, Any]], *, block: int = incremental.BLOCK) -> None:
        self.connection = duckdb.connect()
        events.PROVISIONING_EVENTS.make(self.connection)
        self.take_in(log, block=block)

    def __enter__(self) -> "Warehouse":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def take_in(self, log: Sequence[dict[str, Any]], *, block: int = incremental.BLOCK) -> None:
        """Take in events that follow those there are."""
        rows = [_row(event) for event in log]
        events.PROVISIONING_EVENTS.append(self.connection, rows)
        incremental.save(self.connection, COPY, Mark("acme", "o", "epoch", rows[-1]["seq"]))
        known = {"org": "acme", "org_id": "o", **DEFAULTS}
        empty = {column.name: None for column in events.ORGANIZATIONS.columns}
        events.ORGANIZATIONS.replace(self.connection, [{**empty, **known}], org="acme")
        for carry in (history.carry, changes.carry, changes.carry_gone, sync_health.carry):
            carry(self.connection, block)

    def cut(self, seq: int, day: date = DAY) -> None:
        """Cut a day's snapshot at an event."""
        snapshots.make_views(self.connection)
        snapshots.CUTS.replace(self.connection, [{"day": day, "org": "acme", "seq": seq}], day=day)

    def rows(self, table: str, order: str) -> list[dict[str, Any]]:
        """The rows of a table."""
        found = self.connection.execute(f"SELECT * FROM identity.{table} ORDER BY {order}")
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _row(event: dict[str, Any]) -> dict[str, Any]:
    texts = {name: None if event[name] is None else json.dumps(event[name]) for name in ("change", "document")}
    told = {"org": "acme", "org_id": "o", "log_epoch": "epoch", "occurred_at": event["at"], "day": event["at"][:10]}
    row = {**event, **told, **texts}
    return row | {"asked_to_leave": asked_to_leave(row)}
