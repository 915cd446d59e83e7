"""`python tests/reports/on_postgres.py` (with `PYTHONPATH=tests`): the reports on PostgreSQL, over a copy."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import postgres

from dagster_defs.to_postgres import copy
from scim_app.settings import Settings

PROJECT = Path(__file__).parents[2] / "dbt_like_reports"


def variables(address: str) -> dict[str, Any]:
    """What dbt is told of a database at an address with a host or a socket."""
    url = urlsplit(address)
    told = {
        "postgres_host": url.hostname or parse_qs(url.query)["host"][0],
        "postgres_user": url.username,
        "postgres_database": url.path.strip("/"),
    }
    return told | ({"postgres_port": url.port} if url.port else {})


def plain(address: str) -> str:
    """An address without the name of a driver."""
    return address.replace("+psycopg", "", 1)


def main() -> None:
    """Copy, build, and end with dbt's own status."""
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres.server() as server,
        postgres.database(server, "reports") as made,
    ):
        with duckdb.connect(str(Settings().warehouse_path), read_only=True) as warehouse:
            copy(warehouse, plain(made))
        command = [str(Path(sys.executable).with_name("dbt")), "build", "--target", "postgres", "--quiet"]
        told = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", f"{folder}/target"]
        asked = ["--vars", json.dumps(variables(plain(made)))]
        done = subprocess.run([*command, *told, *asked], check=False)
    if not done.returncode:
        print("dbt build is green on PostgreSQL.")  # noqa: T201
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
