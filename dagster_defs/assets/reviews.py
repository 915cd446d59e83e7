"""Access reviews and exceptions from controls, as people decided them in the settings."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.materialized import result, table_spec
from dagster_defs.assets.sources import in_directory
from dagster_defs.incremental import COPY
from dagster_defs.resources import ScimStore
from dagster_defs.warehouse import ORGANIZATION, POOL, Table, kept, records
from scim_app.store.export.columns import Column
from scim_app.store.export.review_columns import CAMPAIGN_COLUMNS, EXCEPTION_COLUMNS, REVIEW_ITEM_COLUMNS
from scim_app.store.export.review_rows import read_reviews


def _copied(name: str, columns: tuple[Column, ...]) -> Table:
    slug = in_directory("organizations")["slug"]
    return Table(name, (ORGANIZATION, *columns), made_from={"org": slug, **in_directory(name)})


CAMPAIGNS = _copied("campaigns", CAMPAIGN_COLUMNS)
REVIEW_ITEMS = _copied("review_items", REVIEW_ITEM_COLUMNS)
CONTROL_EXCEPTIONS = _copied("control_exceptions", EXCEPTION_COLUMNS)

_UNDECIDED = """
    SELECT
        review.org, review.campaign_id, review.name, review.due_at, item.reviewer_id, item.reviewer_name,
        coalesce(any_value(person.sign_in_address), any_value(person.email)) AS reviewer_email, count(*) AS undecided
    FROM identity.campaigns AS review
    INNER JOIN identity.review_items AS item ON item.org = review.org AND item.campaign_id = review.campaign_id
    LEFT JOIN identity.user_versions AS person
        ON person.org = item.org AND person.user_id = item.reviewer_id AND person.until_seq IS NULL
    WHERE review.closed_at IS NULL AND item.decision IS NULL
    GROUP BY ALL ORDER BY ALL
"""

_SAID = {
    CAMPAIGNS: "Every access review, with the event that its population was fixed at.",
    REVIEW_ITEMS: "Every access that a review asked for, and what was decided.",
    CONTROL_EXCEPTIONS: "Every exception from a control: who answers for it, why, until when, and who allowed it.",
}


@dg.multi_asset(
    specs=[table_spec(table, group="access", deps=[COPY], description=said) for table, said in _SAID.items()],
    pool=POOL,
)
def reviews(scim: dg.ResourceParam[ScimStore], warehouse: DuckDBResource) -> Iterator["dg.MaterializeResult[Any]"]:
    """Copy reviews, decisions and exceptions whole: they are few, and a decision may change until its review closes."""
    found, heads = read_reviews(scim.url), scim.heads()
    with warehouse.get_connection() as connection:
        with kept(connection):
            for table in _SAID:
                rows = [
                    {"org": head.slug, **row}
                    for head in heads
                    for row in found.get(head.org_id, {}).get(table.name, ())
                ]
                table.replace(connection, rows)
        for table in _SAID:
            yield result(connection, table, order="ALL")


def undecided(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return what waits in open reviews, a row for each review and reviewer.

    The columns are `org`, `campaign_id`, `name`, `due_at` (UTC), `reviewer_id`, `reviewer_name`, `reviewer_email` (None
    where none is known) and `undecided`.
    """
    return records(connection.execute(_UNDECIDED))
