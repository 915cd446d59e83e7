"""Writing down what identity providers sent and what was answered, in batches; `request_list` reads it.

Requests are counted by hour and cause; rows are kept of the last ones only (`KEPT`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scim_app.directory.failures import STRANGER, STRANGERS, Failure, failure_of_answer
from scim_app.directory.token_faults import TokenFault
from scim_app.store.credentials.credentials import later
from scim_app.store.db.settings_tables import request_counts, request_log
from scim_app.store.db.stamps import now
from scim_app.store.db.tables import organizations

KEPT = 10_000
"""Rows of an organization that are kept, of requests with a token."""
STRANGERS_KEPT = 500
"""Rows of an organization that are kept of requests without a valid token."""
KEPT_FOR = timedelta(days=31)
"""How long the counts are kept."""


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
    cause: str | None = None
    """Why it was refused, where the answer does not say so."""

    @property
    def failure(self) -> Failure | None:
        """Why it was refused, None where it was not."""
        return failure_of_answer(self.status, self.scim_type, self.detail, self.cause)


def organizations_of(connection: sa.Connection, slugs: Iterable[str]) -> dict[str, str]:
    """Return the ids of organizations by slug; unknown slugs are left out."""
    query = sa.select(organizations.c.slug, organizations.c.id).where(organizations.c.slug.in_(set(slugs)))
    return {row.slug: row.id for row in connection.execute(query)}


def write(
    connection: sa.Connection, org_id: str, batch: Sequence[Answered], more: Mapping[tuple[str, str], int]
) -> None:
    """Keep requests of one organization and count them, and `more`, by hour and cause, that get no row.

    What anybody may read is kept and not counted: it tells nothing of the identity provider, and nothing was refused.
    """
    counts = Counter(more)
    rows: list[dict[str, Any]] = []
    for one in batch:
        cause = one.failure.cause if one.failure else ""
        if cause or one.token_id:
            counts[one.at[:13], cause if one.token_id or cause in STRANGERS else STRANGER.cause] += 1
        kept = {name: getattr(one, name) for name in Answered.__slots__ if name != "slug"}
        rows.append(kept | {"org_id": org_id, "cause": cause or None})
    if rows:
        connection.execute(sa.insert(request_log), rows)
    for (hour, cause), number in counts.items():
        _count(connection, {"org_id": org_id, "hour": hour, "cause": cause, "requests": number, "last_at": now()})


def prune(connection: sa.Connection, org_id: str) -> None:
    """Drop the rows of an organization beyond those kept."""
    let_in = request_log.c.token_id.is_not(None) & sa.func.coalesce(request_log.c.cause, "").not_in(tuple(TokenFault))
    for kept, those in ((KEPT, let_in), (STRANGERS_KEPT, ~let_in)):
        mine = (request_log.c.org_id == org_id) & those
        oldest = sa.select(request_log.c.id).where(mine).order_by(request_log.c.id.desc()).offset(kept).limit(1)
        connection.execute(sa.delete(request_log).where(mine, request_log.c.id <= oldest.scalar_subquery()))
    old = request_counts.c.hour < later(now(), -KEPT_FOR)[:13]
    connection.execute(sa.delete(request_counts).where(request_counts.c.org_id == org_id, old))


def _count(connection: sa.Connection, row: dict[str, Any]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(request_counts).values(row)
    more = {"requests": request_counts.c.requests + statement.excluded.requests, "last_at": statement.excluded.last_at}
    keys = ("org_id", "hour", "cause")
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=more))
