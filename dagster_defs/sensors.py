"""What runs as things happen: provisioning, reports, refused writes, silence, tokens and reviews, failed checks."""

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster_duckdb import DuckDBResource

from dagster_defs import jobs, lasting
from dagster_defs.asking import DONE, WAITS, ask
from dagster_defs.assets.findings import heard
from dagster_defs.assets.reviews import undecided
from dagster_defs.check_states import failed
from dagster_defs.code_location import CodeLocation
from dagster_defs.failures import failures
from dagster_defs.incremental import COPY, marks
from dagster_defs.partitions import DAYS, last_day
from dagster_defs.resources import ScimStore

_ON = dg.DefaultSensorStatus.RUNNING
REST_SECONDS = 30
"""For how long nothing is changed before the reports are made."""
LONGEST_WAIT_SECONDS = 15 * 60
"""After which they are made though changes go on."""
TRIED_AGAIN_SECONDS = 60 * 60
"""After which events that can't be taken in are tried again though nothing new was written."""
REPORTED = dg.AssetKey("access_review_report")
"""The last asset of the job `reporting`: it tells when reports were made."""
OVERDUE = "scim/overdue"
"""Tag of reports that are made though changes go on: these are not ended by new events."""
_UNREADABLE = (duckdb.IOException, duckdb.CatalogException)
"""A warehouse that is being written, or that is not there yet; whatever else goes wrong must be seen."""
_Answer = dg.SensorResult | dg.SkipReason


def _digest(cursor: str) -> str:
    return hashlib.sha256(cursor.encode()).hexdigest()


@dg.sensor(job=jobs.provisioning, minimum_interval_seconds=5, default_status=_ON)
def provisioning_event_sensor(context: dg.SensorEvaluationContext, scim: dg.ResourceParam[ScimStore]) -> _Answer:
    """Ask for one run when any organization's log has grown; what comes while it runs goes into the next one.

    The cursor is what a run has taken in whole: until then a run that was lost is asked for again.
    """
    heads = {head.org_id: [head.log_epoch, head.last_seq] for head in scim.heads()}
    cursor = json.dumps(heads, sort_keys=True)
    if not heads or cursor == context.cursor:
        return dg.SkipReason("no new events")
    location = CodeLocation.of_sensor(context)
    answer = ask(location, jobs.provisioning.name, _digest(cursor), day=last_day(DAYS).isoformat())
    if answer is WAITS or isinstance(answer, dg.RunRequest):
        _make_way(context, location)
    if isinstance(answer, str):
        return dg.SensorResult(skip_reason=answer, cursor=cursor if answer is DONE else context.cursor)
    return dg.SensorResult([answer], cursor=context.cursor)


def _make_way(context: dg.SensorEvaluationContext, location: CodeLocation) -> None:
    """End reports that are being made: they would hold the warehouse, and are outdated; new ones follow.

    Those that are starting are ended once they have begun, at a next look: ended before that, a run has failed to
    Dagster, which tries it again, and in the end people are told.
    """
    for record in location.runs(job=jobs.reporting.name, statuses=[dg.DagsterRunStatus.STARTED]):
        if OVERDUE not in record.dagster_run.tags:
            try:
                context.instance.run_launcher.terminate(record.dagster_run.run_id)
            except DagsterUserCodeUnreachableError:
                context.log.info("run %s went with its code server", record.dagster_run.run_id)


@dg.sensor(job=jobs.provisioning, minimum_interval_seconds=60, default_status=_ON)
def sync_failure_sensor(context: dg.SensorEvaluationContext, scim: dg.ResourceParam[ScimStore]) -> _Answer:
    """Ask for a run when a refused write has not reached the warehouse a minute later: a second net under the first."""
    location = CodeLocation.of_sensor(context)
    copied = _copied(location)
    refused = {head.slug: scim.last_refusal(head.org_id, after=copied.get(head.slug, 0)) for head in scim.heads()}
    missed = {slug: seq for slug, seq in refused.items() if seq}
    cursor = json.dumps(missed, sort_keys=True)
    if not missed:
        return dg.SensorResult(skip_reason="every refused write has been copied", cursor="")
    if cursor != context.cursor:
        return dg.SensorResult(skip_reason="refused writes that the next run will copy", cursor=cursor)
    answer = ask(location, jobs.provisioning.name, f"refused/{_digest(cursor)}", day=last_day(DAYS).isoformat())
    return dg.SkipReason(answer) if isinstance(answer, str) else dg.SensorResult([answer], cursor=cursor)


