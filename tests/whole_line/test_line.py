"""The whole line over real processes: a push of the identity provider becomes a snapshot, a report and an alert."""

import json
import signal
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import httpx
import make
import psutil
import pytest

pytestmark = pytest.mark.line

LAUNCH = """mutation {
    launchRun(executionParams: { runConfigData: {}, selector: {
        repositoryLocationName: "dagster_scim", repositoryName: "__repository__", jobName: "daily_compliance"
    } }) { __typename }
}"""
"""What the schedule of the compliance report does each morning."""
RUNS = """{ runsOrError { ... on Runs { results { status pipelineName tags { key value } } } } }"""


@contextmanager
def listener() -> Generator[tuple[str, list[dict[str, Any]]]]:
    """An HTTP server that keeps what is posted to it: its Apprise address, and the messages."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/alerts", received
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def dev(home: Path, alerts: str) -> Generator[tuple[str, str, str]]:
    """`dagster-scim dev`: SCIM base URL, token and address of the Dagster UI that it prints or was given."""
    port, dagster_port = make.free_port(), make.free_port()
    program = [str(make.BIN / "dagster-scim"), "dev", "--port", str(port), "--dagster-port", str(dagster_port)]
    env = make.environment(home, DAGSTER_SCIM_ALERT_URLS=alerts)
    home.mkdir(exist_ok=True)
    out = home / "dev.out"
    with out.open("wb") as log:
        process = subprocess.Popen(program, env=env, stdout=log, stderr=log, cwd=make.ROOT)
    try:

        def printed() -> list[str]:
            assert process.poll() is None, out.read_text()
            lines = [line.split() for line in out.read_text().splitlines()]
            return [line[3 if line[1] == "base" else 2] for line in lines if line[:1] == ["SCIM"]]

        base_url, token = make.until(lambda: len(found := printed()) == 2 and found, seconds=120, what="the start")
        yield base_url, token, f"http://127.0.0.1:{dagster_port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0, out.read_text()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    assert make.port_answers(port) is False
    assert make.port_answers(dagster_port) is False


def those_who_left(home: Path) -> list[Any]:
    """Rows of the mart, none while a run writes the warehouse or has not made it yet."""
    try:
        with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(
                "SELECT user_name, how, teams_lost FROM reports.leavers WHERE returned_at IS NULL"
            ).fetchall()
    except duckdb.Error:
        return []


def copied(home: Path) -> int:
    """The last event in the warehouse, 0 while a run writes it."""
    try:
        with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute("SELECT max(seq) FROM identity.provisioning_events").fetchall()[0][0]
    except duckdb.Error:
        return 0


def reports(home: Path, event: int) -> list[Path]:
    """Reports that stand at an event."""
    return list(home.glob(f"reports/acme/compliance_report/*-seq-{event:06d}/report.html"))


def runs(dagster: str) -> list[dict[str, Any]]:
    """The runs there have been."""
    answer = httpx.post(f"{dagster}/graphql", json={"query": RUNS}, trust_env=False)
    return answer.json()["data"]["runsOrError"]["results"]


def daemon(home: Path) -> Any:
    """The running daemon of a home, none while there is none."""
    for process in psutil.Process(int((home / "dev.lock").read_text())).children():
        with suppress(psutil.Error):
            if "dagster-daemon" in " ".join(process.cmdline()):
                return process
    return None


def test_a_deactivation_becomes_a_leaver_a_report_and_one_alert(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with listener() as (alerts, received), dev(home, alerts) as (base_url, token, dagster):
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=base_url, headers=headers, trust_env=False) as scim:
            assert scim.get("/Users", params={"startIndex": 1, "count": 2}).json()["totalResults"] == 0
            ada = scim.post("/Users", json=make.user("ada@example.com", displayName="Ada")).json()["id"]
            assert scim.post("/Groups", json=make.group("Data", ada)).status_code == 201
            assert scim.post("/Users", json=make.user("ADA@example.com")).status_code == 409
            assert scim.patch(f"/Users/{ada}", json=make.deactivate()).json()["active"] is False

        expected = [("ada@example.com", "deactivated", "Data")]
        make.until(lambda: those_who_left(home) == expected, seconds=300, what="the leaver")
        make.until(lambda: len(received) >= 2, what="the alerts")
        launched = httpx.post(f"{dagster}/graphql", json={"query": LAUNCH}, trust_env=False).json()
        assert launched["data"]["launchRun"]["__typename"] == "LaunchRunSuccess", launched
        report, *_ = make.until(lambda: reports(home, 6), seconds=120, what="the report")
        assert "ada@example.com" in report.read_text()

        # Another run finds nothing new to tell.
        with httpx.Client(base_url=base_url, headers=headers, trust_env=False) as scim:
            assert scim.post("/Users", json=make.user("bob@example.com")).status_code == 201
        make.until(lambda: copied(home) == 7, seconds=120, what="a second run")
        make.until(lambda: {run["status"] for run in runs(dagster)} == {"SUCCESS"}, what="the end of the runs")
        assert sorted(message["title"] for message in received) == [
            "[acme] Account deprovisioned: ada@example.com",
            "[acme] SCIM write refused: ADA@example.com",
        ]
        sensors = {tag["value"] for run in runs(dagster) for tag in run["tags"] if tag["key"] == "dagster/sensor_name"}
        assert "provisioning_event_sensor" in sensors

        # The running Dagster tells its code locations, to grant roles on them.
        read = make.command("deployment", "read", "acme", "prod", "--url", dagster, "--json", home=home)
        assert json.loads(read.stdout) == {"deployment": "prod", "added": ["dagster_scim"]}

        # No web page of another address commands it, and the SCIM service outlives the daemon, which is started again.
        assert httpx.get(f"{dagster}/server_info", headers={"Host": "evil.example"}, trust_env=False).status_code == 403
        first = daemon(home)
        first.kill()
        make.until(lambda: (now := daemon(home)) and now.pid != first.pid and now, what="another daemon")
        with httpx.Client(base_url=base_url, headers=headers, trust_env=False) as scim:
            assert scim.get("/Users").status_code == 200
