"""The public suites that run against a live service find nothing wrong."""

import os
import subprocess
from collections.abc import Sequence

import make
import pytest
from make import BIN, Organization, Service


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of the suites to its end."""
    env = make.environment(make.ROOT) | {"COLUMNS": "200", "NO_PROXY": "*"}
    command: Sequence[str] = [os.fspath(BIN / program), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.rfc("suites")
def test_scim_sanity_finds_nothing_wrong(service: Service, organization: Organization) -> None:
    address = f"{service.address}/{organization.slug}/scim/v2"
    done = run("scim-sanity", "probe", address, "--token", organization.token, "--i-accept-side-effects")
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert "[FAIL]" not in done.stdout
    assert done.stdout.count("[PASS]") >= 28


@pytest.mark.rfc("suites")
def test_scim2_cli_finds_nothing_wrong(service: Service, organization: Organization) -> None:
    address = f"{service.address}/{organization.slug}/scim/v2"
    done = run("scim2", "--url", address, "-h", f"Authorization: Bearer {organization.token}", "test")
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    assert "ERROR" not in done.stdout
    assert done.stdout.count("SUCCESS") > 100
