"""Remembering requests for the people who set provisioning up, off the way of the requests themselves."""

import asyncio
import time
from collections import defaultdict, deque
from typing import Any

import orjson
from scim2_models import SCIMException
from starlette.requests import Request

from scim_app.errors import StoreUnavailable
from scim_app.protocol.calls import KEPT_BYTES, kept
from scim_app.store import request_log
from scim_app.store.request_log import Answered
from scim_app.store.session import Store
from scim_app.store.stamps import now

FLUSH_SECONDS = 1.0
BUFFER = 5000
"""Most requests that wait to be written; beyond them the oldest are forgotten."""
PRUNE_EVERY = 500


class Recorder:
    """Gathers requests and writes them once a second, in one short write per organization."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[Answered] = deque(maxlen=BUFFER)
        self._scheduled = False
        self._since_pruned: dict[str, int] = defaultdict(int)

    def add(self, answered: Answered) -> None:
        """Take a request in; it is written within a second."""
        self._waiting.append(answered)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Hand what waits to the store's writer. Requests to organizations that don't exist are left out."""
        self._scheduled = False
        batch = list(self._waiting)
        self._waiting.clear()
        if not batch:
            return
        try:
            known = self._store.read(lambda db: request_log.organizations_of(db, {one.slug for one in batch}))
        except StoreUnavailable:
            return  # what can't be written now is not worth waiting for
        by_organization: dict[str, list[Answered]] = defaultdict(list)
        for one in batch:
            if one.slug in known:
                by_organization[known[one.slug]].append(one)
        for org_id, requests in by_organization.items():
            self._submit(org_id, requests)

    def _submit(self, org_id: str, requests: list[Answered]) -> None:
        self._since_pruned[org_id] += len(requests)
        pruning = self._since_pruned[org_id] >= PRUNE_EVERY
        if pruning:
            self._since_pruned[org_id] = 0

        def work(db: Any) -> None:
            request_log.write(db, org_id, requests)
            if pruning:
                request_log.prune(db, org_id)

        self._store.submit(work, org_id)


class Trace:
    """What is known of one request while it is served."""

    def __init__(self, request: Request, request_id: str) -> None:
        self._request = request
        self.request_id = request_id
        self._at = now()
        self._began = time.monotonic()
        self.token_id: str | None = None
        self.body: dict[str, Any] | None = None
        self.problem: SCIMException | None = None

    def answered(self, status: int) -> Answered:
        """Return the request with its answer."""
        request = self._request
        return Answered(
            slug=request.path_params["org"],
            id=self.request_id,
            at=self._at,
            method=request.method,
            path=_storable(request.path_params["path"], 500) or "/",
            query=_storable(request.url.query, 1000),
            status=status,
            scim_type=(self.problem.scim_type or None) if self.problem else None,
            detail=_storable(str(self.problem or ""), 2000),
            token_id=self.token_id,
            ip=request.client.host if request.client else None,
            agent=_storable(request.headers.get("user-agent", ""), 200),
            milliseconds=round((time.monotonic() - self._began) * 1000),
            sent=self._sent(),
        )

    def _sent(self) -> str | None:
        """Return the body without passwords, or its length where it is long."""
        if not self.body:
            return None
        length = self._request.headers.get("content-length", "")
        if length.isdigit() and int(length) > KEPT_BYTES:
            return f'{{"bytes":{int(length)}}}'
        return orjson.dumps(kept(self.body)).decode()


def _storable(text: str, limit: int) -> str | None:
    """Return a text that every database can hold, None when there is none."""
    return text[:limit].replace("\0", "\ufffd").encode("utf-8", "replace").decode() or None
