"""A first sign-in that is not certain waits for a confirmation; a setup link is one."""

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from first_sign_ins import EVIL, ISSUER, People

from scim_app.errors import Conflict, NotFound
from scim_app.store.sign_in import identities, identity_requests, setup_links
from scim_app.store.sign_in.identities import ConfirmationNeeded


@pytest.fixture
def directory(folder: Path) -> Generator[People]:
    made = People(folder)
    yield made
    made.store.close()


def test_who_waits_is_let_in_by_a_confirmation(directory: People) -> None:
    admin = directory.provision("dana@example.com")
    directory.grant(admin)
    directory.ask("s-1", "dana@example.com")
    directory.ask("s-1", "dana@example.com")
    directory.ask("s-2", "DANA@example.com")
    assert directory.waiting() == ["s-1", "s-2"]
    directory.confirm(admin, "s-1")
    assert directory.waiting() == []
    assert directory.sign_in("s-1", "dana@example.com") == admin
    assert directory.events() == ["identity.requested", "identity.requested", "identity.bound"]


def test_a_declined_one_is_not_confirmed(directory: People) -> None:
    admin = directory.provision(EVIL)
    directory.grant(admin)
    directory.ask("s-1", EVIL)
    directory.write(lambda unit: identity_requests.decline(unit, admin, ISSUER, "s-1"))
    with pytest.raises(NotFound):
        directory.confirm(admin, "s-1")
    assert directory.events() == ["identity.requested", "identity.declined"]


def test_a_confirmation_is_of_what_the_address_leads_to_now(directory: People) -> None:
    admin = directory.provision("dana@example.com")
    directory.grant(admin)
    directory.ask("s-1", "dana@example.com")
    directory.push(admin, userName="dana.smith@example.com")
    with pytest.raises(Conflict, match="leads to no user"):
        directory.confirm(admin, "s-1")
    other = directory.provision("dana@example.com")
    with pytest.raises(Conflict, match="leads to dana"):
        directory.confirm(admin, "s-1")
    with pytest.raises(NotFound):
        directory.confirm(other, "s-1")


def test_nobody_waits_longer_than_a_week(directory: People) -> None:
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False) as clock:
        admin = directory.provision("dana@example.com")
        directory.grant(admin)
        directory.ask("s-1", "dana@example.com")
        clock.shift(identity_requests.LIFETIME - timedelta(seconds=1))
        assert directory.waiting() == ["s-1"]
        clock.shift(timedelta(seconds=1))
        assert directory.waiting() == []
        with pytest.raises(NotFound):
            directory.confirm(admin, "s-1")
        directory.ask("s-1", "dana@example.com")
        directory.confirm(admin, "s-1")


def test_who_is_forgotten_is_recognized_anew_and_not_by_what_scim_wrote_meanwhile(directory: People) -> None:
    admin = directory.provision("dana@example.com", externalId="00u1")
    directory.grant(admin)
    assert directory.sign_in("00u1", "dana@example.com") == admin
    directory.push(admin, userName=EVIL, externalId="00u-mallory")
    directory.write(lambda unit: identities.forget(unit, admin))
    with pytest.raises(ConfirmationNeeded):
        directory.sign_in("00u-mallory", EVIL)


def test_whom_the_operator_named_by_a_link_is_known_by_that_address(directory: People) -> None:
    admin, name, code = directory.write(lambda unit: setup_links.make_for_admin(unit, "dana@example.com"))
    assert name == "dana@example.com"
    assert directory.provision("dana@example.com", externalId="00u-mallory") == admin
    directory.push(admin, userName=EVIL)
    used = directory.write(lambda unit: setup_links.use(unit, code))
    assert used == setup_links.SetupLink(admin, EVIL)
    with pytest.raises(ConfirmationNeeded):
        directory.sign_in("00u-mallory", EVIL)
    assert directory.sign_in("00u1", "dana@example.com") == admin


def test_a_link_that_nobody_used_vouches_for_nothing(directory: People) -> None:
    admin = directory.provision("dana@example.com")
    directory.write(lambda unit: setup_links.make_for_admin(unit, "dana@example.com"))
    with pytest.raises(ConfirmationNeeded):
        directory.sign_in("s-1", "dana@example.com")
    assert directory.store.read(lambda db: identities.of_user(db, directory.org_id, admin)) == []


def test_a_link_is_for_the_name_that_the_operator_typed_and_for_somebody_active(directory: People) -> None:
    directory.provision("\u017fam@example.com")
    make_link = lambda name: directory.write(lambda unit: setup_links.make_for_admin(unit, name))  # noqa: E731
    with pytest.raises(Conflict, match="looks like"):
        make_link("sam@example.com")
    dana, _, code = make_link("dana@example.com")
    directory.provision("dana@example.com")
    directory.push(dana, active=False)
    assert directory.write(lambda unit: setup_links.use(unit, code)) is None
    with pytest.raises(Exception, match="deactivated"):
        make_link("dana@example.com")
