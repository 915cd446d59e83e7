"""The public conformance suite of the Python-SCIM project finds no error."""

import httpx2
import pytest
from make import Organization, Service
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server


@pytest.mark.rfc("suites")
def test_scim2_tester_finds_no_error(service: Service, organization: Organization) -> None:
    base_url = f"{service.address}/{organization.slug}/scim/v2"
    headers = {"Authorization": f"Bearer {organization.token}"}
    with httpx2.Client(base_url=base_url, headers=headers, trust_env=False) as client:
        results = check_server(SyncSCIMClient(client))
    succeeded = [result for result in results if result.status is Status.SUCCESS]
    errors = [
        f"{result.title}: {result.reason}" for result in results if result.status in (Status.ERROR, Status.CRITICAL)
    ]
    assert errors == []
    assert len(succeeded) > 100
