"""The audit log: filtered, one event whole, and files of it for auditors."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from scim_app.admin.failures import bad_request, not_found, sentence
from scim_app.admin.guard import PageRoute
from scim_app.admin.happenings import Happening, told, types_by_group
from scim_app.admin.pages.paging import pages_of
from scim_app.admin.visits import Visit, allowed
from scim_app.directory.permissions import Permission
from scim_app.store.db.stamps import instant
from scim_app.store.log.session import Store
from scim_app.store.views import event_list
from scim_app.store.views.event_list import PAGE, EventQuery

FILTERS = ("type", "actor", "subject", "since", "until")
COLUMNS = (
    *("seq", "at", "type", "subject_kind", "subject_id", "subject_name", "actor", "idp", "request_id"),
    *("method", "path", "status", "scim_type", "detail", "change", "prev_hash", "hash"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_BATCH = 1000

router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.SEE_AUDIT_LOG)]


@router.get("/{org}/settings/audit")
def show_events(visit: See) -> Response:
    """Show a page of the events that match, the newest first."""
    asked, before = _asked(visit), _before(visit)

    def load(db: sa.Connection) -> dict[str, Any]:
        rows = event_list.list_events(db, visit.org.id, _query(visit, asked), before=before, limit=PAGE + 1)
        after = str(rows[PAGE - 1]["seq"]) if len(rows) > PAGE else ""
        return {
            "rows": told(db, visit.org.id, rows[:PAGE]),
            "pages": pages_of(visit, len(rows[:PAGE]), before, after),
            "actors": event_list.recent_actors(db, visit.org.id),
        }

    chosen = urlencode({name: value for name, value in asked.items() if value})
    shown = {"query": asked, "types": types_by_group(), "export_query": f"?{chosen}" if chosen else ""}
    return visit.page("audit.html", "Audit log", "audit", **shown, **visit.read(load))


@router.get("/{org}/settings/audit.csv")
def export_csv(visit: See) -> Response:
    """Give the events that match as a CSV file, in order of their numbers."""
    rows = _export(visit.site.store, visit.org.id, _query(visit, _asked(visit)))
    return _file(_as_csv(rows), "text/csv; charset=utf-8", f"audit-{visit.org.slug}.csv")


@router.get("/{org}/settings/audit.json")
def export_json(visit: See) -> Response:
    """Give the events that match as JSON, one object a line, in order of their numbers."""
    rows = _export(visit.site.store, visit.org.id, _query(visit, _asked(visit)))
    lines = (orjson.dumps(_decoded(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    return _file(lines, "application/x-ndjson", f"audit-{visit.org.slug}.json")


@router.get("/{org}/settings/audit/{seq}")
def show_event(visit: See, seq: int) -> Response:
    """Show one event whole."""

    def load(db: sa.Connection) -> tuple[dict[str, Any], Happening]:
        row = event_list.get_event(db, visit.org.id, seq)
        if row is None:
            raise not_found("There is no such event.", link=f"{visit.base}/audit", link_label="Audit log")
        return row, told(db, visit.org.id, [row])[0]

    row, event = visit.read(load)
    change = orjson.dumps(_decoded(row)["change"], option=orjson.OPT_INDENT_2).decode() if row["change"] else ""
    return visit.page("event.html", event.title, "audit", event=event, change=change)


def _asked(visit: Visit) -> dict[str, str]:
    return {name: visit.query(name) for name in FILTERS}


def _query(visit: Visit, asked: Mapping[str, str]) -> EventQuery:
    """Return the query of the filters; days are those of the organization's time zone."""
    zone = ZoneInfo(visit.org.time_zone)
    try:
        since = _day(asked["since"], zone, 0)
        until = _day(asked["until"], zone, 1)
    except ValueError as problem:
        raise bad_request("A day is written like 2026-11-25.", f"{visit.base}/audit") from problem
    plain = {name: asked[name] for name in ("type", "actor", "subject")}
    try:
        return EventQuery(**plain, since=since, until=until)
    except ValueError as problem:
        raise bad_request(sentence(problem), f"{visit.base}/audit") from problem


def _day(text: str, zone: ZoneInfo, later: int) -> str:
    if not text:
        return ""
    day = datetime.strptime(text, "%Y-%m-%d").date() + timedelta(days=later)  # noqa: DTZ007
    return instant(datetime.combine(day, time(), zone))


def _before(visit: Visit) -> int | None:
    text = visit.query("after")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise bad_request("This page of the log can't be found again.", f"{visit.base}/audit")
    return int(text) if text else None


def _export(store: Store, org_id: str, query: EventQuery) -> Iterator[dict[str, Any]]:
    """Return all events that match in order, read in short transactions while the file is written."""
    after = 0
    while rows := store.read(lambda db: event_list.events_after(db, org_id, query, after=after, limit=_BATCH)):  # noqa: B023
        yield from rows
        after = rows[-1]["seq"]


def _as_csv(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    yield _line(COLUMNS)
    for row in rows:
        yield _line([_cell(row[name]) for name in COLUMNS])


def _line(cells: Iterable[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()


def _cell(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _decoded(row: Mapping[str, Any]) -> dict[str, Any]:
    parsed = {name: orjson.loads(row[name]) if row[name] else None for name in ("change", "document")}
    return {str(name): value for name, value in row.items()} | parsed


def _file(body: Iterator[bytes], media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(body, media_type=media_type, headers=headers)
