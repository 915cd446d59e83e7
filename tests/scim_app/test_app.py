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


def test_a_request_id_is_the_same_end_to_end(scim: httpx.Client, organization: Organization, home: Path) -> None:
    answer = scim.post("/Users", json=make.user("ada@example.com"), headers={"X-Request-Id": "okta-42.a"})
    assert answer.headers["x-request-id"] == "okta-42.a"
    assert organization.events()[-1]["request_id"] == "okta-42.a"
    assert '"request_id":"okta-42.a"' in (home / "service.log").read_text()


@pytest.mark.parametrize("unfit", ["", "a b", "x" * 65, "ada@example.com", "<script>"])
def test_a_request_id_that_is_not_fit_is_replaced(scim: httpx.Client, unfit: str) -> None:
    answer = scim.get("/Users", headers={"X-Request-Id": unfit})
    assert answer.headers["x-request-id"] not in ("", unfit)


def _figures(service: Service) -> dict[str, float]:
    text = httpx.get(f"{service.address}/metrics", trust_env=False).text
    lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_the_metrics_tell_requests_refusals_and_commits(scim: httpx.Client, service: Service) -> None:
    before = _figures(service)
    for _ in range(2):
        scim.post("/Users", json=make.user("ada@example.com"))
    after = _figures(service)

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grown('scim_requests_total{method="POST",route="/Users",status="2xx"}') == 1
    assert grown('scim_requests_total{method="POST",route="/Users",status="4xx"}') == 1
    assert grown('scim_rejected_total{scim_type="uniqueness"}') == 1
    assert grown("scim_writer_commits") >= 2
    assert after["scim_writer_queue_depth"] >= 0


def test_no_request_makes_a_new_series(scim: httpx.Client, service: Service) -> None:
    for path in ("/Users/x", "/Nonsense", "/Users/a/b", "/Groups/y"):
        scim.get(path)
    before = set(_figures(service))
    for number in range(50):
        scim.get(f"/Users/{number}")
        scim.get(f"/{number}/ada@example.com")
        scim.request(f"M{number}", f"/Groups/{number}")
    assert {name.partition("{")[0] for name in set(_figures(service)) - before} <= {
        "scim_requests_total",
        "scim_request_seconds_bucket",
        "scim_requests_created",
        "scim_request_seconds_count",
        "scim_request_seconds_sum",
        "scim_request_seconds_created",
    }
    assert len(_figures(service)) < len(before) + 60
    assert "ada@example.com" not in str(_figures(service))


def test_a_service_that_is_told_to_stop_says_so_before_it_stops(folder: Path) -> None:
    make.organization(make.settings(folder))
    with make.service(folder, DAGSTER_SCIM_DRAIN_SECONDS="300") as service:
        service.process.terminate()
        answer = make.until(lambda: _unready(service), what="the word that it stops")
        assert answer.json()["problems"] == {"drain": "the service is shutting down"}
        assert answer.headers["Retry-After"].isdecimal()
        assert httpx.get(f"{service.address}/healthz", trust_env=False).json() == {"status": "ok"}
        service.process.terminate()  # the second signal does not wait
        assert service.process.wait(60) is not None


def _unready(service: Service) -> httpx.Response | None:
    answer = httpx.get(f"{service.address}/readyz", trust_env=False)
    return None if answer.is_success else answer
