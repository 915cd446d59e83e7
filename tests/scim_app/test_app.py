"""Health for those who run it, and a start that says what is missing."""

from pathlib import Path

import httpx
import make
import pytest
from make import Organization, Service

from scim_app.app import create_app
from scim_app.errors import StoreUnavailable


def test_health_and_readiness(service: Service) -> None:
    assert httpx.get(f"{service.address}/healthz", trust_env=False).json() == {"status": "ok"}
    assert httpx.get(f"{service.address}/readyz", trust_env=False).json() == {"status": "ok"}


def test_it_does_not_start_without_a_pepper_or_a_store(tmp_path: Path) -> None:
    settings = make.settings(tmp_path)
    with pytest.raises(LookupError, match="DAGSTER_SCIM_PEPPER"):
        create_app(settings)
    settings.ensure_pepper()
    with pytest.raises(StoreUnavailable, match="dagster-scim migrate"):
        create_app(settings)


def test_the_log_of_the_service_names_nobody(scim: httpx.Client, organization: Organization, home: Path) -> None:
    scim.post("/Users", json=make.user("very-personal@example.com", title="secret title"))
    answer = scim.get("/Users", params={"filter": 'userName eq "very-personal@example.com"'})
    log = (home / "service.log").read_text()
    assert answer.headers["x-request-id"] in log
    assert "very-personal" not in log
    assert "secret title" not in log


def test_links_come_from_the_settings_and_never_from_the_request(scim: httpx.Client) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    answer = scim.post("/Users", json=make.user("ada@example.com"), headers=headers)
    assert "evil.example" not in answer.text + answer.headers["location"]
