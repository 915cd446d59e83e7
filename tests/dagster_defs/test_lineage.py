"""What columns are made from is what the SQL says, and every source that is told is an asset's column upstream."""

from typing import Any

import dagster as dg
import pytest
import sqlglot.lineage
from sqlglot.errors import SqlglotError

from dagster_defs import lineage
from dagster_defs.assets import access, changes, events, history, reviews, snapshots, sync_health
from dagster_defs.definitions import defs
from dagster_defs.sql_sources import Source, of_script
from dagster_defs.warehouse import Table

TABLES = (
    events.PROVISIONING_EVENTS,
    *history.TABLES,
    *snapshots.TABLES,
    *(access.TOKENS, access.ORPHANED_ACCESS, access.DORMANT_ACCOUNTS),
    *(changes.ACCESS_CHANGES, changes.DEPROVISIONED_ACCOUNTS),
    *(sync_health.SYNC_FAILURES, sync_health.SYNC_HEALTH, sync_health.IDP_RHYTHM),
    *(reviews.CAMPAIGNS, reviews.REVIEW_ITEMS, reviews.CONTROL_EXCEPTIONS),
)
OF_NO_COLUMN = {
    ("access_changes", "change"),
    ("effective_access", "source"),
    ("orphaned_access", "finding"),
    ("sync_health", "failures"),
}
"""Words that the SQL has itself, and counts of rows."""
GRAPH = defs.resolve_asset_graph()


def columns_of(key: dg.AssetKey) -> set[str]:
    schema = GRAPH.get(key).metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema | dg.TableSchemaMetadataValue), key
    return {column.name for column in (schema if isinstance(schema, dg.TableSchema) else schema.schema).columns}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_source_is_a_column_of_an_asset_upstream(table: Table) -> None:
    key = dg.AssetKey(table.name)
    upstream = GRAPH.get(key).parent_keys
    found = lineage.sources(table)
    assert list(found) == [column.name for column in table.columns]
    for column, made_from in found.items():
        assert made_from or column == "day" or (table.name, column) in OF_NO_COLUMN, column
        for source in made_from:
            assert dg.AssetKey(source.asset) in upstream, source
            assert source.column in columns_of(dg.AssetKey(source.asset)), source


@pytest.mark.parametrize(
    "said",
    [
        "user_versions.user_name <- provisioning_events.document",
        "user_versions.deactivated_at <- provisioning_events.document provisioning_events.occurred_at",
        "membership_versions.user_id <- provisioning_events.change",
        "grant_versions.granted_by <- provisioning_events.actor",
        "users.email <- user_versions.email",
        "team_members.pending <- user_versions.user_id",
        "role_grants.scope_name <- place_versions.name",
        "role_grants.granted_by <- grant_versions.granted_by user_versions.user_id",
        "effective_access.role <- role_grants.role setting_versions.value",
        "access_changes.teams <- team_versions.display_name",
        "deprovisioned_accounts.tokens <- provisioning_events.subject_name",
        "deprovisioned_accounts.received_at <- access_changes.occurred_at",
        "deprovisioned_accounts.within_sla <- access_changes.asserted_at access_changes.occurred_at "
        "scim_directory.organizations.deprovision_sla_seconds setting_versions.value",
        "sync_health.resource <- sync_failures.subject_kind",
        "tokens.expires_at <- provisioning_events.change scim_directory.tokens.expires_at",
    ],
)
def test_what_is_told_is_what_a_reader_of_the_sql_finds(said: str) -> None:
    column, _, made_from = said.partition(" <- ")
    table, _, name = column.partition(".")
    found = lineage.sources(next(one for one in TABLES if one.name == table))[name]
    assert {f"{one.asset}.{one.column}" for one in found} == set(made_from.split())


