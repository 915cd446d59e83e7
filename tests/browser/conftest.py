"""Fixtures: Chromium, a service with a real OpenID provider, and an organization in it."""

import itertools
from collections.abc import Generator
from pathlib import Path
from typing import Any

import make
import pytest
from browser.places import Place
from make import Service
from playwright.sync_api import Browser

CLIENT_ID, CLIENT_SECRET = "dagster-scim", "a secret between the two"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def iam_service(iam_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Service, Path]]:
    """A service whose people sign in at the OpenID provider of the suite, and its folder."""
    home = tmp_path_factory.mktemp("browser")
    make.organization(make.settings(home), "first")
    # This provider does not say whether it verified an address, as Entra ID does not.
    env = {
        "TRUST_EMAIL": "true",
        "ISSUER": iam_server.url.rstrip("/"),
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
    }
    with make.service(home, **{f"DAGSTER_SCIM_OIDC_{name}": value for name, value in env.items()}) as running:
        client = iam_server.models.Client(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            client_name="dagster-scim",
            client_uri=running.address,
            redirect_uris=[f"{running.address}/_/callback"],
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "email", "profile"],
            token_endpoint_auth_method="client_secret_basic",
            id_token_signed_response_alg="RS256",
        )
        iam_server.backend.save(client)
        client.audience = [client]
        iam_server.backend.save(client)
        yield running, home


@pytest.fixture
def place(iam_service: tuple[Service, Path], iam_server: Any, browser: Browser) -> Generator[Place]:
    """A fresh organization."""
    running, home = iam_service
    organization = make.organization(make.settings(home), f"org-{next(_numbers)}", name="Acme")
    yield Place(running.address, organization, iam_server, browser)
    for context in browser.contexts:
        context.close()
