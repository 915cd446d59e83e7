"""Whether the copy of the event log is what was written: every event's hash is computed again from what it says."""

from collections.abc import Iterator
from typing import Any

import duckdb

from dagster_defs import incremental
from dagster_defs.failures import stopped
from dagster_defs.incremental import COPY, Mark
from dagster_defs.warehouse import ORGANIZATION, Table, kept
from scim_app.store.export.columns import Column
from scim_app.store.export.export import CHAINED, GENESIS, chain_hash

LOG_BREAKS = Table(
    "log_breaks",
    (
        ORGANIZATION,
        Column("seq", "integer", "Number of an event that the chain of hashes does not hold for"),
        Column("finding", "text", "What is wrong with it, in words"),
    ),
    made_from={"org": (f"{COPY}.org",), "seq": (f"{COPY}.seq",), "finding": (f"{COPY}.hash", f"{COPY}.prev_hash")},
    is_asset=False,
)
_MARK = "log_breaks"
_BLOCK = 10_000
_COLUMNS = ", ".join('occurred_at AS "at"' if name == "at" else name for name in (*CHAINED, "prev_hash", "hash"))


def prove(connection: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Compute the hashes of the copied events again and keep what breaks: of all events, or of those that are new.

    Where the log can't be taken in further, its last event is such a break, until what follows is there.
    """
    LOG_BREAKS.make(connection)
    ends = stopped(connection)
    for org, head in incremental.marks(connection).items():
        known = incremental.marks(connection, _MARK).get(org)
        goes_on = known and not whole and known.log_epoch == head.log_epoch and known.seq <= head.seq
        proved = head._replace(seq=max(head.seq - 1, 0)) if org in ends else head
        after = min(known.seq, proved.seq) if known and goes_on else 0
        breaks = dict(_breaks(connection, head, after))
        if org in ends:
            breaks.setdefault(head.seq, ends[org].failure)
        rows = [{"org": org, "seq": seq, "finding": words} for seq, words in breaks.items()]
        with kept(connection):
            connection.execute(f"DELETE FROM {LOG_BREAKS.address} WHERE org = ? AND seq > ?", [org, after])  # noqa: S608
            LOG_BREAKS.append(connection, rows)
            incremental.save(connection, _MARK, proved)


def _breaks(connection: duckdb.DuckDBPyConnection, head: Mark, after: int) -> Iterator[tuple[int, str]]:
    """Yield the events after one that do not continue the chain, each with what is wrong."""
    last, previous = after, GENESIS
    for row in _rows(connection, head, after):
        if row["seq"] == after:
            previous = row["hash"]
            continue
        if row["seq"] != last + 1:
            yield row["seq"], f"event {last + 1} is missing"
        elif row["prev_hash"] != previous:
            yield row["seq"], "does not follow the event before it"
        elif row["hash"] != chain_hash(previous, row):
            yield row["seq"], "was changed after it was written"
        last, previous = row["seq"], row["hash"]
    if last < head.seq:
        yield head.seq, f"event {last + 1} is missing"


def _rows(connection: duckdb.DuckDBPyConnection, head: Mark, after: int) -> Iterator[dict[str, Any]]:
    query = f"""
        SELECT {_COLUMNS} FROM identity.provisioning_events WHERE org = ? AND seq >= ? AND seq <= ? ORDER BY seq
    """  # noqa: S608
    found = connection.cursor().execute(query, [head.org, after, head.seq])
    names = [column[0] for column in found.description or ()]
    while block := found.fetchmany(_BLOCK):
        for values in block:
            row = dict(zip(names, values, strict=True))
            yield row | {"at": f"{row['at']:%Y-%m-%dT%H:%M:%S.%f}Z"}
