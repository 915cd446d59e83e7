"""What identity providers sent lately: the request log by pages, and the health of the connection."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from scim_app.directory.choices import require_choice
from scim_app.directory.failures import FAILURES, STRANGERS, Failure, failure_of, failure_of_answer
from scim_app.store.db.settings_tables import request_counts, request_log

PAGE = 50
HOURS = 24
OUTCOMES = ("ok", "failed")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HOUR = "%Y-%m-%dT%H"


@dataclass(frozen=True, slots=True)
class Request:
    """A request of an identity provider and its answer."""

    id: str
    at: str
    method: str
    path: str
    query: str | None
    status: int
    scim_type: str | None
    detail: str | None
    cause: str | None
    token_id: str | None
    ip: str | None
    agent: str | None
    milliseconds: int
    sent: str | None
    """The body without secrets, JSON as text; None where there was none."""

    @property
    def failure(self) -> Failure | None:
        """Why it was refused and what to do; None when it was answered."""
        return failure_of_answer(self.status, self.scim_type, self.detail, self.cause)


@dataclass(frozen=True, slots=True)
class Hour:
    """How many requests of one hour were answered as asked, and how many were refused."""

    label: str
    answered: int
    refused: int


@dataclass(frozen=True, slots=True)
class Cause:
    """How often a cause of refusals occurred in 24 hours."""

    cause: str
    meaning: str
    what_to_do: str
    requests: int


@dataclass(frozen=True, slots=True)
class Health:
    """How the connection of an organization's identity provider does."""

    last_request_at: str | None
    last_success_at: str | None
    hours: list[Hour]
    """The last 24 hours, the oldest first."""
    causes: list[Cause]
    strangers: list[Cause]
    """Requests without a valid token in 24 hours, which count in none of the above."""

    @property
    def requests(self) -> int:
        """Requests in 24 hours."""
        return sum(hour.answered + hour.refused for hour in self.hours)

    @property
    def failures(self) -> int:
        """Refused requests in 24 hours."""
        return sum(hour.refused for hour in self.hours)


_COLUMNS = [request_log.c[name] for name in Request.__slots__]


def list_requests(
    connection: sa.Connection, org_id: str, *, outcome: str = "", method: str = "", cause: str = "", before: str = ""
) -> tuple[list[Request], str]:
    """Return a page of requests, the newest first, and what the next page begins before, empty on the last.

    Args:
        connection: where to read.
        org_id: whose requests.
        outcome: `ok`, `failed`, or empty for both.
        method: an HTTP method, empty for all.
        cause: a cause of refusals, empty for all.
        before: what the page before gave, empty for the first.

    Raises:
        ValueError: when there is no such outcome, method or cause; with those that there are.
    """
    require_choice("outcome", outcome, OUTCOMES)
    require_choice("method", method, METHODS)
    require_choice("cause", cause, (failure.cause for failure in FAILURES))
    where = [request_log.c.org_id == org_id]
    if outcome:
        where.append(request_log.c.status >= 400 if outcome == "failed" else request_log.c.status < 400)
    if method:
        where.append(request_log.c.method == method)
    if cause:
        where.append(request_log.c.cause == cause)
    if before:
        where.append(request_log.c.id < before)
    query = sa.select(*_COLUMNS).where(*where).order_by(request_log.c.id.desc()).limit(PAGE + 1)
    found = [Request(*row) for row in connection.execute(query)]
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else ""


def get(connection: sa.Connection, org_id: str, request_id: str) -> Request | None:
    """Return one request, None when the log does not have it (any more)."""
    mine = (request_log.c.org_id == org_id) & (request_log.c.id == request_id)
    row = connection.execute(sa.select(*_COLUMNS).where(mine)).first()
    return Request(*row) if row else None


def health(connection: sa.Connection, org_id: str) -> Health:
    """Return how the connection does: last request and success ever, hours and causes of the last day."""
    all_of_it = request_counts.c.org_id == org_id
    mine = all_of_it & request_counts.c.cause.not_in(STRANGERS)
    last = sa.select(sa.func.max(request_counts.c.last_at)).where(mine)
    hours = [datetime.now(UTC) - timedelta(hours=back) for back in reversed(range(HOURS))]
    recent = sa.select(request_counts.c.hour, request_counts.c.cause, request_counts.c.requests).where(
        all_of_it, request_counts.c.hour >= hours[0].strftime(_HOUR)
    )
    answered: dict[str, int] = {}
    refused: dict[str, int] = {}
    causes: dict[str, int] = {}
    strangers: dict[str, int] = {}
    for hour, cause, number in connection.execute(recent):
        if cause in STRANGERS:
            strangers[cause] = strangers.get(cause, 0) + number
            continue
        counted = refused if cause else answered
        counted[hour] = counted.get(hour, 0) + number
        if cause:
            causes[cause] = causes.get(cause, 0) + number
    told = [
        Hour(one.strftime("%d %b %H:00 UTC"), answered.get(key, 0), refused.get(key, 0))
        for one in hours
        for key in [one.strftime(_HOUR)]
    ]
    return Health(
        connection.execute(last).scalar(),
        connection.execute(last.where(request_counts.c.cause == "")).scalar(),
        told,
        _most_first(causes),
        _most_first(strangers),
    )


def _most_first(causes: dict[str, int]) -> list[Cause]:
    return [_cause(name, number) for name, number in sorted(causes.items(), key=lambda item: -item[1])]


def _cause(name: str, requests: int) -> Cause:
    known = failure_of(name) or FAILURES[-1]
    return Cause(name, known.meaning, known.what_to_do, requests)