@dg.sensor(job=jobs.provisioning, minimum_interval_seconds=60, default_status=_ON)
def mended_log_sensor(
    context: dg.SensorEvaluationContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> _Answer:
    """Ask for a run when an event that was missing from an organization's log is there, though nothing new was written.

    What else keeps events from being taken in may be mended anywhere: that is tried again each hour.
    """
    try:
        with duckdb.connect(warehouse.database, read_only=True) as connection:
            known = failures(connection)
            begins_anew = [org for org, mark in marks(connection).items() if not mark.log_epoch]
    except _UNREADABLE:
        return dg.SkipReason("the warehouse is being written, or there is none yet")
    location = CodeLocation.of_sensor(context)
    copied = location.latest_materialization(dg.AssetKey(COPY))
    if copied is None or not (known or begins_anew):
        return dg.SkipReason("every event is taken in")
    missing = {failure.org: failure.seq + 1 for failure in known if failure.is_missing}
    is_due = known and time.time() - copied.timestamp >= TRIED_AGAIN_SECONDS
    if not begins_anew and not is_due and not scim.has_any(missing):
        return dg.SkipReason("as before, events can't be taken in: the failed checks tell which")
    answer = ask(location, jobs.provisioning.name, f"mended/{copied.run_id}", day=last_day(DAYS).isoformat())
    return dg.SkipReason(answer) if isinstance(answer, str) else dg.SensorResult([answer])


@dg.sensor(job=jobs.reporting, minimum_interval_seconds=10, default_status=_ON)
def reporting_sensor(context: dg.SensorEvaluationContext) -> _Answer:
    """Ask for the reports once the directory has come to rest, or has changed without rest for a quarter of an hour.

    They take longer than all before them, and hold the warehouse meanwhile: new events end them until they are overdue.
    """
    location = CodeLocation.of_sensor(context)
    copied = location.latest_materialization(dg.AssetKey("provisioning_events"))
    reported, waiting_since = json.loads(context.cursor or "[null, null]")
    if copied is None or copied.run_id == reported:
        return dg.SkipReason("no new events")
    made = location.latest_materialization(REPORTED)
    is_waiting = waiting_since and (made is None or made.timestamp < waiting_since)
    now, since = time.time(), waiting_since if is_waiting else copied.timestamp
    is_overdue = now - since >= LONGEST_WAIT_SECONDS
    if now - copied.timestamp < REST_SECONDS and not is_overdue:
        return dg.SensorResult(skip_reason="people are changed right now", cursor=json.dumps([reported, since]))
    answer = ask(location, jobs.reporting.name, copied.run_id, {OVERDUE: "true"} if is_overdue else {})
    cursor = json.dumps([copied.run_id if answer is DONE else reported, since])
    if isinstance(answer, str):
        return dg.SensorResult(skip_reason=answer, cursor=cursor)
    return dg.SensorResult([answer], cursor=cursor)


def _copied(location: CodeLocation) -> dict[str, int]:
    """Return the last event of each organization that the warehouse holds, as the last run told."""
    event = location.latest_materialization(dg.AssetKey("provisioning_events"))
    materialization = event.asset_materialization if event else None
    told = materialization.metadata.get("last_event") if materialization else None
    return told.value if told and isinstance(told.value, Mapping) else {}  # pyright: ignore[reportReturnType]


def _changed(context: dg.SensorEvaluationContext, state: Any, what: str) -> _Answer:
    """Ask for a run of the alerts when a state differs from the one before."""
    cursor = json.dumps(state, sort_keys=True)
    if cursor == (context.cursor or "[]"):
        return dg.SkipReason(f"{what}: as before")
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    return dg.SensorResult([dg.RunRequest(run_key=f"{context.sensor_name}/{moment}/{_digest(cursor)}")], cursor=cursor)


@dg.sensor(job=jobs.alerts, minimum_interval_seconds=60, default_status=_ON)
def idp_silence_sensor(
    context: dg.SensorEvaluationContext, scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource
) -> _Answer:
    """Look whether an identity provider has been silent for longer than it ever is, or is heard of again."""
    try:
        with duckdb.connect(warehouse.database, read_only=True) as connection:
            rows = heard(connection, scim)
    except _UNREADABLE:
        return dg.SkipReason("the warehouse is being written, or there is none yet")
    silent = [f"{one.org}/{one.subject}" for one in lasting.silence(rows, datetime.now(UTC).replace(tzinfo=None))]
    return _changed(context, silent, "silence")


@dg.sensor(job=jobs.alerts, minimum_interval_seconds=300, default_status=_ON)
def token_expiry_sensor(context: dg.SensorEvaluationContext, scim: dg.ResourceParam[ScimStore]) -> _Answer:
    """Look whether a token ends within 30, 7 or 1 days, or has been replaced."""
    ending = lasting.expiry(scim.tokens(), datetime.now(UTC).replace(tzinfo=None))
    return _changed(context, sorted(one.subject for one in ending), "tokens")


@dg.sensor(job=jobs.alerts, minimum_interval_seconds=300, default_status=_ON)
def review_due_sensor(context: dg.SensorEvaluationContext, warehouse: DuckDBResource) -> _Answer:
    """Look whether an access review is due within 7 or 1 days or overdue, and a reviewer has not decided everything."""
    try:
        with duckdb.connect(warehouse.database, read_only=True) as connection:
            rows = undecided(connection)
    except _UNREADABLE:
        return dg.SkipReason("the warehouse is being written, or there is none yet")
    due = lasting.reviews_due(rows, datetime.now(UTC).replace(tzinfo=None))
    return _changed(context, sorted(f"{one.org}/{one.subject}" for one in due), "reviews")


@dg.sensor(job=jobs.alerts, minimum_interval_seconds=30, default_status=_ON)
def asset_check_failure_sensor(context: dg.SensorEvaluationContext) -> _Answer:
    """Look whether a check failed, or passes again, and for which organizations."""
    before = {tuple(one) for one in json.loads(context.cursor or "[]") if len(one) == 2}
    state = [[one.path, one.org] for one in failed(CodeLocation.of_sensor(context), before)]
    return _changed(context, state, "checks")


@dg.sensor(job=jobs.alerts, minimum_interval_seconds=15, default_status=_ON)
def alert_retry_sensor(context: dg.SensorEvaluationContext) -> _Answer:
    """Ask for a run when a message that was refused is due again, or what was wrong has been right for a while."""
    location = CodeLocation.of_sensor(context)
    event = location.latest_materialization(dg.AssetKey("alert_deliveries"))
    materialization = event.asset_materialization if event else None
    told = materialization.metadata.get("next_at") if materialization else None
    if event is None or told is None or not told.value:
        return dg.SkipReason("no message waits")
    now = datetime.now(UTC).replace(tzinfo=None)
    if now < datetime.fromisoformat(str(told.value)):
        return dg.SkipReason(f"the next try is at {told.value} UTC")
    answer = ask(location, jobs.alerts.name, f"retry/{event.run_id}")
    return dg.SkipReason(answer) if isinstance(answer, str) else dg.SensorResult([answer])


SENSORS = [
    *(provisioning_event_sensor, sync_failure_sensor, mended_log_sensor, idp_silence_sensor, token_expiry_sensor),
    *(review_due_sensor, reporting_sensor, asset_check_failure_sensor, alert_retry_sensor),
]
"""All sensors of what happens; `run_sensors` has those of runs."""
