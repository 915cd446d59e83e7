"""Of the event log: it has no gap, its hashes hold, and the store is what it tells."""

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs import incremental, reconcile
from dagster_defs.asset_checks.finding import nothing
from dagster_defs.incremental import COPY, Mark
from dagster_defs.resources import ScimStore
from dagster_defs.warehouse import POOL, kept
from scim_app.store.export import Export, Head

PROOF = "scim/proof"
"""Tag of a run that proves the whole: others look at what is new."""
SMALL = 20_000
"""Events up to which every run compares the whole store with its log."""


@dg.asset_check(asset=COPY, blocking=True, pool=POOL)
def event_log_has_no_gap(warehouse: DuckDBResource) -> dg.AssetCheckResult:
    """The copy has each event once, from the first to the last, as the store counts them."""
    query = """
        SELECT mark.org, mark.seq, count(*) AS copied, count(DISTINCT event.seq) AS numbers, max(event.seq) AS last
        FROM identity.marks AS mark LEFT JOIN identity.provisioning_events AS event ON event.org = mark.org
        WHERE mark.asset = 'provisioning_events' GROUP BY mark.org, mark.seq
        HAVING count(event.seq) <> mark.seq OR count(DISTINCT event.seq) <> mark.seq
        ORDER BY mark.org
    """
    return nothing(warehouse, query, what="gaps")


@dg.asset_check(asset=COPY, pool=POOL)
def event_log_chain_holds(
    context: dg.AssetCheckExecutionContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> dg.AssetCheckResult:
    """No event was changed, added or removed after it was written; by night the whole log, else what is new of it."""
    whole = PROOF in context.run.tags
    broken: dict[str, str] = {}
    with scim.opened() as export, warehouse.get_connection() as connection:
        for head in export.heads():
            if found := verify(connection, export, head, whole=whole):
                broken[head.slug] = found
    return dg.AssetCheckResult(passed=not broken, metadata={"broken": broken, "whole_log": whole})


def verify(connection: duckdb.DuckDBPyConnection, export: Export, head: Head, *, whole: bool) -> str | None:
    """Return a sentence on the first event that breaks the chain; None when it holds, which is then remembered."""
    known = incremental.marks(connection, "chain").get(head.slug)
    after, previous = 0, None
    if not whole and known and known.log_epoch == head.log_epoch:
        # The hash comes from the copy: had the store's past been written anew, what follows would not follow.
        found = connection.execute(
            "SELECT seq, hash FROM identity.provisioning_events WHERE org = ? AND seq = ?", [head.slug, known.seq]
        ).fetchall()
        after, previous = found[0] if found else (0, None)
    checked, broken = export.verify(head.org_id, after=after, previous=previous)
    if broken is None:
        copied = incremental.marks(connection).get(head.slug)
        seq = min(checked, copied.seq if copied else 0)
        with kept(connection):
            incremental.save(connection, "chain", Mark(head.slug, head.org_id, head.log_epoch, seq))
    return broken


@dg.asset_check(
    asset="user_versions", additional_deps=["scim_directory", "membership_versions"], blocking=True, pool=POOL
)
def every_change_has_an_event(
    context: dg.AssetCheckExecutionContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> dg.AssetCheckResult:
    """The live tables hold exactly what the event log explains: nothing was changed past the log.

    A large store is compared as a whole by night; in between `snapshot_counts_equal_the_store` watches it.
    """
    whole = PROOF in context.run.tags
    found: dict[str, list[str]] = {}
    with scim.opened() as export, scim.opened_in_bulk() as bulk, warehouse.get_connection() as connection:
        for head in export.heads():
            if head.last_seq <= SMALL:
                ids = export.unexplained(head.org_id)
            else:
                ids = reconcile.unexplained(connection, bulk, head) if whole else []
            if ids:
                found[head.slug] = ids
    return dg.AssetCheckResult(passed=not found, metadata={"unexplained": found})


CHECKS = [event_log_has_no_gap, event_log_chain_holds, every_change_has_an_event]
"""Checks of the log."""
