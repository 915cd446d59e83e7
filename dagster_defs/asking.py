"""Runs that sensors ask for: asked for once, and again for as long as none of them came to its end.

Dagster tries a run that lost its process again three times and then lets it be, while a sensor's cursor has moved on
and the run's key is used up. What a run was asked for is therefore a tag of it, and the runs tell how it stands.
"""

import time
from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.events import RunFailureReason
from dagster._core.storage.tags import RUN_FAILURE_REASON_TAG, WILL_RETRY_TAG

from dagster_defs.code_location import CodeLocation
from dagster_defs.ledger import LONGEST_PAUSE, pause

PURPOSE = "scim/asked-for"
"""Tag with what a run was asked for; Dagster's own retries of the run have it too."""
PAUSE_SECONDS = 30
"""Shortest pause before a run that was lost is asked for again: it grows to a tenth of the time this has gone on."""
RETRY_SECONDS = 120
"""For how long Dagster is trusted to try a run again that it said it would."""
DONE = "it is done"
WAITS = "a run that has not begun yet will do it too"
_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
_LOOKED_AT = 20


def ask(
    location: CodeLocation, job: str, purpose: str, tags: Mapping[str, str] | None = None, day: str | None = None
) -> dg.RunRequest | str:
    """Return the request of a run for a purpose, or in words why there is none now.

    `DONE` when one has succeeded, `WAITS` when one waits that will do the same.

    Args:
        location: whose runs are looked at.
        job: name of the job.
        purpose: the same text as long as the same is wanted.
        tags: further tags of the run.
        day: partition of the run.
    """
    if location.runs(job=job, statuses=_WAITING, limit=1):
        return WAITS
    tried = location.runs(job=job, tags={PURPOSE: purpose}, limit=_LOOKED_AT)
    if tried and (answer := _standing(tried)):
        return answer
    key = f"{purpose}/{tried[0].dagster_run.run_id}" if tried else purpose
    return dg.RunRequest(run_key=key, partition_key=day, tags={**(tags or {}), PURPOSE: purpose})


def _standing(tried: Sequence[dg.RunRecord]) -> str:
    """Return why no further run is needed now, given those there were, the newest first; empty when one is."""
    last = tried[0].dagster_run
    if last.status == dg.DagsterRunStatus.SUCCESS:
        return DONE
    if not last.is_finished:
        return "a run is doing it"
    now = time.time()
    since = now - (tried[0].end_time or tried[0].update_timestamp.timestamp())
    if last.tags.get(WILL_RETRY_TAG) == "true" and since < RETRY_SECONDS:
        return "Dagster tries the run again"
    failed_itself = last.tags.get(RUN_FAILURE_REASON_TAG) == RunFailureReason.STEP_FAILURE.value
    # A machine that restarts gives the run back at once; one that lacks memory loses it each time, and has other work.
    lost_for = now - tried[-1].create_timestamp.timestamp()
    patience = max(PAUSE_SECONDS, min(lost_for / 10, LONGEST_PAUSE.total_seconds()))
    wait = pause(len(tried)).total_seconds() if failed_itself else patience
    return f"the last run was lost or failed; the next is asked for in {wait - since:.0f} s" if since < wait else ""
