"""`python -m dagster_defs.to_postgres URL`: copy what the dbt project reads from the warehouse into PostgreSQL.

The copy is for building the same reports there (`dbt build --target postgres`).
"""

import argparse

import duckdb
from adbc_driver_postgresql import dbapi
from dagster_duckdb import DuckDBResource

from dagster_defs.dbt_sources import TABLES
from dagster_defs.warehouse import SCHEMA
from scim_app.settings import Settings


def copy(warehouse: duckdb.DuckDBPyConnection, postgres: str) -> dict[str, int]:
    """Copy each table that the dbt project reads, in the place of an earlier copy; return rows by table.

    Args:
        warehouse: an open connection to the warehouse.
        postgres: address of the database, `postgresql://user@host:port/database`.
    """
    copied: dict[str, int] = {}
    with dbapi.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in TABLES:
            rows = warehouse.sql(f"SELECT {table.names} FROM {table.address}").to_arrow_reader()  # noqa: S608
            copied[table.name] = cursor.adbc_ingest(table.name, rows, mode="create", db_schema_name=SCHEMA)
        connection.commit()
    return copied


def main() -> None:
    """Copy the warehouse of the settings and tell how many rows that were."""
    parser = argparse.ArgumentParser(prog="python -m dagster_defs.to_postgres", description=__doc__)
    parser.add_argument("url", help="postgresql://user@host:port/database")
    asked = parser.parse_args()
    with DuckDBResource(database=str(Settings().warehouse_path)).get_connection() as warehouse:
        copied = copy(warehouse, asked.url)
    parser.exit(0, f"{sum(copied.values())} rows of {len(copied)} tables copied\n")


if __name__ == "__main__":
    main()
