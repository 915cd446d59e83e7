"""`dagster-scim dev` on ports of its own, for measurements."""

import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from make import environment, free_port

START_SECONDS = 180


@contextmanager
def dev(home: Path, alerts: str) -> Generator[tuple[str, str, str]]:
    """Run everything and give the SCIM base URL, a token and the address of the Dagster UI."""
    port, dagster_port = free_port(), free_port()
    program = Path(sys.executable).with_name("dagster-scim")
    command = [str(program), "dev", "--port", str(port), "--dagster-port", str(dagster_port)]
    out = home / "dev.out"
    with out.open("wb") as log:
        env = environment(home, DAGSTER_SCIM_ALERT_URLS=alerts)
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        base_url, token = _printed(out, process)
        yield base_url, token, f"http://127.0.0.1:{dagster_port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _printed(out: Path, process: "subprocess.Popen[bytes]") -> tuple[str, str]:
    """Wait for the base URL and the token that the program prints."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        lines = [line.split() for line in out.read_text().splitlines()]
        found = {
            line[1]: line[3 if line[1] == "base" else 2] for line in lines if line[:1] == ["SCIM"] and len(line) > 2
        }
        if {"base", "token"} <= found.keys():
            return found["base"], found["token"]
        time.sleep(0.1)
    raise SystemExit(f"it did not start:\n{out.read_text()}")
