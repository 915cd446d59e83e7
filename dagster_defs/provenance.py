"""Whether a run stands on the warehouse that its inputs were written to.

The warehouse keeps the ids of the runs that stood on it, and Dagster tags these runs. A run whose warehouse does not
know the newest tagged run is on another host, on a copy or on an empty file: what it made would be green and wrong.
"""

import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg
import duckdb
from dagster._core.storage.tags import HIDDEN_TAG_PREFIX

from dagster_defs.code_location import CodeLocation
from dagster_defs.incremental import COPY, MARKS, marks
from dagster_defs.warehouse import Table, is_there, kept
from scim_app.store.export.columns import Column

STOOD = f"{HIDDEN_TAG_PREFIX}scim-warehouse"
"""Tag of the runs that stood on the warehouse, and of those that Dagster copied it to: retries and re-executions."""
STOOD_AS = f"{HIDDEN_TAG_PREFIX}scim-warehouse-run"
"""Tag with the id of the run that stood there: in a copy of the tags it is another run's."""
PLACE = f"{HIDDEN_TAG_PREFIX}scim-warehouse-place"
"""Tag with the host and path at which that was."""
NEW = "scim/new-warehouse"
"""Tag of a run that may begin a new warehouse: an operator says so after the earlier one was lost."""
KEPT = timedelta(days=90)
"""For how long the warehouse knows a run that others followed."""
LOOKED_AT = 50

RUNS = Table(
    "warehouse_runs",
    (
        Column("run_id", "text", "Dagster run that stood on this warehouse"),
        Column("began_at", "instant", "When it opened it first (UTC)"),
    ),
)


class OtherWarehouse(dg.Failure):
    """The warehouse here is not the one that earlier runs wrote. Trying again would say the same."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"The warehouse at {place} is not the one that earlier runs wrote: {reason}. Nothing was read or written. "
            "If runs are spread over several hosts, send all of them to one host, or let the hosts share one "
            "DAGSTER_SCIM_HOME. If the warehouse was deleted or lost, begin a new one: "
            "`python -m dagster_defs.run --new-warehouse`.",
            allow_retries=False,
        )


def prove(instance: dg.DagsterInstance, run: dg.DagsterRun, connection: duckdb.DuckDBPyConnection, path: str) -> None:
    """Make sure that a run stands on the right warehouse, and note in both places that it does.

    Raises:
        OtherWarehouse: when the warehouse lacks what earlier runs wrote.
    """
    place, location = f"{socket.gethostname()}:{path}", CodeLocation.of_run(instance, run)
    newest = _newest(location)
    if NEW not in run.tags and (reason := _lacking(location, newest, connection)):
        raise OtherWarehouse(place, reason)
    now = datetime.now(UTC).replace(tzinfo=None)
    # First here, then there: a run that is killed between the two has made nothing yet.
    with kept(connection):
        RUNS.replace(connection, [{"run_id": run.run_id, "began_at": now}], run_id=run.run_id)
        old = f"DELETE FROM {RUNS.address} WHERE began_at < ? AND run_id IS DISTINCT FROM ?"  # noqa: S608
        connection.execute(old, [now - KEPT, newest.run_id if newest else None])
    if not _stood(run):
        instance.add_run_tags(run.run_id, {STOOD: "true", STOOD_AS: run.run_id, PLACE: place})


def _stood(run: dg.DagsterRun) -> bool:
    return run.tags.get(STOOD_AS) == run.run_id


def _lacking(location: CodeLocation, newest: dg.DagsterRun | None, connection: duckdb.DuckDBPyConnection) -> str | None:
    """Return what a warehouse lacks of what earlier runs wrote, None when nothing."""
    if newest is not None:
        if is_there(connection, RUNS) and RUNS.count(connection, "WHERE run_id = ?", [newest.run_id]):
            return None
        return f"run {newest.run_id} ({newest.job_name}) wrote {newest.tags.get(PLACE, 'another one')}"
    # No such run is known, as before the first one and after an upgrade: the copy of the log tells.
    reached = {org: mark.seq for org, mark in marks(connection).items()} if is_there(connection, MARKS) else {}
    behind = (
        f"the log of {org} was copied up to event {seq}, and this one has it up to event {reached.get(org, 0)}"
        for org, seq in _copied(location).items()
        if reached.get(org, 0) < seq
    )
    return next(behind, None)


def _newest(location: CodeLocation) -> dg.DagsterRun | None:
    """Return the newest run that stood on the warehouse: of this code location, or begun by hand, which has none."""
    tagged = location.instance.get_runs(dg.RunsFilter(tags={STOOD: "true"}), limit=LOOKED_AT)
    found = [run for run in tagged if _stood(run)]
    labels = {run.run_id: CodeLocation.of_run(location.instance, run).label for run in found}
    return next((run for run in found if location.label is None or labels[run.run_id] in (None, location.label)), None)


def _copied(location: CodeLocation) -> Mapping[str, int]:
    """Return the last event of each organization that the warehouse holds, as the last run told."""
    event = location.latest_materialization(dg.AssetKey(COPY))
    materialization = event.asset_materialization if event else None
    told = materialization.metadata.get("last_event") if materialization else None
    return told.value if told and isinstance(told.value, Mapping) else {}  # pyright: ignore[reportReturnType]
