"""Who signs in for the first time as whom: what SCIM wrote never opens a privileged account, and the owner gets in."""

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest
from first_sign_ins import EVIL, People

from scim_app.directory.events import Actor
from scim_app.directory.reach import OPERATOR
from scim_app.directory.roles import Role, Scope, ScopeKind
from scim_app.errors import Conflict, NotFound
from scim_app.store.access import grants, organization_settings, places
from scim_app.store.lifecycle import people, teams
from scim_app.store.sign_in.identities import ConfirmationNeeded


@pytest.fixture
def directory(folder: Path) -> Generator[People]:
    made = People(folder)
    yield made
    made.store.close()


def by_a_team(directory: People, admin: str) -> None:
    deployment = directory.write(lambda unit: places.add_deployment(unit, "prod"))
    team = directory.write(lambda unit: teams.create(unit, "Platform admins"))
    directory.write(lambda unit: organization_settings.switch_scim(unit, on=False))
    directory.write(lambda unit: teams.add_member(unit, team.id, admin))
    scope = Scope(ScopeKind.DEPLOYMENT, deployment.id)
    directory.write(lambda unit: grants.grant(unit, "team", team.id, Role.ADMIN, scope))


def by_default(directory: People, admin: str) -> None:
    del admin
    directory.write(lambda unit: organization_settings.change(unit, default_role="admin"))


PRIVILEGES: dict[str, Callable[[People, str], None]] = {
    "Organization Admin": lambda directory, admin: directory.grant(admin),
    "Admin of all branch deployments": lambda directory, admin: directory.grant(
        admin, Role.ADMIN, Scope(ScopeKind.ALL_BRANCH_DEPLOYMENTS)
    ),
    "through a team": by_a_team,
    "by default": by_default,
}


@pytest.mark.parametrize("privilege", PRIVILEGES)
def test_who_is_renamed_to_an_attackers_address_is_not_the_attacker(directory: People, privilege: str) -> None:
    admin = directory.provision("dana@example.com", externalId="00u1")
    PRIVILEGES[privilege](directory, admin)
    directory.push(admin, userName=EVIL, emails=[{"value": EVIL, "primary": True}])
    with pytest.raises(ConfirmationNeeded):
        directory.sign_in("00u-mallory", EVIL)
    assert directory.sign_in("00u1", "dana@example.com") == admin
    with pytest.raises(Conflict, match="another identity"):
        directory.sign_in("00u-mallory", EVIL)


def test_who_gets_an_attackers_id_is_not_the_attacker(directory: People) -> None:
    admin = directory.provision("dana@example.com", externalId="00u1")
    directory.grant(admin)
    directory.push(admin, externalId="00u-mallory")
    for email in (EVIL, None, "dana@example.com"):
        with pytest.raises(ConfirmationNeeded):
            directory.sign_in("00u-mallory", email)
    directory.push(admin, externalId="00u1")
    with pytest.raises(ConfirmationNeeded):
        directory.sign_in("00u1", "dana@example.com")


def test_an_admin_who_was_added_by_hand_is_not_who_is_linked_to_it(directory: People) -> None:
    directory.write(lambda unit: organization_settings.switch_scim(unit, on=False))
    admin = directory.write(lambda unit: people.add(unit, "dana@example.com")).id
    directory.grant(admin)
    directory.write(lambda unit: organization_settings.switch_scim(unit, on=True))
    assert directory.provision("Dana@example.com", externalId="00u-mallory") == admin
    with pytest.raises(ConfirmationNeeded):
        directory.sign_in("00u-mallory", None)
    assert directory.sign_in("00u1", "dana@example.com") == admin


def test_an_address_that_a_program_wrote_by_a_key_opens_no_privileged_account(directory: People) -> None:
    directory.write(lambda unit: organization_settings.switch_scim(unit, on=False))
    admin = directory.write(lambda unit: people.add(unit, "dana@example.com")).id
    key = Actor(name="key abc", method="PATCH", path=f"/acme/api/users/{admin}")
    directory.write(lambda unit: people.edit(unit, admin, user_name=EVIL), key)
    directory.grant(admin)
    with pytest.raises(ConfirmationNeeded):
        directory.sign_in("s-1", EVIL)
    person = replace(key, name="boss@example.com", authority=OPERATOR)
    directory.write(lambda unit: people.edit(unit, admin, user_name="dana@example.org"), person)
    assert directory.sign_in("s-1", "dana@example.org") == admin


def test_an_ordinary_user_is_known_by_the_providers_id_or_by_the_address(directory: People) -> None:
    ada = directory.provision("ada@example.com", externalId="00u1")
    grace = directory.provision("grace@example.com", externalId="0000-1111")
    directory.push(ada, userName="ada.lovelace@example.com")
    assert directory.sign_in("00u1", "ada@example.com") == ada
    assert directory.sign_in("pairwise", "grace@example.com", external_id="0000-1111") == grace


def test_ids_that_another_system_counts_open_nothing_by_themselves(directory: People) -> None:
    ada = directory.provision("ada@example.com", externalId="7")
    grace = directory.provision("grace@example.com", externalId="8")
    assert directory.sign_in("8", "ada@example.com") == ada
    with pytest.raises(ConfirmationNeeded):
        directory.sign_in("pairwise", "nobody@example.com", external_id="8")
    assert directory.sign_in("7", "grace@example.com") == grace


@pytest.mark.parametrize(
    ("stored", "verified"),
    [
        ("sam@example.com", "\u017fam@example.com"),
        ("kim@example.com", "\u212aim@example.com"),
        ("\u017fam@example.com", "sam@example.com"),
        ("sam@example.com", "sam@\uff45xample.com"),
        ("strasse@example.com", "stra\u00dfe@example.com"),
        ("sam@example.com", "sa\u200bm@example.com"),
    ],
)
def test_letters_that_look_alike_are_other_letters(directory: People, stored: str, verified: str) -> None:
    directory.provision(stored)
    with pytest.raises(NotFound):
        directory.sign_in("s-1", verified)


def test_letters_that_look_alike_are_other_letters_in_the_primary_address_too(directory: People) -> None:
    sam = directory.provision("sam", emails=[{"value": "Kim@Example.com", "primary": True}])
    with pytest.raises(NotFound):
        directory.sign_in("s-1", "\u212aim@example.com")
    assert directory.sign_in("s-1", "kim@example.COM") == sam


def test_case_makes_no_difference_where_it_is_ascii(directory: People) -> None:
    assert directory.provision("\u00c4da@Example.com") == directory.sign_in("s-1", "\u00c4DA@example.com")
