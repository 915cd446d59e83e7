"""Remembering requests for the people who set provisioning up, off the way of the requests themselves."""

import asyncio
import re
import threading
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
import sqlalchemy as sa
from scim2_models import SCIMException
from starlette.requests import Request
from starlette.types import Scope

from scim_app.directory.failures import STRANGER
from scim_app.errors import StoreUnavailable
from scim_app.protocol.callers import read_token
from scim_app.protocol.calls import KEPT_BYTES, kept
from scim_app.store.db.stamps import new_id, now
from scim_app.store.log.event_log import holding
from scim_app.store.log.session import Store
from scim_app.store.views import request_log
from scim_app.store.views.request_log import Answered

_FIT_ID = re.compile(r"(?![0-9a-f]{8}-[0-9a-f]{4}-7)[A-Za-z0-9._-]{1,64}")
"""Fit ids of clients; none that could be one of ours, which are unique."""
_OWN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
FLUSH_SECONDS = 1.0
BUFFER = 5000
"""Most requests that wait to be written; beyond them the oldest are forgotten."""
PRUNE_EVERY = 500
STRANGERS_PER_BATCH = 5
"""Requests without a valid token, of one batch and one organization, that get a row; the others are counted."""
SLUGS_PER_BATCH = 1_000
"""Most organizations of whose strangers a batch tells; many of them may not exist."""
ROWS_PER_BATCH = 100
"""Most successful reads, and most successful writes, of one batch that get a row; the others are counted."""


class Trace:
    """What is known of one request while it is served, and until it is written down."""

    __slots__ = (
        "_began",
        "at",
        "body",
        "fault",
        "headers",
        "note",
        "problem",
        "request_id",
        "scope",
        "seconds",
        "size",
        "status",
        "token",
        "token_id",
    )

    def __init__(self, scope: Scope) -> None:
        self._began = time.perf_counter()
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        """By name; of a header that came twice the last one."""
        given = self.headers.get(b"x-request-id", b"").decode("latin-1")
        self.request_id = given if _FIT_ID.fullmatch(given) else new_id()
        """What the answer, the log and the events name it by: the client's own id where it sent a fit one."""
        self.at = now()
        self.status = 0
        self.seconds = 0.0
        self.token_id: str | None = None
        self.token, self.fault = read_token(scope)
        """The token that it offers, not yet looked at, and why it was not let in."""
        self.body: dict[str, Any] | None = None
        self.size = 0
        """Bytes of the body."""
        self.problem: SCIMException | None = None
        self.note = ""
        """How a request outside the RFC was understood, where it was."""

    def answer(self, status: int) -> "Trace":
        """Note the answer and return the trace; a long body is let go."""
        self.status = status
        self.seconds = time.perf_counter() - self._began
        if self.body and self.size > KEPT_BYTES:
            self.body = {"bytes": self.size}
        return self

    @property
    def slug(self) -> str:
        """Slug in the address, whether or not there is such an organization."""
        return self.scope["path_params"]["org"]

    @property
    def host(self) -> str:
        """The address that it came from, as the proxy that is trusted told it."""
        client = self.scope.get("client")
        return client[0] if client else ""

    @property
    def hour(self) -> str:
        """The hour of the request, as counts are kept by it."""
        return self.at[:13]

    @property
    def is_let_in(self) -> bool:
        """Whether it came with a valid token; one that is revoked or expired is known, and is none."""
        return self.token_id is not None and self.fault is None

    @property
    def succeeded(self) -> str | None:
        """What it did where it succeeded, `read` or `write`; None where it was refused."""
        if self.status >= HTTPStatus.BAD_REQUEST:
            return None
        return "read" if self.scope["method"] == "GET" else "write"

    def answered(self) -> Answered:
        """Return the request with its answer, as it is written down."""
        request = Request(self.scope)
        return Answered(
            slug=self.slug,
            id=self.request_id if _OWN_ID.fullmatch(self.request_id) else new_id(),
            at=self.at,
            method=request.method,
            path=_storable(request.path_params["path"], 500) or "/",
            query=_storable(request.url.query, 1000),
            status=self.status,
            scim_type=(self.problem.scim_type or None) if self.problem else None,
            detail=_storable(str(self.problem or self.note), 2000),
            token_id=self.token_id,
            ip=request.client.host if request.client else None,
            agent=_storable(request.headers.get("user-agent", ""), 200),
            milliseconds=round(self.seconds * 1000),
            cause=self.fault,
            sent=orjson.dumps(kept(self.body)).decode() if self.body else None,
        )


