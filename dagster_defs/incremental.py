"""Assets that grow with the event log: each takes in every event of an organization once, in blocks, in order.

A block and the mark that says how far an asset has come are one transaction, so a run that is killed loses nothing
and repeats nothing. A log that began another life (a restored store) is taken in anew.

An event that can't be taken in stops its organization alone, at one event in all assets: what was copied after it is
dropped and copied anew by the next run, as it may be mended until then.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import duckdb

from dagster_defs.documents import macros
from dagster_defs.failures import Stopped, failures, forget, note, up_to_the_first_failure
from dagster_defs.warehouse import SCHEMA, Frame, Table, kept
from scim_app.store.export.columns import EVENT_COLUMNS, Column

BLOCK = 200_000
"""Rows taken in by one transaction: its events, and about as many as there are members in what its events say."""
_MEMBER_BYTES = 40
"""What a member takes in an event: its id, quoted."""

COPY = "provisioning_events"
"""The asset that all others follow: no asset is ahead of the copy of the log."""
HISTORY = "history"
"""Mark of all histories, which are written together."""
CUT_BY_DAY = ("snapshot_cuts", "tokens")
"""Marks of what is cut at the end of each day."""

BATCH = Frame("batch", {name: (f"{COPY}.{name}",) for name in ("day", *(column.name for column in EVENT_COLUMNS))})
VARIABLES = Frame("getvariable", {"org": (f"{COPY}.org",), "after": (f"{COPY}.seq",), "until": (f"{COPY}.seq",)})
"""What a script is given by `advance`."""

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
    forget(connection, head.org, asset)
    return 0


def begin_anew(connection: duckdb.DuckDBPyConnection, org: str, assets: Sequence[str] = ()) -> None:
    """Let assets, or all of them, take an organization's log in anew, as if it had begun another life."""
    of = "AND asset IN (SELECT unnest(?))" if assets else ""
    values = [org, list(assets)] if assets else [org]
    connection.execute(f"UPDATE {MARKS.address} SET log_epoch = '' WHERE org = ? {of}", values)  # noqa: S608


def mended(connection: duckdb.DuckDBPyConnection, org: str, asset: str) -> None:
    """Note that what an asset failed at was taken in; days that ended meanwhile are cut again."""
    with kept(connection):
        forget(connection, org, asset)
        begin_anew(connection, org, CUT_BY_DAY)


def advance(
    connection: duckdb.DuckDBPyConnection,
    asset: str,
    tables: Sequence[Table],
    work: Callable[[], object],
    size: int = BLOCK,
    *,
    behind: Sequence[str] = (),
) -> int:
    """Do `work` for each block of events that an asset has not taken in yet, and return how many events that were.

    Where the data of an event are wrong, its organization has all before it, and its failure is kept; others go on.

    It goes as far as the copy of the log and every asset that it is made from (`behind`) have come: one that a killed
    run left back is waited for, or what it tells later would be passed over for ever.

    While it works, the temporary table `batch` holds the block's accepted changes, and the variables `org`, `after`
    and `until` say whose it is, and where it begins (exclusive) and ends.
    """
    connection.execute(macros())
    failed = {failure.org: failure.seq for failure in failures(connection, asset)}
    taken = 0
    for head in _heads(connection, behind):
        with kept(connection):
            first = reached = start(connection, asset, tables, head)
        take = partial(_take, connection, asset, head, work)
        try:
            for until in _ends(connection, head, first, size):
                up_to_the_first_failure(reached, until, take)
                reached = until
        except Stopped as stopped:
            reached = stopped.seq
            note(connection, stopped.failure(head.org, asset))
            _take_back(connection, head.org, reached)
        else:
            if reached > failed.get(head.org, reached):
                mended(connection, head.org, asset)
        taken += reached - first
    return taken


def _take(
    connection: duckdb.DuckDBPyConnection, asset: str, head: Mark, work: Callable[[], object], after: int, until: int
) -> None:
    with kept(connection):
        _select(connection, head.org, after, until)
        work()
        save(connection, asset, head._replace(seq=until))


def _take_back(connection: duckdb.DuckDBPyConnection, org: str, seq: int) -> None:
    """Drop what was copied after an event, so that everything that is made of the copy ends there."""
    with kept(connection):
        connection.execute(f"DELETE FROM {SCHEMA}.{COPY} WHERE org = ? AND seq > ?", [org, seq])  # noqa: S608
        connection.execute(f"UPDATE {MARKS.address} SET seq = ? WHERE org = ? AND asset = ?", [seq, org, COPY])  # noqa: S608


def _heads(connection: duckdb.DuckDBPyConnection, assets: Sequence[str]) -> list[Mark]:
    """Return how far the copy and all these assets have come in each organization's log."""
    known = [marks(connection, asset) for asset in assets]

    def reached(copied: Mark) -> int:
        marked = (found.get(copied.org) for found in known)
        seqs = [mark.seq if mark and mark.log_epoch == copied.log_epoch else 0 for mark in marked]
        return min([copied.seq, *seqs])

    return [copied._replace(seq=reached(copied)) for copied in marks(connection).values()]


def _ends(connection: duckdb.DuckDBPyConnection, head: Mark, after: int, size: int) -> list[int]:
    """Return where each block of the events up to the head ends: none is much larger than `size` rows."""
    found = connection.execute(
        f"""
        SELECT max(seq) FROM (
            SELECT seq, sum(1 + if(subject_kind = 'team', coalesce(strlen(change), 0) // {_MEMBER_BYTES}, 0))
                OVER (ORDER BY seq) AS rows
            FROM {SCHEMA}.{COPY} WHERE org = $org AND seq > $after AND seq <= $until
        ) GROUP BY (rows - 1) // $size ORDER BY 1
        """,  # noqa: S608
        {"org": head.org, "after": after, "until": head.seq, "size": size},
    )
    return [row[0] for row in found.fetchall()]


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
