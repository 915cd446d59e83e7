"""Of the event log: it has no gap, its hashes hold, and the store is what it tells."""

from datetime import UTC, datetime

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs import incremental, reconcile
from dagster_defs.asset_checks.finding import SHOWN, outcome
from dagster_defs.assets.materialized import preview
from dagster_defs.failures import CHAIN, DATA_ERRORS, Failure, failures, forget, note
from dagster_defs.incremental import COPY, Mark
from dagster_defs.resources import ScimStore
from dagster_defs.warehouse import POOL, kept, records
from scim_app.store.export import Export, Head

PROOF = "scim/proof"
"""Tag of a run that proves the whole: others look at what is new."""
SMALL = 20_000
"""Events up to which every run compares the whole store with its log."""
UNREADABLE = (*DATA_ERRORS, AttributeError, LookupError, TypeError)
"""What the replay of a log raises that does not say what it has to."""


@dg.asset_check(asset=COPY, pool=POOL)
def event_log_has_no_gap(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """The copy has each event once, from the first to the last, as the store counts them."""
    query = """
        SELECT mark.org, mark.seq, count(*) AS copied, count(DISTINCT event.seq) AS numbers, max(event.seq) AS last
        FROM identity.marks AS mark LEFT JOIN identity.provisioning_events AS event ON event.org = mark.org
        WHERE mark.asset = 'provisioning_events' GROUP BY mark.org, mark.seq
        HAVING count(event.seq) <> mark.seq OR count(DISTINCT event.seq) <> mark.seq
        ORDER BY mark.org
    """
    with warehouse.get_connection() as connection:
        gaps = records(connection.execute(query))
        wrong = {gap["org"]: f"{gap['numbers']} of {gap['seq']} events are in the copy" for gap in gaps}
        wrong |= {failure.org: failure.sentence for failure in failures(connection, COPY)}
    return outcome(wrong, {"gaps": preview(gaps[:SHOWN])})


@dg.asset_check(asset="findings", pool=POOL)
def every_event_is_taken_in(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """No event keeps an asset that is made from the copy of the log from taking in what follows."""
    with warehouse.get_connection() as connection:
        known = [failure for failure in failures(connection) if failure.asset not in (COPY, CHAIN)]
    return outcome(
        {failure.org: f"{failure.asset}: {failure.sentence}" for failure in known},
        {"failures": preview([failure._asdict() for failure in known])},
    )


@dg.asset_check(asset=COPY, pool=POOL)
def event_log_chain_holds(
    context: dg.AssetCheckExecutionContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> dg.AssetCheckResult:
    """No event was changed, added or removed after it was written; by night the whole log, else what is new of it.

    Where it did not hold the last time, it is looked at from the last event that was right.
    """
    whole = PROOF in context.run.tags
    broken: dict[str, str] = {}
    with scim.opened() as export, warehouse.get_connection() as connection:
        for head in export.heads():
            if words := verify(connection, export, head, whole=whole):
                broken[head.slug] = words
    return outcome(broken, {"broken": broken, "whole_log": whole})


def verify(connection: duckdb.DuckDBPyConnection, export: Export, head: Head, *, whole: bool) -> str | None:
    """Return a sentence on the first event that breaks the chain; None when it holds, which is then remembered.

    What was copied of a log whose chain holds again is copied anew: it may have been wrong.
    """
    failed = {failure.org: failure for failure in failures(connection, CHAIN)}.get(head.slug)
    after, previous = (0, None) if whole else _proved(connection, head, failed)
    checked, broken = export.verify(head.org_id, after=after, previous=previous)
    if broken is not None:
        # An event that stops the copy has spoiled nothing.
        if not any(failure.org == head.slug for failure in failures(connection)):
            now = datetime.now(UTC).replace(tzinfo=None)
            note(connection, Failure(head.slug, CHAIN, after, False, broken, now))
        return broken
    copied = incremental.marks(connection).get(head.slug)
    seq = min(checked, copied.seq if copied else 0)
    with kept(connection):
        incremental.save(connection, CHAIN, Mark(head.slug, head.org_id, head.log_epoch, seq))
        if failed:
            forget(connection, head.slug, CHAIN)
            incremental.begin_anew(connection, head.slug)
    return None


def _proved(connection: duckdb.DuckDBPyConnection, head: Head, failed: Failure | None) -> tuple[int, str | None]:
    """Return the last event whose hash is known to be right, with that hash; (0, None) where none is."""
    known = incremental.marks(connection, CHAIN).get(head.slug)
    if known is None or known.log_epoch != head.log_epoch:
        return 0, None
    # The hash comes from the copy: had the store's past been written anew, what follows would not follow.
    seq = min(known.seq, failed.seq) if failed else known.seq
    found = connection.execute(
        "SELECT seq, hash FROM identity.provisioning_events WHERE org = ? AND seq = ?", [head.slug, seq]
    ).fetchall()
    return found[0] if found else (0, None)


@dg.asset_check(asset="user_versions", additional_deps=["scim_directory", "membership_versions"], pool=POOL)
def every_change_has_an_event(
    context: dg.AssetCheckExecutionContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> dg.AssetCheckResult:
    """The live tables hold exactly what the event log explains: nothing was changed past the log.

    A large store is compared as a whole by night; in between `snapshot_counts_equal_the_store` watches it.
    """
    whole = PROOF in context.run.tags
    found: dict[str, list[str]] = {}
    unread: dict[str, str] = {}
    with scim.opened() as export, scim.opened_in_bulk() as bulk, warehouse.get_connection() as connection:
        for head in export.heads():
            try:
                if head.last_seq <= SMALL:
                    ids = export.unexplained(head.org_id)
                else:
                    ids = reconcile.unexplained(connection, bulk, head) if whole else []
            except UNREADABLE as error:
                ids, unread[head.slug] = [], f"its log can't be read ({type(error).__name__})"
            if ids:
                found[head.slug] = ids
    wrong = unread | {org: f"{len(ids)} that the log does not explain" for org, ids in found.items()}
    return outcome(wrong, {"unexplained": found})


CHECKS = [event_log_has_no_gap, every_event_is_taken_in, event_log_chain_holds, every_change_has_an_event]
"""Checks of the log."""
