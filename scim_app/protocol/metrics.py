"""Figures of the service for Prometheus: of all its processes, with labels whose values are few and never a person's.

Several processes count into files that they share, so that any of them tells the whole; a process that is gone keeps
its share in what was counted.
"""

import os
import re
from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from starlette.requests import Request
from starlette.responses import Response

from scim_app.settings import shared_metrics
from scim_app.store.log.session import Store

Mode = Literal["livesum", "sum"]
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_ENDPOINTS = frozenset({"Users", "Groups", "Me", "Bulk", "Schemas", "ResourceTypes", "ServiceProviderConfig"})
_TYPES = frozenset(
    {
        *("uniqueness", "invalidFilter", "invalidSyntax", "invalidValue", "invalidPath", "noTarget", "mutability"),
        *("tooMany", "invalidVers", "sensitive", "invalidCursor", "expiredCursor", "invalidCount"),
    }
)
_SEARCH = re.compile(r"/?\.search")
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25)


def route_of(path: str) -> str:
    """Return the route that a path below the SCIM base stands for; any other path is `other`."""
    endpoint, _, rest = path.lstrip("/").partition("/")
    if _SEARCH.fullmatch(path):
        return "/.search"
    if endpoint not in _ENDPOINTS:
        return "other"
    if not rest:
        return f"/{endpoint}"
    return f"/{endpoint}/.search" if rest == ".search" else f"/{endpoint}/{{id}}"


class Metrics:
    """What is counted: requests, their time, refusals by `scimType`, and the writer's queue and commits."""

    def __init__(self, store: Store) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route")
        self._seconds = Histogram(
            "scim_request_seconds",
            "Time from a SCIM request to its answer",
            labels,
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._requests = Counter(
            "scim_requests", "SCIM requests by class of status", (*labels, "status"), registry=self._registry
        )
        self._rejected = Counter(
            "scim_rejected", "Refused SCIM requests by scimType", ("scim_type",), registry=self._registry
        )
        self._guessed = Counter(
            "scim_filters_guessed",
            "Filters outside the grammar that were understood",
            registry=self._registry,
        )
        self._counting: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._shared = shared_metrics()
        self._gauges = [
            self._gauge(
                "scim_writer_queue_depth", "Writes that wait for the writer", lambda: store.writer.depth, "livesum"
            ),
            self._gauge("scim_writer_commits", "Commits since the service began", lambda: store.writer.commits, "sum"),
            self._gauge("scim_writer_writes", "Writes in these commits", lambda: store.writer.writes, "sum"),
        ]

    def _gauge(self, name: str, what: str, read: Callable[[], float], mode: Mode) -> tuple[Gauge, Callable[[], float]]:
        return Gauge(name, what, registry=self._registry, multiprocess_mode=mode), read

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request to a route of `route_of`."""
        requests, times = self._counting.get((method, route, status)) or self._begin(method, route, status)
        requests.inc()
        times.observe(seconds)
        if self._shared:  # another process may be asked for the page
            self._read_gauges()

    def _read_gauges(self) -> None:
        for gauge, read in self._gauges:
            gauge.set(read())

    def _begin(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Return what counts a kind of request; looking labels up each time costs more than counting."""
        known = method if method in _METHODS else "other"
        found = self._requests.labels(known, route, f"{status // 100}xx"), self._seconds.labels(known, route)
        if known == method:
            self._counting[method, route, status] = found
        return found

    def refused(self, scim_type: str | None) -> None:
        """Count a refused request."""
        self._rejected.labels(scim_type if scim_type in _TYPES else "none").inc()

    def guessed(self) -> None:
        """Count a filter that is not in the grammar and was understood all the same."""
        self._guessed.inc()

    def page(self, _request: Request) -> Response:
        """Return the figures."""
        self._read_gauges()
        return Response(generate_latest(self._all() if self._shared else self._registry), media_type=MEDIA_TYPE)

    def _all(self) -> CollectorRegistry:
        """Return what all processes have counted; of one that is gone nothing waits any more."""
        for file in self._shared.glob("gauge_live*.db") if self._shared else ():
            pid = int(file.stem.rpartition("_")[2])
            if not _is_alive(pid):
                multiprocess.mark_process_dead(pid)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        return registry


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
