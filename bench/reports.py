"""`python bench/reports.py [USERS]`: `dbt build` over a warehouse of that many users and a year of their events.

The warehouse is filled by SQL in the form that the code location leaves it in: about 2.5 events a user (joined,
signed in, some left), one team membership a user, 60 people a team. It prints the time and the peak memory of
`dbt build` with all data tests, in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import psutil
from dagster_duckdb import DuckDBResource

from dagster_defs.assets.marts import DATA_TESTS, make_sources

PROJECT = Path(__file__).parents[1] / "dbt_like_reports"
START, MINUTES = "TIMESTAMP '2025-11-01'", 365 * 24 * 60

FILL = """
CREATE OR REPLACE MACRO at_event(n) AS {start} + INTERVAL 1 MINUTE * ((n::BIGINT * {minutes}) // {events});
CREATE OR REPLACE MACRO user_id(n) AS 'user-' || n;
CREATE OR REPLACE TEMP TABLE people AS
SELECT range AS n, 2 * range + 1 AS joined, CASE WHEN range % 5 = 0 THEN {users} * 2 + range // 5 + 1 END AS gone
FROM range({users});

INSERT INTO identity.organizations BY NAME
SELECT 'big' AS org, 'big' AS org_id, 'Big' AS name, 'UTC' AS time_zone, 'one' AS log_epoch, {events} AS seq,
    86400 AS deprovision_sla_seconds;
INSERT INTO identity.provisioning_events BY NAME
SELECT 'big' AS org, 'big' AS org_id, 'one' AS log_epoch, seq, 'event-' || seq AS id, type,
    at_event(seq) AS occurred_at, at_event(seq)::DATE AS day,
    kind AS subject_kind, who AS subject_id, who || '@example.com' AS subject_name,
    actor, idp, 'h' || (seq - 1) AS prev_hash, 'h' || seq AS hash, '{{}}' AS change, '{{}}' AS document
FROM (
    SELECT joined AS seq, 'user.created' AS type, 'user' AS kind, user_id(n) AS who, 'token' AS actor, 'okta' AS idp
    FROM people
    UNION ALL SELECT joined + 1, 'session.started', 'session', user_id(n), user_id(n), NULL FROM people
    UNION ALL SELECT gone, 'user.deactivated', 'user', user_id(n), 'token', 'okta' FROM people WHERE gone IS NOT NULL
) ORDER BY seq;
INSERT INTO identity.user_versions BY NAME
SELECT 'big' AS org, joined AS from_seq, gone AS until_seq, user_id(n) AS user_id,
    user_id(n) || '@example.com' AS user_name, true AS active,
    'Person ' || n AS display_name, user_id(n) || '@example.com' AS email, 'Engineer' AS title,
    'Department ' || n % 40 AS department, 'scim' AS origin, 'okta' AS idp, at_event(joined) AS created_at,
    at_event(joined) AS updated_at
FROM people
UNION ALL BY NAME
SELECT 'big' AS org, gone AS from_seq, user_id(n) AS user_id, user_id(n) || '@example.com' AS user_name,
    false AS active, 'Person ' || n AS display_name, 'scim' AS origin, 'okta' AS idp, at_event(joined) AS created_at,
    at_event(gone) AS updated_at, at_event(gone) AS deactivated_at
FROM people WHERE gone IS NOT NULL;
INSERT INTO identity.team_versions BY NAME
SELECT 'big' AS org, 1 AS from_seq, 'team-' || range AS team_id, 'Team ' || range AS display_name, 'scim' AS origin,
    {start} AS created_at, {start} AS updated_at FROM range({users} // 60 + 1);
INSERT INTO identity.membership_versions BY NAME
SELECT 'big' AS org, joined AS from_seq, CASE WHEN n % 10 = 0 THEN gone END AS until_seq, 'team-' || n // 60 AS team_id,
    user_id(n) AS user_id, at_event(joined) AS since, 'scim' AS origin FROM people;
INSERT INTO identity.grant_versions BY NAME
SELECT 'big' AS org, 1 AS from_seq, 'grant-' || range AS grant_id, 'team' AS holder_kind, 'team-' || range AS holder_id,
    CASE WHEN range % 20 = 0 THEN 'admin' ELSE 'editor' END AS role, 'organization' AS scope_kind,
    {start} AS granted_at, 'cli' AS granted_by, 'needed' AS reason FROM range({users} // 600 + 1);
INSERT INTO identity.access_changes BY NAME
SELECT 'big' AS org, at_event(seq)::DATE AS day, seq, 'event-' || seq AS event_id, at_event(seq) AS occurred_at,
    change, how, user_id(n) AS user_id, user_id(n) || '@example.com' AS user_name, 'token' AS actor,
    'okta' AS idp, '' AS teams
FROM (
    SELECT joined AS seq, n, 'joiner' AS change, 'created' AS how FROM people
    UNION ALL SELECT joined, n, 'mover', 'joined_team' FROM people
    UNION ALL SELECT gone, n, 'leaver', 'deactivated' FROM people WHERE gone IS NOT NULL
);
INSERT INTO identity.deprovisioned_accounts BY NAME
SELECT org, day, seq, event_id, occurred_at, how, user_id, user_name, actor, idp, occurred_at AS received_at,
    occurred_at AS access_ended_at, 'Team' AS teams, '' AS grants, '' AS tokens, 0 AS latency_seconds,
    true AS within_sla
FROM identity.access_changes WHERE change = 'leaver';
INSERT INTO identity.snapshot_cuts BY NAME
SELECT max(day) AS day, 'big' AS org, max(seq) AS seq FROM identity.provisioning_events;
"""


def fill(path: Path, users: int) -> int:
    """Make the warehouse and return its number of events."""
    make_sources(DuckDBResource(database=str(path)))
    events = users * 2 + users // 5
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute(FILL.format(users=users, events=events, start=START, minutes=MINUTES))
    return events


def build(path: Path, folder: Path, limit: str) -> tuple[float, float]:
    """Run `dbt build` and return its seconds and the peak of its memory in MiB."""
    command = [str(Path(sys.executable).with_name("dbt")), "build", *DATA_TESTS, "--project-dir", str(PROJECT)]
    told = ["--profiles-dir", str(PROJECT), "--target-path", str(folder), "--vars"]
    variables = json.dumps({"warehouse": str(path), "memory_limit": limit})
    began, peak = time.monotonic(), 0
    process = subprocess.Popen([*command, *told, variables], stdout=subprocess.PIPE, text=True)
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    out = process.communicate()[0]
    if process.returncode:
        sys.exit(out[-3000:])
    return time.monotonic() - began, peak / 2**20


def main() -> None:
    """Fill, build and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("users", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--memory-limit", default="5GB", help="DuckDB's own limit")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        events = fill(path, asked.users)
        seconds, peak = build(path, Path(folder) / "target", asked.memory_limit)
        size = path.stat().st_size / 2**20
    told = f"dbt build {seconds:.1f} s, peak {peak:.0f} MiB, warehouse {size:.0f} MiB"
    print(f"{asked.users} users, {events} events: {told}")


if __name__ == "__main__":
    main()
