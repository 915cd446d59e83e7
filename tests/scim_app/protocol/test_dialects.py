"""Dialects: who is known is held to its own quirks, who is not gets those of all, and a strict token gets none."""

from typing import Any

import make
import pytest
from scim2_models import SCIMException

from scim_app.directory.kinds import ENTERPRISE, TEAM, USER
from scim_app.directory.providers import IdentityProvider
from scim_app.protocol import quirks
from scim_app.protocol.decode import read_creation, read_patch
from scim_app.protocol.dialects import ANY, DIALECTS, Dialect, dialect_of
from scim_app.protocol.quirks import Json

CORE = "urn:ietf:params:scim:schemas:core:2.0"


@pytest.mark.parametrize(
    ("idp", "agent", "name"),
    [
        ("okta", None, "okta"),
        ("Entra", "Okta SCIM Client 1.0.0", "entra"),
        (None, "Okta SCIM Client 1.0.0", "okta"),
        (None, "Microsoft Azure AD SCIM provisioning 1.0.0", "entra"),
        (None, "Apache-HttpClient/4.5.13 (Java/17.0.9)", "ping"),
        ("our own portal", "curl/8", "any"),
        (None, None, "any"),
        ("strict", "Okta SCIM Client 1.0.0", "strict"),
    ],
)
def test_the_token_says_the_dialect_and_the_user_agent_is_a_hint(idp: str | None, agent: str | None, name: str) -> None:
    assert dialect_of(idp, agent).name == name


def named(name: str) -> Dialect:
    """A dialect by its name."""
    return dialect_of(name, None)


REMOVES = make.patch({"op": "remove", "path": "members", "value": [{"value": "1"}]})
BARE = make.patch({"op": "add", "path": "members", "value": ["1"]})
PATHLESS = make.patch({"op": "add", "value": [{"value": "1"}]})
MANAGER = make.patch({"op": "replace", "path": f"{ENTERPRISE}:manager", "value": "42"})


@pytest.mark.parametrize(
    ("kind", "body", "allowed"),
    [
        (TEAM, REMOVES, {"entra", "onelogin", "jumpcloud", "ping", "rippling", "any"}),
        (TEAM, PATHLESS, {"rippling", "any"}),
    ],
)
def test_a_quirk_is_allowed_to_those_who_have_it(kind: Any, body: Json, allowed: set[str]) -> None:
    def is_read(dialect: Dialect) -> bool:
        try:
            read_patch(kind, body, dialect)
        except SCIMException:
            return False
        except ValueError:
            return False
        return True

    assert {dialect.name for dialect in (*DIALECTS, ANY) if is_read(dialect)} == allowed


def test_a_manager_by_bare_id_is_rewritten_for_entra_alone() -> None:
    assert named("okta").normalise(USER, MANAGER) == MANAGER
    (operation,) = named("entra").normalise(USER, MANAGER)["Operations"]
    assert operation["value"] == {"value": "42"}


@pytest.mark.parametrize("manager", [{"displayName": "Grace"}, {"value": None}, {}])
def test_a_manager_without_an_id_is_no_reason_to_refuse_a_user(manager: Json) -> None:
    document, _ = read_creation(USER, make.user("ada", **{ENTERPRISE: {"manager": manager}}), named("strict"))
    assert ENTERPRISE not in document


def test_a_strict_client_is_held_to_the_rfc() -> None:
    with pytest.raises((SCIMException, ValueError)):
        read_creation(USER, make.user("ada", emails={"value": "ada@example.com"}), named("strict"))
    document, _ = read_creation(USER, make.user("ada", emails={"value": "ada@example.com"}), named("onelogin"))
    assert document["emails"] == [{"value": "ada@example.com"}]


