"""Whether a large store is what its log tells: the live tables, streamed, against the history in the warehouse."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from scim_app.store.export import Head
from scim_app.store.export.arrow import ArrowExport

SHOWN = 100


def unexplained(connection: duckdb.DuckDBPyConnection, bulk: ArrowExport, head: Head) -> list[str]:
    """Return ids of users and teams that the live tables and the log tell differently, a hundred at most.

    What events after the copy touched is left for the next time. Documents are compared by their digest first.
    """
    standing = bulk.standing(head.org_id)
    connection.execute("SET VARIABLE org = $org", {"org": head.slug})
    _touched_since(connection, bulk, head, standing.last_seq)
    found: set[str] = set()
    for kind in ("user", "team"):
        _stream(connection, bulk.documents(head.org_id, kind), id="id", digest="md5(document)")
        found |= _differing_documents(connection, kind)
    _stream(connection, bulk.memberships(head.org_id), team_id="team_id", user_id="member_id")
    found |= {row[0] for row in connection.execute(_MEMBERSHIPS).fetchall()}
    connection.execute("DROP TABLE live; DROP TABLE touched")
    return sorted(found)[:SHOWN]


def _touched_since(connection: duckdb.DuckDBPyConnection, bulk: ArrowExport, head: Head, last: int) -> None:
    ((copied,),) = connection.execute(
        "SELECT max(seq) FROM identity.provisioning_events WHERE org = getvariable('org')"
    ).fetchall()
    connection.execute("CREATE OR REPLACE TEMP TABLE touched (id VARCHAR)")
    for block in bulk.events(head.org_id, after=copied or 0, until=last):
        connection.register("block", block)
        connection.execute("INSERT INTO touched SELECT subject_id FROM block")
        connection.unregister("block")


def _stream(connection: duckdb.DuckDBPyConnection, blocks: Iterable[pa.Table], **columns: str) -> None:
    """Fill the temporary table `live` from blocks: each column by its expression."""
    declared = ", ".join(f"{name} VARCHAR" for name in columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE live ({declared})")
    for block in blocks:
        connection.register("block", block)
        connection.execute(f"INSERT INTO live SELECT {', '.join(columns.values())} FROM block")  # noqa: S608
        connection.unregister("block")


_LAST = """
    SELECT subject_id, max(seq) AS seq FROM identity.provisioning_events
    WHERE org = getvariable('org') AND subject_kind = $kind AND type <> 'write.rejected' GROUP BY subject_id
"""
_DOCUMENTS = f"""
    WITH told AS (
        SELECT event.subject_id AS id, event.document, md5(event.document) AS digest
        FROM identity.provisioning_events AS event
        INNER JOIN ({_LAST}) AS last ON last.subject_id = event.subject_id AND last.seq = event.seq
        WHERE event.org = getvariable('org') AND event.type <> $kind || '.deleted'
    )
    SELECT coalesce(live.id, told.id) FROM told FULL JOIN live ON live.id = told.id
    WHERE live.digest IS DISTINCT FROM told.digest AND coalesce(live.id, told.id) NOT IN (SELECT id FROM touched)
    ORDER BY 1
"""  # noqa: S608
_MEMBERSHIPS = """
    WITH told AS (
        SELECT team_id, user_id FROM identity.membership_versions
        WHERE org = getvariable('org') AND until_seq IS NULL
    ),
    differing AS (
        (FROM told EXCEPT FROM live) UNION ALL (FROM live EXCEPT FROM told)
    )
    SELECT DISTINCT team_id FROM differing
    WHERE team_id NOT IN (SELECT id FROM touched) AND user_id NOT IN (SELECT id FROM touched) LIMIT 100
"""


def _differing_documents(connection: duckdb.DuckDBPyConnection, kind: str) -> set[str]:
    return {row[0] for row in connection.execute(_DOCUMENTS, {"kind": kind}).fetchall()}
