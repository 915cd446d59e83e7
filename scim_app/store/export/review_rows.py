"""Access reviews and exceptions for reporting: part of the one read door."""

from typing import Any

import sqlalchemy as sa

from scim_app.store.db.engines import open_reader
from scim_app.store.db.review_tables import campaigns, exceptions, review_items
from scim_app.store.export.review_columns import CAMPAIGN_COLUMNS, EXCEPTION_COLUMNS, REVIEW_ITEM_COLUMNS

Row = dict[str, Any]

_RENAMED = {"campaign_id": "id", "item_id": "id", "exception_id": "id", "as_of_event": "as_of_seq"}


def read_reviews(store_url: str) -> dict[str, dict[str, list[Row]]]:
    """Return reviews and exceptions of every organization, by its id and then by table, from one cut.

    `campaigns` has `CAMPAIGN_COLUMNS`, `review_items` `REVIEW_ITEM_COLUMNS`, `control_exceptions` `EXCEPTION_COLUMNS`.
    """
    asked = {
        "campaigns": (campaigns, CAMPAIGN_COLUMNS),
        "review_items": (review_items, REVIEW_ITEM_COLUMNS),
        "control_exceptions": (exceptions, EXCEPTION_COLUMNS),
    }
    engine = open_reader(store_url)
    found: dict[str, dict[str, list[Row]]] = {}
    try:
        with engine.connect() as connection, connection.begin():
            for name, (table, columns) in asked.items():
                told = [_column(table, column.name).label(column.name) for column in columns]
                query = sa.select(table.c.org_id, *told).order_by(*table.primary_key.columns)
                for row in connection.execute(query).mappings():
                    values = {key: value for key, value in row.items() if key != "org_id"}
                    found.setdefault(row["org_id"], {}).setdefault(name, []).append(values)
    finally:
        engine.dispose()
    return found


def _column(table: sa.Table, name: str) -> sa.Column[Any]:
    return table.c[name] if name in table.c else table.c[_RENAMED[name]]
