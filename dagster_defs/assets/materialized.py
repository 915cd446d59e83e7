"""Assets that are tables of the warehouse, and what each materialization tells in the Dagster UI."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
import duckdb

from dagster_defs import lineage
from dagster_defs.assets.sources import OWNERS
from dagster_defs.warehouse import POOL, Table, schema

PREVIEW_ROWS = 10
CELL_LENGTH = 200
DAYS_AT_ONCE = 31
"""Days that are counted by one query: a query for each day takes long for a year, one for all of them much memory."""
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
    order: str,
    **metadata: Any,
) -> "dg.MaterializeResult[Any]":
    """Return a materialization with the number of rows, a preview of the first few of them, and `metadata`.

    Args:
        connection: an open connection to the warehouse.
        table: the table that was written; the asset has its name.
        order: what the preview is ordered by.
        metadata: further entries.
    """
    total = table.count(connection)
    shown = table.rows(connection, f"ORDER BY {order} LIMIT {PREVIEW_ROWS}")
    # In the order in which the page shows it: what is long is the last.
    told = {"dagster/row_count": total, **metadata, "preview": preview(shown), **_column_lineage(table)}
    return dg.MaterializeResult(asset_key=table.name, metadata=told)


def result_of_days(
    context: dg.AssetExecutionContext,
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    days: Mapping[date, Mapping[str, Any]],
    *,
    order: str,
) -> "dg.MaterializeResult[Any]":
    """Return the materialization of a table's days, each with the number of its own rows and a preview of them.

    Dagster makes one event for each partition of a run, whose metadata is what `add_asset_metadata` was given for it.

    Args:
        context: of the step that writes the days.
        connection: an open connection to the warehouse.
        table: the table that was written; the asset has its name.
        days: the days that were written, each with further entries of its metadata.
        order: what the previews are ordered by.
    """
    for some in _batches(sorted(days)):
        totals, shown = _by_day(connection, table, some[0], some[-1], order)
        for day in some:
            told = {"dagster/partition_row_count": totals.get(day, 0), **days[day], "preview": preview(shown[day])}
            context.add_asset_metadata(told, asset_key=table.name, partition_key=day.isoformat())
    return dg.MaterializeResult(asset_key=table.name, metadata=_column_lineage(table))


def _batches(days: Sequence[date]) -> list[Sequence[date]]:
    return [days[first : first + DAYS_AT_ONCE] for first in range(0, len(days), DAYS_AT_ONCE)]


def _by_day(
    connection: duckdb.DuckDBPyConnection, table: Table, first: date, last: date, order: str
) -> tuple[dict[date, int], Mapping[date, list[dict[str, Any]]]]:
    """Return how many rows each day has, and the first few of them."""
    query = f"SELECT day, count(*) FROM {table.address} WHERE day BETWEEN ? AND ? GROUP BY day"  # noqa: S608
    totals = dict(connection.execute(query, [first, last]).fetchall())
    few = f"row_number() OVER (PARTITION BY day ORDER BY {order}) <= {PREVIEW_ROWS}"
    shown: defaultdict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in table.rows(connection, f"WHERE day BETWEEN ? AND ? QUALIFY {few} ORDER BY day, {order}", [first, last]):
        shown[row["day"]].append(row)
    return totals, shown


def _column_lineage(table: Table) -> dict[str, Any]:
    return lineage.metadata(lineage.sources(table))


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