@pytest.mark.parametrize("dialect", [*DIALECTS, ANY], ids=lambda dialect: dialect.name)
def test_a_legal_body_is_left_as_it_is(dialect: Dialect) -> None:
    manager = {"manager": {"value": "42"}}
    user = make.user("ada", emails=[{"value": "a@example.com"}], **{ENTERPRISE: manager})
    patch = make.patch(
        {"op": "add", "path": "members", "value": [{"value": "1"}]}, {"op": "remove", "path": "externalId"}
    )
    assert dialect.normalise(USER, user) == user
    assert dialect.normalise(TEAM, patch) == patch
    assert dialect.filter('externalId eq "jyoung" and active eq true') == 'externalId eq "jyoung" and active eq true'


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("id eq 54D382A4-2050 and active eq true", 'id eq "54D382A4-2050" and active eq true'),
        ("(userName sw O or title ne null) and x.y ge 1.5e3", '(userName sw "O" or title ne null) and x.y ge 1.5e3'),
        ("emails[type eq work and value eq a@b]", 'emails[type eq "work" and value eq "a@b"]'),
        ('title eq "manager eq 1" and nickName eq a', 'title eq "manager eq 1" and nickName eq "a"'),
        ('manager eq "42"', f'{ENTERPRISE}:manager.value eq "42"'),
        (f'{ENTERPRISE}:Manager ne "42"', f'{ENTERPRISE}:manager.value ne "42"'),
        ("manager pr", "manager pr"),
        ('title eq "never ends eq x', 'title eq "never ends eq x'),
        ("userName eq 'ada@example.com'", 'userName eq "ada@example.com"'),
        ("displayName eq 'Data Team' and active eq true", 'displayName eq "Data Team" and active eq true'),
        ("(title eq '') or emails[value eq 'a']", '(title eq "") or emails[value eq "a"]'),
        ("title eq 'never ends", "title eq 'never ends"),
        ("title eq O'Brien", "title eq O'Brien"),
        ("active eq True", "active eq True"),
    ],
)
def test_a_filter_is_read_in_the_forms_of_entra(sent: str, read: str) -> None:
    assert named("entra").filter(sent) == read
    assert named("strict").filter(sent) == sent


def test_a_value_without_quotes_is_guessed_for_those_who_are_known_to_send_it() -> None:
    sent, read = "externalId eq jyoung", 'externalId eq "jyoung"'
    assert {dialect.name for dialect in (*DIALECTS, ANY) if dialect.filter(sent) == read} == {"entra", "jumpcloud"}


@pytest.mark.parametrize("dialect", ["onelogin", "any"])
@pytest.mark.parametrize("name", ["urn:scim:schemas:core:1.0", "URN:scim:schemas:core:2.0", CORE])
def test_older_names_of_schemas_are_those_of_now(dialect: str, name: str) -> None:
    for kind, own in ((USER, make.USER), (TEAM, make.GROUP)):
        assert named(dialect).normalise(kind, {"schemas": [name, own], "x": 1}) == {"schemas": [own], "x": 1}
    older = "urn:scim:schemas:extension:enterprise:1.0"
    user = {"schemas": [name, older], "userName": "ada", older: {"department": "Data"}}
    document, _ = read_creation(USER, user, named(dialect))
    assert (document["schemas"], document[ENTERPRISE]) == ([make.USER, ENTERPRISE], {"department": "Data"})
    with pytest.raises((SCIMException, ValueError)):
        read_creation(USER, user, named("okta"))


def test_each_provider_that_a_token_can_name_has_a_dialect() -> None:
    assert [dialect.name for dialect in DIALECTS] == [*IdentityProvider]


def test_every_quirk_belongs_to_somebody() -> None:
    always = {quirks.schemas_in_any_case, quirks.names_of_operations}
    used = {quirk for dialect in DIALECTS for quirk in (*dialect.quirks, *dialect.filters)} | always
    declared = {
        value for name, value in vars(quirks).items()
        if callable(value) and getattr(value, "__module__", "") == quirks.__name__ and not name.startswith("_")
    }  # fmt: skip
    assert declared - used == {quirks.with_operations}
    assert used - {*ANY.quirks, *ANY.filters} == always | {quirks.unquoted_filter_value}
