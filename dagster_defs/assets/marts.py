"""The dbt project's models as assets."""

import json
import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.history import PLACE_VERSIONS
from dagster_defs.assets.snapshots import make_views
from dagster_defs.assets.sources import OWNERS
from dagster_defs.dbt_lineage import told
from dagster_defs.dbt_sources import TABLES
from dagster_defs.log_proof import prove
from dagster_defs.resources import DBT_PROJECT, dbt
from dagster_defs.warehouse import POOL


def manifest(project: DbtProject) -> dict[str, Any]:
    """Return the dbt manifest, made anew where there is none, a source is newer or it can't be read.

    Parsing takes seconds, and every run loads this. Several processes may parse at once: each does so in a folder of
    its own, and what it made takes the place of what was there in one step.
    """
    made = _read(project.manifest_path)
    if made is None or project.manifest_path.stat().st_mtime < _newest_source(project):
        target = project.manifest_path.parent
        target.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target) as folder:
            dbt().cli(["parse", "--quiet"], target_path=Path(folder)).wait()
            for name in ("partial_parse.msgpack", "manifest.json"):
                os.replace(Path(folder, name), target / name)
        made = json.loads(project.manifest_path.read_bytes())
    return made


def _read(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        return json.loads(path.read_bytes())
    return None


def _newest_source(project: DbtProject) -> float:
    folders = ("models", "macros", "seeds", "tests")
    sources = [path for folder in folders for path in (project.project_dir / folder).rglob("*.*")]
    return max(path.stat().st_mtime for path in [*sources, *project.project_dir.glob("*.yml")])


class Translator(DagsterDbtTranslator):
    """Models belong to the group `reports`, and to those who own the other assets."""

    def get_asset_spec(self, manifest: Any, unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Return a model's asset, as the official integration has it, with group and owners."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        group = "evidence" if unique_id.endswith(("evidence_manifest", "evidence_files")) else "reports"
        return spec.replace_attributes(group_name=group, owners=OWNERS)


_MANIFEST = manifest(DBT_PROJECT)

_TRANSLATOR = Translator(settings=DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))
_OWN_KEYS = ("orphaned_access", "dormant_accounts")
"""Marts that have the name of an asset before them; their keys begin with `reports` (in their yml)."""
DATA_TESTS = ("--exclude-resource-type", "unit_test")
"""Models are tested on what they hold; unit tests are for those who change them."""
REGISTER = "evidence_manifest"
"""The one model that tells of the packs, which are made of all others."""


@dbt_assets(
    manifest=_MANIFEST,
    project=DBT_PROJECT,
    dagster_dbt_translator=_TRANSLATOR,
    pool=POOL,
    exclude=f"{REGISTER} stg_scim__evidence_files",
)
def marts(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: DuckDBResource) -> Any:
    """Build and test the models over the warehouse."""
    yield from build(context, dbt, warehouse)


@dbt_assets(
    manifest=_MANIFEST,
    project=DBT_PROJECT,
    dagster_dbt_translator=_TRANSLATOR,
    pool=POOL,
    select=f"+{REGISTER}",
)
def evidence_register(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: DuckDBResource) -> Any:
    """Build and test the register of evidence files."""
    yield from build(context, dbt, warehouse)


def build(context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: DuckDBResource) -> Any:
    """Build the models that a run selects."""
    make_sources(warehouse)
    variables = json.dumps({"warehouse": warehouse.database})
    # One folder for all runs: a folder for each would fill the disk, and what was parsed is found again here.
    target = Path(warehouse.database).with_name("dbt_target")
    invocation = dbt.cli(["build", *DATA_TESTS, "--vars", variables], context=context, target_path=target)
    yield from told(invocation, mart_key)


def make_sources(warehouse: DuckDBResource, *, whole: bool = False) -> None:
    """Make the tables that models read where there are none yet, so that they are empty and not missing.

    The log is proved too: all of it, or what is new.
    """
    with warehouse.get_connection() as connection:
        for table in (*TABLES, PLACE_VERSIONS):
            if not table.view:
                table.make(connection)
        make_views(connection)
        prove(connection, whole=whole)


def mart_key(name: str) -> dg.AssetKey:
    """Return the asset key of a mart."""
    return dg.AssetKey(["reports", name] if name in _OWN_KEYS else [name])