KNOWN = {
    "people": lineage.of_asset("people", ("id", "name", "boss", "born")),
    "teams": lineage.of_asset("teams", ("id", "name")),
    "out": {},
    "getvariable": {"org": frozenset({Source("events", "org")})},
}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT boss AS name, id FROM people", {"name": "people.boss", "id": "people.id"}),
        ("WITH t AS (SELECT * EXCLUDE (name), name AS said FROM people) SELECT t.said FROM t", {"said": "people.name"}),
        ("SELECT id, name FROM people UNION ALL BY NAME SELECT name, id FROM teams", {"id": "people.id teams.id"}),
        ("SELECT id AS a, name FROM people UNION ALL SELECT name, id FROM teams", {"a": "people.id teams.name"}),
        ("SELECT lead(born) OVER (PARTITION BY boss ORDER BY id) AS next FROM people", {"next": "people.born"}),
        ("SELECT max(born) FILTER (boss = 'x') AS last, count(*) AS n FROM people", {"last": "people.born", "n": ""}),
        ("SELECT string_agg(name, ',' ORDER BY born) AS names FROM people", {"names": "people.name"}),
        ("SELECT arg_max(name, born) AS newest FROM people", {"newest": "people.name"}),
        ("SELECT p.name FROM people AS p SEMI JOIN teams AS t ON t.name = p.boss", {"name": "people.name"}),
        ("SELECT if(p.born > 9, p.name, t.name) AS x FROM people AS p CROSS JOIN teams AS t", {
            "x": "people.born people.name teams.name"
        }),
        ("SELECT getvariable('org') AS org, unnest(fields(boss)) FROM people", {
            "org": "events.org", "one": "people.boss", "two": "people.boss"
        }),
        ("INSERT INTO s.out (a, b) SELECT name, id FROM people", {"a": "people.name", "b": "people.id"}),
        ("CREATE TEMP TABLE t AS SELECT id FROM people; INSERT INTO t SELECT name AS id FROM teams;"
         "INSERT INTO out BY NAME SELECT id FROM t; DROP TABLE t;", {"id": "people.id teams.name"}),
        ("INSERT INTO out BY NAME SELECT id FROM people; UPDATE s.out AS o SET id = n.name FROM "
         "(SELECT name FROM teams) AS n WHERE o.id = n.name;", {"id": "people.id teams.name"}),
        ("WITH RECURSIVE up AS (SELECT boss AS b FROM people UNION ALL SELECT b || '' FROM up) SELECT b FROM up", {
            "b": "people.boss"
        }),
    ],
)  # fmt: skip
def test_the_sql_is_read_as_the_warehouse_runs_it(statement: str, expected: dict[str, str]) -> None:
    found = of_script(statement, KNOWN, "out", {"fields": ("one", "two")})
    told = {name: {f"{one.asset}.{one.column}" for one in made_from} for name, made_from in found.items()}
    assert {name: told[name] for name in expected} == {name: set(text.split()) for name, text in expected.items()}


@pytest.mark.parametrize("statement", ["SELECT id FROM strangers", "SELECT people.hat FROM people"])
def test_sql_that_reads_what_is_not_declared_is_an_error(statement: str) -> None:
    with pytest.raises((KeyError, SqlglotError)):
        of_script(statement, KNOWN, "out", {})


@pytest.mark.parametrize("table", [snapshots.USERS, snapshots.ROLE_GRANTS, sync_health.SYNC_HEALTH])
def test_what_sqlglot_finds_by_itself_has_every_source(table: Table) -> None:
    schema = {
        one.name: dict.fromkeys((c.name for c in one.columns), "text") for one in table.reads if isinstance(one, Table)
    }
    text = table.view.replace("identity.", "")
    for column, made_from in lineage.sources(table).items():
        leaves = {node.name for node in sqlglot.lineage.lineage(column, text, schema, dialect="duckdb").walk()}
        seen = {leaf.rpartition(".")[2] for leaf in leaves}
        assert {one.column for one in made_from if one.asset in schema} <= seen


def test_a_materialization_tells_the_lineage_of_its_columns(settings: Any, materialize: Any, directory: Any) -> None:
    directory.user("ada@acme.com")
    made = materialize(events.provisioning_events, history.history)
    (seen,) = made.asset_materializations_for_node("provisioning_events")
    told = seen.metadata["dagster/column_lineage"].value.deps_by_column
    assert told["day"] == [dg.TableColumnDep("scim_event_log", "occurred_at")]
    for one in made.asset_materializations_for_node("history"):
        assert one.metadata["dagster/column_lineage"].value.deps_by_column["org"] == [
            dg.TableColumnDep("provisioning_events", "org")
        ]
