"""The event log and the request log in the API."""

from dataclasses import asdict
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query

from scim_app.admin.api.callers import Caller, needs
from scim_app.admin.api.problems import ApiRoute
from scim_app.directory.permissions import Permission
from scim_app.errors import NotFound
from scim_app.store.views import event_list, request_list
from scim_app.store.views.event_list import EventQuery
from scim_app.store.views.request_list import Request

router = APIRouter(prefix="/{org}/api", tags=["logs"], route_class=ApiRoute)
Audit = Annotated[Caller, needs(Permission.SEE_AUDIT_LOG)]
Scim = Annotated[Caller, needs(Permission.MANAGE_SCIM)]
Word = Annotated[str, Query(max_length=200)]


@router.get("/events")
def list_events(
    caller: Audit,
    after: Annotated[int, Query(ge=0, lt=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    type: Word = "",
    actor: Word = "",
    subject: Word = "",
    since: Word = "",
    until: Word = "",
) -> dict[str, Any]:
    """List events in order of `seq`, those after a number; ask again with `next` until nothing comes.

    Numbers are gapless and in commit order, so a reader that keeps `next` misses nothing. A restored store begins
    a new `log_epoch`: a reader that sees another one than before reads from 0 again.
    """
    query = EventQuery(type=type, actor=actor, subject=subject, since=since, until=until)
    rows = caller.read(event_list.events_after, query, after=after, limit=limit)
    return {"events": [_event(row) for row in rows], "next": rows[-1]["seq"] if rows else after}


@router.get("/requests")
def list_requests(
    caller: Scim, outcome: Word = "", method: Word = "", cause: Word = "", before: Word = ""
) -> dict[str, Any]:
    """List what identity providers sent lately, the newest first; `next` is the `before` of the next page."""
    rows, following = caller.read(
        request_list.list_requests, outcome=outcome, method=method.upper(), cause=cause, before=before
    )
    return {"requests": [_request(row) for row in rows], "next": following or None}


@router.get("/requests/{request_id}")
def get_request(caller: Scim, request_id: str) -> dict[str, Any]:
    """Show a request whole: what was sent, what was answered, what it means and what to do."""
    found = caller.read(request_list.get, request_id)
    if found is None:
        raise NotFound(f"there is no request {request_id!r} in the log; only the last ones are kept")
    return _request(found)


@router.get("/health")
def get_health(caller: Scim) -> dict[str, Any]:
    """Show how the connection does: last request, last success, hours and causes of the last day."""
    found = caller.read(request_list.health)
    return asdict(found) | {"requests": found.requests, "failures": found.failures}


def _event(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: orjson.loads(row[name] or "null") for name in ("change", "document")}


def _request(found: Request) -> dict[str, Any]:
    failure = found.failure
    said = {"meaning": failure.meaning, "what_to_do": failure.what_to_do} if failure else {}
    return {**asdict(found), "meaning": None, "what_to_do": None, **said}
