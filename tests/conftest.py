"""Fixtures: one running service for all tests, an organization of its own for each."""

import itertools
from collections.abc import Generator
from pathlib import Path

import httpx
import make
import pytest
from make import Organization, Service


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shared service."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def service(home: Path) -> Generator[Service]:
    """A service that runs as a process of its own."""
    make.organization(make.settings(home), "first")
    with make.service(home) as running:
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def organization(service: Service, home: Path) -> Organization:
    """A fresh organization that the service serves."""
    return make.organization(make.settings(home), f"org-{next(_numbers)}")


@pytest.fixture
def scim(service: Service, organization: Organization) -> Generator[httpx.Client]:
    """A client of the fresh organization."""
    with organization.client(service.address) as client:
        yield client
