"""Figures of the service for Prometheus: of one process, with labels whose values are few and never a person's."""

import re
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from scim_app.store.session import Store

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
        self._counting: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._gauge("scim_writer_queue_depth", "Writes that wait for the writer", lambda: store.writer.depth)
        self._gauge("scim_writer_commits", "Commits since the process began", lambda: store.writer.commits)
        self._gauge("scim_writer_writes", "Writes in these commits", lambda: store.writer.writes)

    def _gauge(self, name: str, what: str, read: Callable[[], float]) -> None:
        Gauge(name, what, registry=self._registry).set_function(read)

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request to a route of `route_of`."""
        requests, times = self._counting.get((method, route, status)) or self._begin(method, route, status)
        requests.inc()
        times.observe(seconds)

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

    def page(self, _request: Request) -> Response:
        """Return the figures."""
        return Response(generate_latest(self._registry), media_type=MEDIA_TYPE)
