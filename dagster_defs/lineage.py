"""What the columns of the assets are made from, in Dagster's words."""

from collections.abc import Iterable
from functools import cache

import dagster as dg

from dagster_defs.documents import STRUCTS
from dagster_defs.sql_sources import Source, Sources, of_script
from dagster_defs.warehouse import Frame, Table

KEY = "dagster/column_lineage"


@cache
def sources(relation: Table | Frame) -> Sources:
    """Return what each column of a relation is made from: by its SQL, or as it says where Python makes it."""
    text = (relation.script or relation.view) if isinstance(relation, Table) else ""
    if isinstance(relation, Frame) or not text:
        return {name: frozenset(map(_source, made)) for name, made in relation.made_from.items()}
    # What it carries over from itself was made like the rest.
    read = {relation.name: {column.name: frozenset[Source]() for column in relation.columns}}
    read |= {one.name: seen(one) for one in relation.reads}
    found = of_script(text, read, relation.name, STRUCTS)
    return {column.name: found[column.name] for column in relation.columns}


def seen(relation: Table | Frame) -> Sources:
    """Return the columns as others see them: those of an asset as themselves, of all else what is behind them."""
    if isinstance(relation, Table) and relation.is_asset:
        return of_asset(relation.name, (column.name for column in relation.columns))
    return sources(relation)


def of_asset(key: str, columns: Iterable[str]) -> Sources:
    """Return columns of an asset as what others are made from."""
    return {name: frozenset({Source(key, name)}) for name in columns}


def _source(text: str) -> Source:
    return Source(*text.split(".", 1))


def metadata(found: Sources) -> dict[str, dg.TableColumnLineage]:
    """Return the entry by which Dagster knows what columns are made from; none where nothing is known."""
    deps = {
        column: [dg.TableColumnDep(dg.AssetKey.from_user_string(one.asset), one.column) for one in sorted(made)]
        for column, made in found.items()
    }
    return {KEY: dg.TableColumnLineage(deps)} if deps else {}


def notes(found: Sources) -> dict[str, str]:
    """Return for each column a sentence on what it is made from: the open-source UI draws no lineage of columns."""
    return {
        column: ". From " + ", ".join(f"`{one.asset}.{one.column}`" for one in sorted(made)) + "."
        for column, made in found.items()
        if made
    }
