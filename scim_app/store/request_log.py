"""What identity providers sent lately and what was answered: written in batches, the oldest rows go.

Every request is counted by hour and cause; rows are kept of the last requests only (`KEPT`).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_app.directory.failures import FAILURES, Failure, explain_failure
from scim_app.errors import NotFound
from scim_app.store.credentials import later
from scim_app.store.settings_tables import request_counts, request_log
from scim_app.store.stamps import now
from scim_app.store.tables import organizations

KEPT = 10_000
"""Rows of an organization that are kept."""
KEPT_FOR = timedelta(days=31)
"""How long the counts are kept."""
READS_PER_BATCH = 100
"""Most successful reads of one batch that get a row; the others are counted."""

_CAUSES = {failure.cause: failure for failure in FAILURES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A request and its answer. `sent` is the body, redacted and cut; None where there was none."""

    slug: str
    id: str
    at: str
    method: str
    path: str
    """Below the SCIM base URL."""
    query: str | None = None
    status: int
    scim_type: str | None = None
    detail: str | None = None
    token_id: str | None = None
    ip: str | None = None
    agent: str | None = None
    milliseconds: int = 0
    sent: str | None = None

    @property
    def failure(self) -> Failure | None:
        """Why it was refused, None where it was not."""
        return explain_failure(self.status, self.scim_type, self.detail) if self.status >= 400 else None


@dataclass(frozen=True, slots=True)
class Hour:
    """How many requests an hour had (`2026-11-25T17`, UTC), and how many of them were refused or failed."""

    hour: str
    requests: int
    failures: int


@dataclass(frozen=True, slots=True)
class Health:
    """How the connection to the identity provider does. Instants are None where there was no such request."""

    last_request_at: str | None
    last_success_at: str | None
    requests: int
    """In the last 24 hours."""
    failures: list[tuple[Failure, int]] = field(default_factory=list[tuple[Failure, int]])
    """Causes of the last 24 hours with how often, the most frequent first."""
    hours: list[Hour] = field(default_factory=list[Hour])
    """The last 24 hours, the oldest first."""


def organizations_of(connection: sa.Connection, slugs: Iterable[str]) -> dict[str, str]:
    """Return the ids of organizations by slug; unknown slugs are left out."""
    query = sa.select(organizations.c.slug, organizations.c.id).where(organizations.c.slug.in_(set(slugs)))
    return {row.slug: row.id for row in connection.execute(query)}


def write(connection: sa.Connection, org_id: str, batch: Sequence[Answered]) -> None:
    """Count requests of one organization and keep the rows that are worth it."""
    reads = 0
    rows: list[dict[str, Any]] = []
    counts: Counter[tuple[str, str]] = Counter()
    for one in batch:
        cause = one.failure.cause if one.failure else ""
        counts[one.at[:13], cause] += 1
        reads += not cause and one.method == "GET"
        if cause or one.method != "GET" or reads <= READS_PER_BATCH:
            kept = {name: getattr(one, name) for name in Answered.__slots__ if name != "slug"}
            rows.append(kept | {"org_id": org_id, "cause": cause or None})
    connection.execute(sa.insert(request_log), rows)
    for (hour, cause), number in counts.items():
        _count(connection, {"org_id": org_id, "hour": hour, "cause": cause, "requests": number, "last_at": now()})


def prune(connection: sa.Connection, org_id: str) -> None:
    """Drop the rows of an organization beyond those kept."""
    mine = request_log.c.org_id == org_id
    oldest = sa.select(request_log.c.id).where(mine).order_by(request_log.c.id.desc()).offset(KEPT).limit(1)
    connection.execute(sa.delete(request_log).where(mine, request_log.c.id <= oldest.scalar_subquery()))
    old = request_counts.c.hour < later(now(), -KEPT_FOR)[:13]
    connection.execute(sa.delete(request_counts).where(request_counts.c.org_id == org_id, old))


def listing(
    connection: sa.Connection,
    org_id: str,
    *,
    failed: bool | None = None,
    method: str | None = None,
    cause: str | None = None,
    text: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Return requests, the newest first: the columns of the log, with `meaning` and `what_to_do`.

    Args:
        connection: an open transaction.
        org_id: the organization.
        failed: only those refused (True) or only those that succeeded (False).
        method: only those of an HTTP method.
        cause: only those of a cause (`scim_app.directory.failures`).
        text: only those with this text in path, query, detail or body.
        before: id of a request; only older ones.
        limit: most rows.
    """
    query = sa.select(request_log).where(request_log.c.org_id == org_id)
    if failed is not None:
        query = query.where(request_log.c.cause.is_not(None) if failed else request_log.c.cause.is_(None))
    for column, wanted in ((request_log.c.method, method), (request_log.c.cause, cause)):
        query = query.where(column == wanted) if wanted else query
    if text:
        parts = (request_log.c[name].icontains(text, autoescape=True) for name in ("path", "query", "detail", "sent"))
        query = query.where(sa.or_(*parts))
    if before:
        query = query.where(request_log.c.id < before)
    rows = connection.execute(query.order_by(request_log.c.id.desc()).limit(limit)).mappings()
    return [_told(dict(row)) for row in rows]


def get(connection: sa.Connection, org_id: str, request_id: str) -> dict[str, Any]:
    """Return one request, as in `listing`.

    Raises:
        NotFound: when there is none of that id, or it is not kept any more.
    """
    query = sa.select(request_log).where(request_log.c.org_id == org_id, request_log.c.id == request_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"there is no request {request_id!r} in the log; the last {KEPT:,} are kept")
    return _told(dict(row))


def health(connection: sa.Connection, org_id: str, at: str | None = None) -> Health:
    """Return how the connection does, at a moment (now when there is none given)."""
    at = at or now()
    hours = [later(at, -timedelta(hours=back))[:13] for back in range(23, -1, -1)]
    query = sa.select(request_counts).where(request_counts.c.org_id == org_id)
    rows = connection.execute(query).mappings().all()
    by_hour, by_cause = Counter[str](), Counter[str]()
    failed = Counter[str]()
    for row in rows:
        if row["hour"] >= hours[0]:
            by_hour[row["hour"]] += row["requests"]
            if row["cause"]:
                failed[row["hour"]] += row["requests"]
                by_cause[row["cause"]] += row["requests"]
    return Health(
        last_request_at=max((row["last_at"] for row in rows), default=None),
        last_success_at=max((row["last_at"] for row in rows if not row["cause"]), default=None),
        requests=sum(by_hour.values()),
        failures=[(_CAUSES[cause], number) for cause, number in by_cause.most_common() if cause in _CAUSES],
        hours=[Hour(hour, by_hour[hour], failed[hour]) for hour in hours],
    )


def _told(row: dict[str, Any]) -> dict[str, Any]:
    failure = _CAUSES.get(row["cause"] or "")
    said = {"meaning": failure.meaning, "what_to_do": failure.what_to_do} if failure else {}
    return {**row, "meaning": None, "what_to_do": None, **said}


def _count(connection: sa.Connection, row: dict[str, Any]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(request_counts).values(row)
    more = {"requests": request_counts.c.requests + statement.excluded.requests, "last_at": statement.excluded.last_at}
    keys = ("org_id", "hour", "cause")
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=more))
