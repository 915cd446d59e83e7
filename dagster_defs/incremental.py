"""Assets that grow with the event log: each takes in every event of an organization once, in blocks, in order.

A block and the mark that says how far an asset has come are one transaction, so a run that is killed loses nothing
and repeats nothing. A log that began another life (a restored store) is taken in anew.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import duckdb

from dagster_defs.documents import macros
from dagster_defs.warehouse import SCHEMA, Table, kept, sql
from scim_app.store.exported import Column

BLOCK = 100_000
"""Events taken in by one transaction."""

COPY = "provisioning_events"
"""The asset that all others follow: no asset is ahead of the copy of the log."""

MARKS = Table(
    "marks",
    (
        Column("asset", "text", "Asset that has come this far"),
        Column("org", "text", "Slug of the organization"),
        Column("org_id", "text", "Id of the organization"),
        Column("log_epoch", "text", "Life of the log"),
        Column("seq", "integer", "Last event that was taken in"),
    ),
)


class Mark(NamedTuple):
    """How far an asset has come in an organization's log."""

    org: str
    org_id: str
    log_epoch: str
    seq: int


def marks(connection: duckdb.DuckDBPyConnection, asset: str = COPY) -> dict[str, Mark]:
    """Return how far an asset has come in each organization, by slug."""
    found = MARKS.rows(connection, "WHERE asset = ? ORDER BY org", [asset])
    return {row["org"]: Mark(row["org"], row["org_id"], row["log_epoch"], row["seq"]) for row in found}


def save(connection: duckdb.DuckDBPyConnection, asset: str, mark: Mark) -> None:
    """Note how far an asset has come; part of the transaction that brings it there."""
    row = {"asset": asset, "org": mark.org, "org_id": mark.org_id, "log_epoch": mark.log_epoch, "seq": mark.seq}
    MARKS.replace(connection, [row], asset=asset, org=mark.org)


def start(connection: duckdb.DuckDBPyConnection, asset: str, tables: Sequence[Table], head: Mark) -> int:
    """Return the event to go on after; what tells of another life of the log is dropped, and counts for nothing."""
    for table in tables:
        table.make(connection)
    known = marks(connection, asset).get(head.org)
    if known is None:
        return 0
    if known.log_epoch == head.log_epoch and known.seq <= head.seq:
        return known.seq
    for table in tables:
        connection.execute(f"DELETE FROM {table.address} WHERE org = ?", [head.org])  # noqa: S608
    connection.execute(f"DELETE FROM {MARKS.address} WHERE asset = ? AND org = ?", [asset, head.org])  # noqa: S608
    return 0


def advance(
    connection: duckdb.DuckDBPyConnection,
    asset: str,
    tables: Sequence[Table],
    work: Callable[[], object],
    size: int = BLOCK,
) -> int:
    """Do `work` for each block of events that an asset has not taken in yet, and return how many events that were.

    While it works, the temporary table `batch` holds the block's accepted changes, and the variables `org`, `after`
    and `until` say whose it is, and where it begins (exclusive) and ends.
    """
    connection.execute(macros())
    taken = 0
    for head in marks(connection).values():
        with kept(connection):
            first = start(connection, asset, tables, head)
        for after in range(first, head.seq, size):
            until = min(after + size, head.seq)
            with kept(connection):
                _select(connection, head.org, after, until)
                work()
                save(connection, asset, Mark(head.org, head.org_id, head.log_epoch, until))
            taken += until - after
    return taken


def _select(connection: duckdb.DuckDBPyConnection, org: str, after: int, until: int) -> None:
    for name, value in {"org": org, "after": after, "until": until}.items():
        connection.execute(f"SET VARIABLE {name} = $value", {"value": value})
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE batch AS
        SELECT * EXCLUDE (org, org_id, log_epoch, prev_hash, hash)
        FROM {SCHEMA}.{COPY}
        WHERE org = getvariable('org') AND seq > getvariable('after') AND seq <= getvariable('until')
            AND type <> 'write.rejected'
        """  # noqa: S608
    )


def run_sql(connection: duckdb.DuckDBPyConnection, name: str, **tokens: str) -> None:
    """Run the statements of `sql/{name}.sql`."""
    connection.execute(sql(name, **tokens))
