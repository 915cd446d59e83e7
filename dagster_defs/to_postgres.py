"""`python -m dagster_defs.to_postgres URL`: copy what the dbt project reads from the warehouse into PostgreSQL.

The copy is for building the same reports there (`dbt build --target postgres`).
"""

import argparse
from datetime import date

import duckdb
from adbc_driver_postgresql import dbapi
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.snapshots import CUTS
from dagster_defs.dbt_sources import OF_A_DAY, TABLES
from dagster_defs.warehouse import SCHEMA
from scim_app.settings import Settings


def copy(warehouse: duckdb.DuckDBPyConnection, postgres: str, day: date | None = None) -> dict[str, int]:
    """Copy each table that the dbt project reads, in the place of an earlier copy; return rows by table.

    Args:
        warehouse: an open connection to the warehouse.
        postgres: address of the database, `postgresql://user@host:port/database`.
        day: of snapshots, the day that is copied; the newest one without it.
    """
    day = day or warehouse.execute(f"SELECT max(day) FROM {CUTS.address}").fetchall()[0][0]  # noqa: S608
    copied: dict[str, int] = {}
    with dbapi.connect(postgres) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in TABLES:
            which = f"WHERE day = DATE '{day}'" if table in OF_A_DAY else ""
            rows = warehouse.sql(f"SELECT {table.names} FROM {table.address} {which}").to_arrow_reader()  # noqa: S608
            copied[table.name] = cursor.adbc_ingest(table.name, rows, mode="create", db_schema_name=SCHEMA)
        connection.commit()
        # Plans are made by statistics, which the server would gather some time later.
        cursor.execute("ANALYZE")
        connection.commit()
    return copied


def main() -> None:
    """Copy the warehouse of the settings and tell how many rows that were."""
    parser = argparse.ArgumentParser(prog="python -m dagster_defs.to_postgres", description=__doc__)
    parser.add_argument("url", help="postgresql://user@host:port/database")
    parser.add_argument("--day", type=date.fromisoformat, help="of snapshots, the day; the newest one without it")
    asked = parser.parse_args()
    with DuckDBResource(database=str(Settings().warehouse_path)).get_connection() as warehouse:
        copied = copy(warehouse, asked.url, asked.day)
    parser.exit(0, f"{sum(copied.values())} rows of {len(copied)} tables copied\n")


if __name__ == "__main__":
    main()
