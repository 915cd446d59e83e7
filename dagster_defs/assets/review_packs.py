"""Evidence packs of access reviews: one when a review is closed, and one whenever an access that it revoked is gone.

Each stands at the event that changed the review last, and is named by it: the same event gives the same bytes.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.evidence import Packs, told
from dagster_defs.assets.marts import mart_key
from dagster_defs.assets.sources import OWNERS
from dagster_defs.evidence.periods import Period
from dagster_defs.evidence.reading import Standing, read, standing
from dagster_defs.evidence.reports import REVIEW
from dagster_defs.evidence.writing import folder, write
from dagster_defs.failures import stopped
from dagster_defs.resources import ReportFolder
from dagster_defs.warehouse import POOL

_CLOSED = """
    SELECT
        review.campaign_id, review.campaign_name, first.day, last.day, review.organization, last.log_epoch,
        review.population_event, last.seq, last.hash
    FROM {schema}.review_quality AS review
    INNER JOIN identity.organizations AS known ON known.org = review.organization
    INNER JOIN identity.provisioning_events AS first
        ON first.org = review.organization AND first.seq = review.population_event
    INNER JOIN identity.provisioning_events AS last
        ON last.org = review.organization AND last.seq = review.stands_at_event
    ORDER BY known.org, last.seq
"""


@dataclass(frozen=True, slots=True)
class Review:
    """A closed access review: its id and name, its days, and where it stands in the log."""

    campaign_id: str
    name: str
    first_day: date
    last_day: date
    standing: Standing

    @property
    def period(self) -> Period:
        """The days of the review, named by the last of them, its name, and the event it stands at."""
        words = re.sub(r"[^a-z0-9]+", "-", self.name.lower())[:40].strip("-") or "review"
        name = f"{self.last_day}-{words}-seq-{self.standing.last_event:06d}"
        return Period(name, self.first_day, self.last_day + timedelta(days=1))


@dg.asset(
    deps=[mart_key("review_quality"), mart_key("access_review_decisions")],
    group_name="evidence",
    owners=OWNERS,
    kinds={"html", "pdf", "csv"},
    pool=POOL,
)
def access_review_report(
    context: dg.AssetExecutionContext, warehouse: DuckDBResource, reports: dg.ResourceParam[ReportFolder]
) -> "dg.MaterializeResult[Any]":
    """A pack for each access review that was closed: its decisions, its quality, and what is still to be taken away.

    When a revoked access is gone, the review gets another pack; the last one says that nothing is left. An organization
    whose log can't be taken in further gets its packs later: what was decided or taken away there is not known.
    """
    with warehouse.get_connection() as connection:
        ends = stopped(connection)
        due = [review for review in closed(connection) if not _is_there(reports.path, review)]
        packs = [
            pack(connection, review, reports.path, run_id=context.run_id)
            for review in due
            if review.standing.slug not in ends
        ]
    incomplete = {org: ends[org].sentence for review in due if (org := review.standing.slug) in ends}
    return dg.MaterializeResult(metadata=told(context, Packs(packs, incomplete)))


def closed(connection: duckdb.DuckDBPyConnection, schema: str = "reports") -> list[Review]:
    """Return the reviews that are closed, in the order of the events they stand at."""
    rows = connection.execute(_CLOSED.format(schema=schema)).fetchall()
    return [Review(row[0], row[1], row[2], row[3], standing(connection, *row[4:])) for row in rows]


def pack(
    connection: duckdb.DuckDBPyConnection, review: Review, root: Path, *, run_id: str, schema: str = "reports"
) -> Path:
    """Write the pack of a review and return its folder."""
    named = review.name if "review" in review.name.lower() else f"{REVIEW.title}: {review.name}"
    spec = replace(REVIEW, title=named)
    values = {"campaign": review.campaign_id}
    report = read(connection, spec, review.period, review.standing, schema=schema, values=values)
    return write(report, root, run_id=run_id, parameters=values)


def _is_there(root: Path, review: Review) -> bool:
    return folder(root, review.standing.slug, REVIEW.name, review.period.name).exists()
