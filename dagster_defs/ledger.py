"""The ledger of alerts: which finding was told to which channel, and what has to be tried again.

A row is claimed before its message goes out and marked after: a run that is killed between the two sends the
message again, a run that is killed anywhere else does not, and nothing is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from dagster_defs.alerting import Finding, Links, Message, messages
from dagster_defs.channels import Channel
from dagster_defs.warehouse import Table, kept, records
from scim_app.store.export.columns import Column

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(hours=24)

ALERT_DELIVERIES = Table(
    "alert_deliveries",
    (
        Column("finding", "text", "Key of the finding that was told"),
        Column("channel", "text", "Channel it was told to: its kind and a digest of its address"),
        Column("state", "text", "`opened`, or `resolved` when what lasted was over"),
        Column("status", "text", "`claimed`, `sent`, `waiting` for another try, or `given_up` after a day"),
        Column("title", "text", "Title of the message"),
        Column("attempts", "integer", "How often it was tried"),
        Column("first_at", "instant", "When it was tried first (UTC)"),
        Column("next_at", "instant", "When it is tried again (UTC)"),
        Column("sent_at", "instant", "When the channel took it (UTC)"),
        Column("error", "text", "Why the channel did not take it"),
    ),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one message."""

    message: Message
    error: str | None
    at: datetime


def due(connection: duckdb.DuckDBPyConnection, channel: Channel, links: Links, now: datetime) -> list[Message]:
    """Return the messages that a channel has to get now: what is new, what is over, what is to be tried again.

    A channel of one person gets what is for that person, and not that it is over.
    """
    found: list[Message] = []
    for state, told in _DUE.items():
        query = f"SELECT found.* {told} ORDER BY found.occurred_at, found.key"
        rows = records(connection.execute(query, _asked(channel, now)))
        found += messages([Finding.from_row(row) for row in rows], links, state=state)
    return found


def next_try(connection: duckdb.DuckDBPyConnection, channel: Channel) -> datetime | None:
    """Return when a channel gets a message again that it did not take; None when none waits.

    What waits for a channel that is gone, or asks for less than before, is not tried again.
    """
    tries = [f"SELECT min(coalesce(told.next_at, told.first_at)) {told}" for told in _DUE.values()]
    whenever = _asked(channel, datetime.max)  # noqa: DTZ901 - naive, as all instants here
    moments = [connection.execute(query, whenever).fetchall()[0][0] for query in tries]
    return min((moment for moment in moments if moment), default=None)


def _asked(channel: Channel, now: datetime) -> dict[str, object]:
    return {"channel": channel.name, "severity": channel.severity.value, "person": channel.person, "now": now}


_RANK = (
    "list_position(['info', 'warning', 'critical'], found.severity) - 1 >= $severity "
    "AND ($person IS NULL OR found.recipient = $person)"
)
_RETRY = "told.status = 'claimed' OR (told.status = 'waiting' AND told.next_at <= $now)"
_DUE = {
    "opened": f"""
        FROM identity.findings AS found
        LEFT JOIN identity.alert_deliveries AS told
            ON told.finding = found.key AND told.channel = $channel AND told.state = 'opened'
        WHERE {_RANK} AND (({_RETRY}) OR (told.finding IS NULL AND found.resolved_at IS NULL))
    """,
    "resolved": f"""
        FROM identity.findings AS found
        INNER JOIN identity.alert_deliveries AS opened
            ON opened.finding = found.key AND opened.channel = $channel AND opened.state = 'opened'
            AND opened.status = 'sent'
        LEFT JOIN identity.alert_deliveries AS told
            ON told.finding = found.key AND told.channel = $channel AND told.state = 'resolved'
        WHERE {_RANK} AND $person IS NULL AND found.resolved_at IS NOT NULL AND (({_RETRY}) OR told.finding IS NULL)
    """,
}
"""What of the findings a channel is told now, by state."""


def claim(connection: duckdb.DuckDBPyConnection, channel: Channel, message: Message, now: datetime) -> None:
    """Note, in a transaction of its own, that a message is about to go out."""
    with kept(connection):
        earlier = _rows(connection, channel, message)
        _put(
            connection,
            channel,
            message,
            [_claimed(channel, message, earlier.get(key), key, now) for key in message.keys],
        )


def settle(connection: duckdb.DuckDBPyConnection, channel: Channel, outcome: Outcome) -> None:
    """Note, in a transaction of its own, what came of a claimed message."""
    with kept(connection):
        rows = _rows(connection, channel, outcome.message).values()
        _put(connection, channel, outcome.message, [_settled(row, outcome) for row in rows])


def pause(attempts: int) -> timedelta:
    """Return for how long to wait after so many tries: twice as long each time, an hour at most."""
    return min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)


def _claimed(
    channel: Channel, message: Message, earlier: dict[str, Any] | None, key: str, now: datetime
) -> dict[str, Any]:
    told = earlier or {"finding": key, "channel": channel.name, "state": message.state, "attempts": 0, "first_at": now}
    fresh = {"status": "claimed", "title": message.title, "attempts": told["attempts"] + 1}
    return {**told, **fresh, "next_at": None, "sent_at": None, "error": None}


def _settled(row: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    if outcome.error is None:
        return {**row, "status": "sent", "sent_at": outcome.at}
    if outcome.at - row["first_at"] >= GIVEN_UP_AFTER:
        return {**row, "status": "given_up", "error": outcome.error}
    return {**row, "status": "waiting", "next_at": outcome.at + pause(row["attempts"]), "error": outcome.error}


_SAME = "WHERE channel = ? AND state = ? AND finding IN (SELECT unnest(?))"


def _rows(connection: duckdb.DuckDBPyConnection, channel: Channel, message: Message) -> dict[str, dict[str, Any]]:
    found = ALERT_DELIVERIES.rows(connection, _SAME, [channel.name, message.state, list(message.keys)])
    return {row["finding"]: row for row in found}


def _put(
    connection: duckdb.DuckDBPyConnection, channel: Channel, message: Message, rows: Sequence[dict[str, Any]]
) -> None:
    values = [channel.name, message.state, list(message.keys)]
    connection.execute(f"DELETE FROM {ALERT_DELIVERIES.address} {_SAME}", values)  # noqa: S608
    ALERT_DELIVERIES.append(connection, rows)
