"""What the columns of the models are made from: by the SQL that dbt compiled, and as Dagster is told."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import sqlglot.lineage
from sqlglot import exp

from dagster_defs import lineage
from dagster_defs.assets.marts import mart_key
from dagster_defs.dbt_lineage import of_model, with_lineage
from dagster_defs.dbt_sources import TABLES
from dagster_defs.definitions import defs
from scim_app.store.export.columns import CONTROL_THRESHOLDS

OF_NO_COLUMN = {
    ("int_access__episodes", "access_kind"),
    ("int_access__leftovers", "access_kind"),
    ("int_controls__of_access", "test_name"),
    ("int_controls__of_leaving", "test_name"),
    ("int_controls__of_registers", "test_name"),
    ("int_controls__of_reviews", "test_name"),
    ("int_controls__results", "population"),
    ("int_controls__results", "findings"),
    ("int_leavers__clocks", "memberships_held"),
    ("int_log__cuts", "as_of_day"),
    ("int_log__cuts", "period_start"),
    ("int_reviews__losses", "access_kind"),
    ("int_reviews__reviewers", "decided"),
    ("access_review_population", "access_kind"),
    ("orphaned_access", "finding"),
    ("review_quality", "is_rubber_stamped"),
    ("review_quality", "items"),
    ("sync_health_daily", "events"),
}
"""Words that the SQL has itself, counts of rows, and the days that are asked for."""


def models(folder: Path) -> list[tuple[dict[str, Any], dict[str, Any], str]]:
    """The manifest, each model in it, and its SQL."""
    manifest = json.loads((folder / "manifest.json").read_text())
    found = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    compiled = folder / "compiled"
    return [
        (manifest, node, (compiled / node["package_name"] / node["original_file_path"]).read_text()) for node in found
    ]


def by_sqlglot(manifest: dict[str, Any], node: dict[str, Any], text: str) -> dict[str, set[str]]:
    """What sqlglot says itself of a model's columns, as `relation.column`: windows and all."""
    parents = [manifest["sources"].get(one) or manifest["nodes"][one] for one in node["depends_on"]["nodes"]]
    schema: dict[str, object] = {one["name"]: dict.fromkeys(one["columns"], "text") for one in parents}
    query = sqlglot.parse_one(text, dialect="duckdb")
    for table in query.find_all(exp.Table):
        table.set("db", None)
        table.set("catalog", None)
    found = sqlglot.lineage.lineage(None, query, schema, dialect="duckdb")
    return {
        name: {
            f"{leaf.expression.name}.{leaf.name.rpartition('.')[2]}"
            for leaf in top.walk()
            if isinstance(leaf.expression, exp.Table)
        }
        for name, top in found.items()
    }


def test_every_source_of_every_model_is_an_assets_column_that_sqlglot_finds_too(dbt_folder: Path) -> None:
    seen_through = {table.name: lineage.seen(table) for table in TABLES}
    for manifest, node, text in models(dbt_folder):
        known = {**seen_through}
        for one in node["depends_on"]["nodes"]:
            if one in manifest["nodes"]:
                parent = manifest["nodes"][one]
                known[parent["name"]] = lineage.of_asset(mart_key(parent["name"]).to_user_string(), parent["columns"])
        theirs = by_sqlglot(manifest, node, text)
        for column, made_from in of_model(manifest, node, text, mart_key).items():
            found = [known[relation][name] for relation, _, name in (one.partition(".") for one in theirs[column])]
            assert made_from <= frozenset().union(*found), (node["name"], column)
            assert made_from or (node["name"], column) in OF_NO_COLUMN, (node["name"], column)


def test_every_source_of_every_model_is_upstream_of_it(dbt_folder: Path) -> None:
    graph = defs.resolve_asset_graph()
    for manifest, node, text in models(dbt_folder):
        upstream = graph.get(mart_key(node["name"])).parent_keys
        above = upstream | {key for parent in upstream for key in graph.get(parent).parent_keys}
        for made_from in of_model(manifest, node, text, mart_key).values():
            assert {dg.AssetKey.from_user_string(one.asset) for one in made_from} <= above, node["name"]


def test_a_model_that_is_made_tells_the_lineage_of_its_columns(dbt_folder: Path) -> None:
    manifest = json.loads((dbt_folder / "manifest.json").read_text())
    model = dg.Output(
        None, metadata={"unique_id": "model.dbt_like_reports.stg_scim__organizations", "status": "success"}
    )
    told = with_lineage(model, manifest, dbt_folder, mart_key).metadata
    assert told["status"].value == "success"
    assert told["dagster/column_lineage"].value.deps_by_column == {
        "organization": [dg.TableColumnDep("scim_directory", "organizations.slug")],
        "sla_seconds": [dg.TableColumnDep("scim_directory", "organizations.deprovision_sla_seconds")],
        **{name: [dg.TableColumnDep("scim_directory", f"organizations.{name}")] for name in CONTROL_THRESHOLDS},
    }


def test_what_is_no_model_is_told_as_it_is(dbt_folder: Path) -> None:
    manifest = json.loads((dbt_folder / "manifest.json").read_text())
    seed = dg.Output(None, metadata={"unique_id": "seed.dbt_like_reports.controls"})
    check = dg.AssetCheckResult(passed=True, asset_key="joiners", check_name="unique")
    assert with_lineage(seed, manifest, dbt_folder, mart_key) is seed
    assert with_lineage(check, manifest, dbt_folder, mart_key) is check
