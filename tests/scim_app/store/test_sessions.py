"""Sessions end with access, for good; setup links work once."""

from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import make
import pytest
import sqlalchemy as sa
import time_machine

from scim_app.directory.kinds import USER
from scim_app.directory.membership import MemberDelta
from scim_app.errors import Conflict, NotFound
from scim_app.store.credentials import sessions
from scim_app.store.credentials.sessions import ABSOLUTE, IDLE, SessionKind
from scim_app.store.db import sign_in_tables
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.sign_in import identities, setup_links
from scim_app.store.sign_in.recognition import Person

ISSUER = "https://issuer.example"


class Directory:
    """One organization and what its people and its identity provider do."""

    def __init__(self, home: Path) -> None:
        self.organization = make.organization(make.settings(home))
        self.store = Store(self.organization.settings.store_url)
        self.org_id = self.organization.id

    def write(self, work: Callable[[Unit], Any]) -> Any:
        return self.store.write(lambda db: work(Unit.begin(db, self.org_id, make.ACTOR)))

    def user(self, name: str, **attributes: object) -> str:
        return self.write(lambda unit: writes.create(unit, USER, make.user(name, **attributes), MemberDelta())).id

    def set_active(self, user_id: str, active: bool) -> None:
        edit = lambda _unit, stored: ({**stored.load(), "active": active}, MemberDelta())  # noqa: E731
        self.write(lambda unit: writes.update(unit, USER, user_id, edit))

    def sign_in(self, user_id: str | None) -> str:
        return self.write(lambda unit: sessions.start(unit, SessionKind.OIDC, user_id=user_id, name="ada"))

    def session(self, secret: str) -> sessions.Session | None:
        return self.store.read(lambda db: sessions.find(db, self.org_id, secret))

    def member(self, subject: str, email: str | None) -> identities.Member:
        return self.write(lambda unit: identities.member_of(unit, Person(ISSUER, subject, email, subject)))


@pytest.fixture
def directory(folder: Path) -> Generator[Directory]:
    made = Directory(folder)
    yield made
    made.store.close()


def test_a_session_ends_with_access_and_regained_access_does_not_revive_it(directory: Directory) -> None:
    ada, grace = directory.user("ada@example.com"), directory.user("grace@example.com")
    hers, others = directory.sign_in(ada), directory.sign_in(grace)
    directory.set_active(ada, False)
    assert directory.session(hers) is None
    directory.set_active(ada, True)
    assert directory.session(hers) is None
    assert directory.session(others) is not None
    ended = [event for event in directory.organization.events() if event["type"] == "session.ended"]
    assert [(event["subject_name"], event["detail"]) for event in ended] == [("ada@example.com", "access ended")]


def test_a_session_ends_with_the_account(directory: Directory) -> None:
    ada = directory.user("ada@example.com")
    secret = directory.sign_in(ada)
    directory.write(lambda unit: writes.delete(unit, USER, ada, lambda stored: stored))
    assert directory.session(secret) is None


def test_the_store_does_not_know_the_secret(directory: Directory) -> None:
    secret = directory.sign_in(directory.user("ada@example.com"))
    assert len(secret) >= 43
    kept = directory.store.read(lambda db: db.execute(sa.select(sign_in_tables.sessions)).mappings().all())
    assert kept
    assert secret not in str([dict(row) for row in kept])


def test_a_session_ends_by_idleness_and_at_the_latest_after_twelve_hours(directory: Directory) -> None:
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False) as clock:
        secret = directory.sign_in(directory.user("ada@example.com"))
        started = directory.session(secret)
        assert started is not None
        clock.shift(IDLE)
        assert directory.session(secret) is None
        used = timedelta()
        clock.shift(-IDLE)
        while used < ABSOLUTE:
            assert directory.session(secret) is not None
            directory.store.write(lambda db: sessions.note_use(db, directory.org_id, started.id))
            clock.shift(IDLE / 2)
            used += IDLE / 2
        assert directory.session(secret) is None


def test_signing_out_ends_one_session(directory: Directory) -> None:
    ada = directory.user("ada@example.com")
    first, second = directory.sign_in(ada), directory.sign_in(ada)
    held = directory.session(first)
    assert held is not None
    directory.write(lambda unit: sessions.end(unit, held.id, "ada"))
    assert directory.session(first) is None
    assert directory.session(second) is not None


def test_a_setup_link_works_once_for_an_hour_and_only_the_newest(directory: Directory) -> None:
    link = lambda: directory.store.write(lambda db: setup_links.make(db, directory.org_id))  # noqa: E731
    use = lambda code: directory.write(lambda unit: setup_links.use(unit, code))  # noqa: E731
    older, newest = link(), link()
    assert not use(older)
    assert use(newest)
    assert not use(newest)
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False) as clock:
        late = link()
        clock.shift(setup_links.LIFETIME)
        assert not use(late)


def test_an_identity_is_bound_by_its_verified_address_and_by_its_subject_from_then_on(directory: Directory) -> None:
    ada = directory.user("ada@example.com")
    assert directory.member("s-1", "ADA@example.com").id == ada
    assert directory.member("s-1", "someone-else@example.com").id == ada
    assert directory.member("s-1", None).id == ada


def test_an_unverified_address_finds_nobody(directory: Directory) -> None:
    directory.user("ada@example.com")
    with pytest.raises(NotFound, match="verified"):
        directory.member("s-1", None)


def test_another_identity_with_the_same_address_does_not_take_the_account_over(directory: Directory) -> None:
    directory.user("ada@example.com")
    directory.member("s-1", "ada@example.com")
    with pytest.raises(Conflict, match="another identity"):
        directory.member("s-2", "ada@example.com")


def test_a_deactivated_user_does_not_get_in_by_another_account_of_the_same_address(directory: Directory) -> None:
    ada = directory.user("ada", emails=[{"value": "ada@example.com", "primary": True}])
    directory.member("s-1", "ada@example.com")
    directory.set_active(ada, False)
    directory.user("ada@example.com")
    with pytest.raises(NotFound, match="deactivated"):
        directory.member("s-1", "ada@example.com")


def test_a_new_account_of_a_person_whose_old_one_was_removed_gets_in(directory: Directory) -> None:
    old = directory.user("ada@example.com")
    directory.member("s-1", "ada@example.com")
    directory.write(lambda unit: writes.delete(unit, USER, old, lambda stored: stored))
    new = directory.user("ada@example.com")
    assert directory.member("s-1", "ada@example.com").id == new


def test_two_users_with_one_address_are_nobody(directory: Directory) -> None:
    for name in ("ada", "ada2"):
        directory.user(name, emails=[{"value": "ada@example.com", "primary": True}])
    with pytest.raises(NotFound, match="several"):
        directory.member("s-1", "ada@example.com")
