"""A token opens its own organization, as long as it is valid, and is kept as a digest only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import make
import pytest
import sqlalchemy as sa
from make import Organization

from scim_app.store.access import organizations
from scim_app.store.access.acting import Acting
from scim_app.store.credentials import tokens
from scim_app.store.log.session import Store


@pytest.fixture
def organization(folder: Path) -> Organization:
    """An organization."""
    return make.organization(make.settings(folder))


@pytest.fixture
def store(organization: Organization) -> Any:
    """Its store, open."""
    opened = Store(organization.settings.store_url)
    yield opened
    opened.close()


@pytest.fixture
def ask(organization: Organization, store: Store) -> Callable[..., tokens.Caller | None]:
    """Asks whom a text stands for."""
    pepper = organization.settings.read_pepper()
    return lambda text, slug="acme", pepper=pepper: store.read(lambda db: tokens.authenticate(db, slug, text, pepper))


def test_a_token_opens_its_organization(organization: Organization, ask: Any) -> None:
    assert ask(organization.token).org_id == organization.id
    assert ask(organization.token, slug="other") is None
    assert ask(organization.token, pepper=b"q" * 32) is None


@pytest.mark.parametrize("position", [5, 20, 40, 60, -1])
def test_a_token_with_one_letter_changed_opens_nothing(organization: Organization, ask: Any, position: int) -> None:
    letters = list(organization.token)
    letters[position] = "A" if letters[position] != "A" else "B"
    assert ask("".join(letters)) is None


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
def test_a_token_that_is_over_opens_nothing(store: Store, organization: Organization, ask: Any, column: str) -> None:
    past = f"UPDATE tokens SET {column} = '2020-01-01T00:00:00.000000Z'"
    store.write(lambda db: db.execute(sa.text(past)))
    assert ask(organization.token) is None


def test_two_tokens_are_valid_at_once_and_one_can_be_revoked(
    store: Store, organization: Organization, ask: Any
) -> None:
    pepper = organization.settings.read_pepper()
    found = store.read(lambda db: organizations.by_slug(db, "acme"))
    desk = Acting(store, found, make.ACTOR)
    token, text = desk.write(tokens.create, pepper=pepper)
    assert ask(text).token_id == token.id
    assert ask(organization.token)
    for _ in range(2):
        desk.write(tokens.revoke, token.id)
    assert ask(text) is None
    assert ask(organization.token)
    assert [event["type"] for event in organization.events()].count("token.revoked") == 1


def test_the_text_of_a_token_is_nowhere_in_the_store(organization: Organization) -> None:
    secret = organization.token.split("_")[2][:43].encode()
    for path in organization.settings.home.glob("store.sqlite3*"):
        assert secret not in path.read_bytes()
