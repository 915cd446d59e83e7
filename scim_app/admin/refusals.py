"""Refused sign-ins in the event log: anybody can cause them, so a burst of them is told together."""

import threading
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from scim_app.directory.events import Actor, Event, EventType
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

BURST_SECONDS = 60.0

log = structlog.get_logger("sign_in")


@dataclass(slots=True)
class _Burst:
    timer: threading.Timer
    more: int = 0


class Refusals:
    """Refused sign-ins of this process: the first of a kind is an event, those of the next minute are one more.

    Args:
        store: whose log they are in.
        seconds: how long a burst lasts.
    """

    def __init__(self, store: Store, *, seconds: float = BURST_SECONDS) -> None:
        self._store, self._seconds = store, seconds
        self._lock = threading.Lock()
        self._bursts: dict[tuple[str, str], _Burst] = {}

    def note(self, org_id: str, reason: str, actor: Actor) -> None:
        """Count a refused sign-in, and record it where it begins a burst."""
        log.warning("refused", request_id=actor.request_id)
        key = (org_id, reason)
        with self._lock:
            if burst := self._bursts.get(key):
                burst.more += 1
                return
            timer = threading.Timer(self._seconds, self._end, key)
            timer.daemon = True
            self._bursts[key] = _Burst(timer)
            timer.start()
        self._record(org_id, reason, actor)

    def close(self) -> None:
        """End all bursts now, because the service stops."""
        for key in list(self._bursts):
            self._end(*key)

    def _end(self, org_id: str, reason: str) -> None:
        with self._lock:
            burst = self._bursts.pop((org_id, reason), None)
        if burst is None:
            return
        burst.timer.cancel()
        if burst.more:
            times = f"{burst.more} more {'time' if burst.more == 1 else 'times'} within {self._seconds:g} seconds"
            self._record(org_id, f"{reason}, {times}", Actor(name="nobody"))

    def _record(self, org_id: str, detail: str, actor: Actor) -> None:
        event = Event(
            type=EventType.SIGN_IN_REFUSED,
            subject_kind="session",
            subject_id=None,
            status=int(HTTPStatus.FORBIDDEN),
            detail=detail,
        )
        self._store.write(lambda db: Unit.begin(db, org_id, actor).record(event), org_id)
