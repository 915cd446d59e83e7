"""What keeps an organization's events from being taken in, so that those of the others go on.

A failure is of one organization and one asset. It is kept in the warehouse until the event in question was taken in.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfoNotFoundError

import duckdb

from dagster_defs.warehouse import ORGANIZATION, Table, kept
from scim_app.store.export.columns import Column

DATA_ERRORS = (
    duckdb.DataError,
    duckdb.IntegrityError,
    duckdb.InvalidInputException,
    ZoneInfoNotFoundError,
    ValueError,
)
"""What data raise that are not as they have to be; a full disk, a missing table or a wrong statement raises others."""

FAILURES = Table(
    "failures",
    (
        ORGANIZATION,
        Column("asset", "text", "Asset that can't take the next event in"),
        Column("seq", "integer", "Last event that was taken in"),
        Column("is_missing", "boolean", "Whether the next event is missing from the store's log"),
        Column("failure", "text", "What is wrong, in words"),
        Column("since", "instant", "Since when (UTC)"),
    ),
)


CHAIN = "chain"
"""Asset of the failure where the hashes of a log do not hold: its events are taken in, and reports tell of it."""


class Failure(NamedTuple):
    """What keeps an asset from taking an organization's next event in; the fields are the columns of `failures`."""

    org: str
    asset: str
    seq: int
    is_missing: bool
    failure: str
    since: datetime

    @property
    def sentence(self) -> str:
        """What is wrong, where the data end, and since when."""
        return f"{self.failure}; its data end at event {self.seq} since {self.since:%Y-%m-%d %H:%M} UTC"


class MissingEvent(ValueError):
    """An event that the log counts is not in it."""


class Stopped(Exception):
    """An event could not be taken in; all before it were.

    Args:
        seq: the last event that was taken in.
        error: what the next one raised.
    """

    def __init__(self, seq: int, error: Exception) -> None:
        super().__init__(f"event {seq + 1}: {error}")
        self.seq = seq
        self.error = error

    def failure(self, org: str, asset: str) -> Failure:
        """Return the failure; it quotes no data, which may be a person's."""
        is_missing = isinstance(self.error, MissingEvent)
        words = "is missing from its log" if is_missing else f"can't be read ({type(self.error).__name__})"
        return Failure(org, asset, self.seq, is_missing, f"event {self.seq + 1} {words}", _now())


def up_to_the_first_failure(after: int, until: int, step: Callable[[int, int], object]) -> None:
    """Do a step for a stretch of events; where the data of one are wrong, for all before it.

    Args:
        after: event before the first one.
        until: the last one.
        step: takes in the events after one up to another, all or none.

    Raises:
        Stopped: when an event can't be taken in.
    """
    try:
        step(after, until)
    except DATA_ERRORS as error:
        if until - after <= 1:
            raise Stopped(after, error) from error
        middle = (after + until) // 2
        up_to_the_first_failure(after, middle, step)
        up_to_the_first_failure(middle, until, step)


def failures(connection: duckdb.DuckDBPyConnection, *assets: str) -> list[Failure]:
    """Return the failures of some assets, or of all, in order of organization and asset."""
    rows = FAILURES.rows(connection, "ORDER BY org, asset")
    return [Failure(**row) for row in rows if not assets or row["asset"] in assets]


def stopped(connection: duckdb.DuckDBPyConnection) -> dict[str, Failure]:
    """Return what ends the data of each organization that is stopped, by slug."""
    known = [failure for failure in failures(connection) if failure.asset != CHAIN]
    return {failure.org: failure for failure in sorted(known, key=lambda failure: -failure.seq)}


def note(connection: duckdb.DuckDBPyConnection, failure: Failure) -> None:
    """Keep a failure; one that goes on keeps its beginning."""
    for known in failures(connection, failure.asset):
        if (known.org, known.seq, known.failure) == (failure.org, failure.seq, failure.failure):
            return
    with kept(connection):
        FAILURES.replace(connection, [failure._asdict()], org=failure.org, asset=failure.asset)


def forget(connection: duckdb.DuckDBPyConnection, org: str, asset: str) -> None:
    """Drop a failure that is over; part of the transaction that says so."""
    FAILURES.replace(connection, [], org=org, asset=asset)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
