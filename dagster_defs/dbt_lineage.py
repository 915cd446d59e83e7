"""What the columns of the dbt models are made from, read from the SQL that dbt compiled."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliInvocation

from dagster_defs import lineage
from dagster_defs.dbt_sources import TABLES
from dagster_defs.sql_sources import Sources, of_script

KeyOf = Callable[[str], dg.AssetKey]
"""The asset key of a model or seed, by name."""


def told(invocation: DbtCliInvocation, key_of: KeyOf) -> Iterator[Any]:
    """Yield what dbt says to Dagster, models with what their columns are made from.

    Not `fetch_column_metadata`: it opens the warehouse with settings of its own and keeps it open, which no other
    step of the same process may have, and builds take twice as long.
    """
    for event in invocation.stream():
        yield with_lineage(event, invocation.manifest, Path(invocation.target_path), key_of)


def with_lineage(event: Any, manifest: Mapping[str, Any], folder: Path, key_of: KeyOf) -> Any:
    """Return an event of dbt as it is, or of a model that was made with what its columns are made from.

    Args:
        event: what the official integration yields.
        manifest: dbt's.
        folder: where dbt leaves what it compiled.
        key_of: asset keys of models and seeds.
    """
    if not isinstance(event, dg.Output | dg.AssetMaterialization):
        return event
    node = manifest["nodes"][event.metadata["unique_id"].value]
    if node["resource_type"] != "model":
        return event
    text = (folder / "compiled" / node["package_name"] / node["original_file_path"]).read_text()
    found = of_model(manifest, node, text, key_of)
    return event.with_metadata({**event.metadata, **lineage.metadata(found)})


def of_model(manifest: Mapping[str, Any], node: Mapping[str, Any], text: str, key_of: KeyOf) -> Sources:
    """Return what each column of a model is made from.

    Args:
        manifest: dbt's.
        node: the model in it.
        text: its SQL, compiled.
        key_of: asset keys of models and seeds.
    """
    read = dict(_read(manifest, node["depends_on"]["nodes"], key_of))
    found = of_script(text, read, node["name"], {})
    return {name: found[name] for name in node["columns"]}


def _read(manifest: Mapping[str, Any], parents: Iterable[str], key_of: KeyOf) -> Iterator[tuple[str, Sources]]:
    tables = {table.name: table for table in TABLES}
    for parent in parents:
        if source := manifest["sources"].get(parent):
            yield source["name"], lineage.seen(tables[source["name"]])
        else:
            node = manifest["nodes"][parent]
            yield node["name"], lineage.of_asset(key_of(node["name"]).to_user_string(), node["columns"])
