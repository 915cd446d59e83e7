"""Assets that are tables of the warehouse, and what each materialization tells in the Dagster UI."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from dagster_defs.assets.sources import OWNERS
from dagster_defs.warehouse import POOL, Table

PREVIEW_ROWS = 10


def table_asset(
    table: Table, *, group: str, deps: Sequence[dg.AssetSpec | str], retry_policy: dg.RetryPolicy | None = None
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Return the decorator for an asset that writes a table and has its name."""
    return dg.asset(
        name=table.name,
        deps=deps,
        group_name=group,
        owners=OWNERS,
        kinds={"python", "duckdb"},
        pool=POOL,
        metadata=table_metadata(table),
        retry_policy=retry_policy,
    )


def table_metadata(table: Table) -> dict[str, Any]:
    """Return what is known of a table beforehand: its columns and its address."""
    return {"dagster/column_schema": table.schema, "dagster/table_name": table.address}


def result(
    table: Table, rows: Sequence[Mapping[str, Any]], *, total: int | None = None, **metadata: Any
) -> "dg.MaterializeResult[Any]":
    """Return a materialization with the number of rows, the first few of them, and `metadata`.

    Args:
        table: the table that was written; the asset has its name.
        rows: the rows that were written now.
        total: rows in the whole table, where that is more.
        metadata: further entries.
    """
    count = {"dagster/row_count": len(rows) if total is None else total}
    return dg.MaterializeResult(asset_key=table.name, metadata={**count, "preview": _preview(rows), **metadata})


def _preview(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue[Any]:
    shown = [{name: _cell(value) for name, value in row.items()} for row in rows[:PREVIEW_ROWS]]
    if not shown:
        return dg.MetadataValue.text("no rows")
    return dg.MetadataValue.table([dg.TableRecord(row) for row in shown])


def _cell(value: Any) -> str | int | bool:
    return value if isinstance(value, str | int | bool) else "" if value is None else str(value)