@dataclass(slots=True)
class Strangers:
    """Requests to one organization without a valid token: a few, and how many more each hour had refused."""

    traces: list[Trace] = field(default_factory=list[Trace])
    more: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """By hour, and by the cause where the token was one of the organization."""

    def add(self, trace: Trace) -> None:
        """Take a request in."""
        if len(self.traces) < STRANGERS_PER_BATCH:
            self.traces.append(trace)
        elif trace.succeeded is None:
            cause = trace.fault if trace.token_id is not None and trace.fault else STRANGER.cause
            self.more[trace.hour, cause] += 1


class Recorder:
    """Gathers requests and writes them once a second, in one short write per organization."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[Trace] = deque(maxlen=BUFFER)
        self._strangers: dict[str, Strangers] = {}
        self._scheduled = False
        self._writing = threading.Lock()
        self._since_pruned: dict[str, int] = defaultdict(int)

    def add(self, trace: Trace) -> None:
        """Take a request in that has been answered; it is written within a second."""
        if trace.is_let_in:
            self._waiting.append(trace)
        elif (of := self._strangers.get(trace.slug)) is not None:
            of.add(trace)
        elif len(self._strangers) < SLUGS_PER_BATCH:
            self._strangers[trace.slug] = Strangers([trace])
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush_aside)

    def flush(self) -> None:
        """Hand what waits to the store's writer."""
        self._write(*self._batch())

    def _flush_aside(self) -> None:
        """Do so in a thread: to put a full buffer into rows takes a tenth of a second."""
        asyncio.get_running_loop().run_in_executor(None, self._write, *self._batch())

    def _batch(self) -> tuple[list[Trace], dict[str, Strangers]]:
        self._scheduled = False
        batch, strangers = list(self._waiting), self._strangers
        self._waiting.clear()
        self._strangers = {}
        return batch, strangers

    def _write(self, batch: list[Trace], strangers: dict[str, Strangers]) -> None:
        """Hand requests to the store's writer; those to organizations that don't exist are left out."""
        with self._writing:
            slugs = {*strangers, *(trace.slug for trace in batch)}
            if slugs:
                self._submit_all(batch, strangers, slugs)

    def _submit_all(self, batch: list[Trace], strangers: dict[str, Strangers], slugs: set[str]) -> None:
        try:
            known = self._store.glance(lambda db: request_log.organizations_of(db, slugs))
        except StoreUnavailable:
            return  # what can't be written now is not worth waiting for
        by_slug: dict[str, list[Trace]] = defaultdict(list)
        for one in batch:
            by_slug[one.slug].append(one)
        for slug, org_id in known.items():
            self._submit(org_id, by_slug[slug], strangers.get(slug, Strangers()))

    def _submit(self, org_id: str, traces: list[Trace], strangers: Strangers) -> None:
        rows, more = _chosen(traces)
        rows += [trace.answered() for trace in strangers.traces]
        more.update(strangers.more)
        self._since_pruned[org_id] += len(rows)
        pruning = self._since_pruned[org_id] >= PRUNE_EVERY
        if pruning:
            self._since_pruned[org_id] = 0

        def work(db: sa.Connection) -> None:
            request_log.write(db, org_id, rows, more)
            if pruning:
                request_log.prune(db, org_id)

        self._store.submit(holding(org_id, work), org_id)


def _chosen(traces: list[Trace]) -> tuple[list[Answered], Counter[tuple[str, str]]]:
    """Return the requests that get a row, and how many successful ones beyond `ROWS_PER_BATCH` each hour had."""
    rows: list[Answered] = []
    more: Counter[tuple[str, str]] = Counter()
    met: Counter[str] = Counter()
    for trace in traces:
        kind = trace.succeeded
        if kind is not None:
            met[kind] += 1
        if kind is not None and met[kind] > ROWS_PER_BATCH:
            more[trace.hour, ""] += 1
        else:
            rows.append(trace.answered())
    return rows, more


def _storable(text: str, limit: int) -> str | None:
    """Return a text that every database can hold, None when there is none."""
    return text[:limit].replace("\0", "\ufffd").encode("utf-8", "replace").decode() or None
