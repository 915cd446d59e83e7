"""Assets that are tables of the warehouse, and what each materialization tells in the Dagster UI."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg
import duckdb

from dagster_defs import lineage
from dagster_defs.assets.sources import OWNERS
from dagster_defs.warehouse import POOL, Table, schema

PREVIEW_ROWS = 10
CELL_LENGTH = 200
FIRST = {"dagster/priority": "9"}
"""Tags of the steps on the way to an alert: they go before others that could run as well."""
AGAIN = dg.RetryPolicy(max_retries=2, delay=1)
"""A step that failed is tried again; what it did already is not done twice. A check that failed is not."""


def table_asset(
    table: Table,
    *,
    group: str,
    deps: Sequence[str | dg.AssetKey] = (),
    partitions_def: dg.PartitionsDefinition[Any] | None = None,
    urgent: bool = False,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Return the decorator for an asset that writes a table and has its name; what is urgent goes first.

    It is made from what the table's columns are made from and its SQL reads, and from `deps`.
    """
    return dg.asset(
        name=table.name,
        deps=_deps(table, deps),
        group_name=group,
        owners=OWNERS,
        kinds={"python", "duckdb"},
        pool=POOL,
        metadata=table_metadata(table),
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions_def else None,
        op_tags=FIRST if urgent else None,
        retry_policy=AGAIN,
    )


def table_spec(table: Table, *, group: str, deps: Sequence[str | dg.AssetKey] = (), description: str) -> dg.AssetSpec:
    """Return the asset of a table that is written together with others."""
    return dg.AssetSpec(
        table.name,
        deps=_deps(table, deps),
        group_name=group,
        owners=OWNERS,
        kinds={"sql", "duckdb"},
        description=description,
        metadata=table_metadata(table),
    )


def _deps(table: Table, further: Sequence[str | dg.AssetKey]) -> list[str | dg.AssetKey]:
    return list(dict.fromkeys([*table.parents, *further]))


def table_metadata(table: Table) -> dict[str, Any]:
    """Return what is known of a table beforehand: its columns and its address."""
    columns = schema(table.columns, lineage.notes(lineage.sources(table)))
    return {"dagster/column_schema": columns, "dagster/table_name": table.address}


def result(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    *,
    where: str = "",
    values: Sequence[object] = (),
    order: str,
    **metadata: Any,
) -> "dg.MaterializeResult[Any]":
    """Return a materialization with the number of rows, a preview of the first few of them, and `metadata`.

    Args:
        connection: an open connection to the warehouse.
        table: the table that was written; the asset has its name.
        where: condition of the rows that were written, the whole table without one.
        values: values for the condition.
        order: what the preview is ordered by.
        metadata: further entries.
    """
    condition = f"WHERE {where}" if where else ""
    total = table.count(connection, condition, values)
    shown = table.rows(connection, f"{condition} ORDER BY {order} LIMIT {PREVIEW_ROWS}", values)
    count = {"dagster/partition_row_count" if where else "dagster/row_count": total}
    # In the order in which the page shows it: what is long is the last.
    told = {**count, **metadata, "preview": preview(shown), **lineage.metadata(lineage.sources(table))}
    return dg.MaterializeResult(asset_key=table.name, metadata=told)


def preview(rows: Sequence[dict[str, Any]]) -> dg.MetadataValue[Any]:
    """Return rows as Dagster shows a table; a sentence when there are none."""
    if not rows:
        return dg.MetadataValue.text("no rows")
    return dg.MetadataValue.table([dg.TableRecord({name: _cell(value) for name, value in row.items()}) for row in rows])


def _cell(value: Any) -> str | int | float | bool:
    if isinstance(value, int | float | bool):
        return value
    text = "" if value is None else str(value)
    return text if len(text) <= CELL_LENGTH else f"{text[:CELL_LENGTH]}…"
