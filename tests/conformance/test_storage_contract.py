"""Our storage keeps the contract that scim2-server has for storages, on both databases."""

import itertools
from collections.abc import Generator
from pathlib import Path

import adapter
import make
import pytest
from scim2_models import ScimProvider
from scim2_server.testing import ScimStorageContract

from scim_app.protocol.wire import scim_service

_numbers = itertools.count(1)


@pytest.mark.rfc("suites")
class TestStoreKeepsTheContract(ScimStorageContract):
    """Every test of the contract, each in an organization of its own."""

    @pytest.fixture
    def provider(self) -> ScimProvider:
        """What our service describes."""
        return scim_service(b"secret").provider

    @pytest.fixture
    def storage(self, home: Path) -> Generator[adapter.StoreStorage]:
        """A new, empty storage."""
        with adapter.opened(make.organization(make.settings(home), f"contract-{next(_numbers)}")) as storage:
            yield storage
