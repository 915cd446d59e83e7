"""The dbt project's models as assets."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.sources import OWNERS
from dagster_defs.resources import DBT_PROJECT, dbt
from dagster_defs.warehouse import POOL


def parse_if_stale(project: DbtProject) -> None:
    """Make the dbt manifest where there is none or a source is newer: parsing takes seconds, and runs load this."""
    sources = [path for kind in ("*.sql", "*.yml") for path in project.project_dir.glob(f"models/**/{kind}")]
    sources += [*project.project_dir.glob("*.yml"), *project.project_dir.glob("tests/*.sql")]
    manifest = project.manifest_path
    if not manifest.exists() or manifest.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        dbt().cli(["parse", "--quiet"], target_path=project.target_path).wait()


class Translator(DagsterDbtTranslator):
    """Models belong to the group `reports`, and to those who own the other assets."""

    def get_asset_spec(self, manifest: Any, unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Return a model's asset, as the official integration has it, with group and owners."""
        return (
            super().get_asset_spec(manifest, unique_id, project).replace_attributes(group_name="reports", owners=OWNERS)
        )


parse_if_stale(DBT_PROJECT)


@dbt_assets(manifest=DBT_PROJECT.manifest_path, project=DBT_PROJECT, dagster_dbt_translator=Translator(), pool=POOL)
def marts(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: DuckDBResource) -> Any:
    """Build and test the models over the warehouse."""
    variables = json.dumps({"warehouse": warehouse.database})
    # One folder for all runs: a folder for each would fill the disk, and what was parsed is found again here.
    target = Path(warehouse.database).with_name("dbt_target")
    yield from dbt.cli(["build", "--vars", variables], context=context, target_path=target).stream()
