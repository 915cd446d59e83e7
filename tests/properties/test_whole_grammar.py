"""Every filter of the grammar, over every attribute, finds in SQL what the library's match finds; members are a set."""

# ruff: noqa: E501

import random
from collections.abc import Generator
from pathlib import Path as Folder
from typing import Any

import adapter
import make
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scim2_models import Path, ResponseParameters, ScimFilter, SearchRequest
from scim2_server.service import ScimService

from scim_app.directory.kinds import ENTERPRISE, KINDS, TEAM, Kind
from scim_app.protocol.decode import read_patch
from scim_app.protocol.dialects import ANY
from scim_app.protocol.limits import RESOURCE, read_json
from scim_app.protocol.wire import scim_service
from scim_app.store.lifecycle import writes
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.resources import members, resources

WORDS = ["Ada", "ada", "ADA@x.example", "é", "e\u0301", "%", "_", '"', "\\", "work", "home", "", "Ω", "ω", "10", "9"]
WHOLE_GROUP = ["externalId", "displayName", "members.value", "members.type", "members.display", "meta"]
QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def person(chance: random.Random, number: int) -> make.Body:
    """A user with attributes by chance."""
    word = lambda: chance.choice(WORDS)  # noqa: E731
    entries = [
        {"value": word() or "v", "type": chance.choice(["work", "home", "other"]), "primary": index == 0 and chance.random() < 0.5}
        for index in range(chance.randrange(4))
    ]  # fmt: skip
    whole: make.Body = {
        "title": word(),
        "nickName": word(),
        "displayName": word(),
        "active": chance.random() < 0.7,
        "name": {"givenName": word(), "familyName": word()},
        "emails": entries,
        "roles": [{"value": word() or "r"} for _ in range(chance.randrange(2))],
        "x509Certificates": [{"value": chance.choice(["TUlJ", "QQ==", "dHVsag=="])}] if chance.random() < 0.4 else [],
        "addresses": [{"locality": word(), "type": "work"}] if chance.random() < 0.5 else [],
        ENTERPRISE: {"department": word(), "manager": {"value": word() or "m"}},
        "externalId": f"{word()}-{number}",
    }
    kept = {name: value for name, value in whole.items() if chance.random() < 0.6 and value != ""}
    return make.user(f"{word()}{number}", **kept)


def received(body: make.Body) -> make.Body:
    """A body as the endpoint reads it."""
    return read_json(orjson.dumps(body), RESOURCE)


@pytest.fixture(scope="module")
def service() -> ScimService:
    """What the library knows of our models."""
    return scim_service(b"secret")


@pytest.fixture(scope="module")
def storage(home: Folder, service: ScimService) -> Generator[tuple[adapter.StoreStorage, dict[str, list[Any]]]]:
    """Sixty users and twelve groups by chance, and how they are shown."""
    chance = random.Random(7643)
    organization = make.organization(make.settings(home), "whole-grammar")
    with adapter.opened(organization) as opened, service.provider:
        types = {name: service.get_resource_type(name) for name in KINDS}
        model = {name: kind.model for name, kind in KINDS.items()}
        made = [
            opened.create(types["User"], model["User"].model_validate(received(person(chance, n)))) for n in range(60)
        ]
        for number in range(12):
            chosen = [one.id or "" for one in chance.sample(made, chance.randrange(4))]
            body = make.group(f"{chance.choice(WORDS)}{number}", *chosen, *(["pending"] if number % 3 else []))
            opened.create(types["Group"], model["Group"].model_validate(received(body)))
        shown = {name: opened.search([types[name]], SearchRequest(start_index=1)).resources for name in KINDS}
        whole: Any = ResponseParameters(attributes=WHOLE_GROUP)  # `display` is returned on request
        shown["Group"] = [opened.get(types["Group"], one.id, response_parameters=whole) for one in shown["Group"]]
        yield opened, shown


def names(kind: Kind) -> list[str]:
    """Every attribute and sub-attribute of a kind."""
    left_out = ("password", "$ref", "meta.location", "meta.version")
    found = ["id", "schemas", "meta", *(str(path) for path in Path[kind.model].iter_paths())]  # type: ignore[misc]
    return sorted(name for name in found if not any(part in name for part in left_out))


def literal(value: Any) -> str:
    """A literal of the grammar."""
    return ScimFilter.quote(value)


OPERATORS = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ"])
VALUES = st.sampled_from(
    [*WORDS, True, False, None, "2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "User", "pending", "TUlJ", "QQ=="]
)


def filters(kind: Kind) -> st.SearchStrategy[str]:
    """Filters over the attributes of a kind; those that do not fit are refused by both sides."""
    name = st.sampled_from(names(kind))
    inner = st.sampled_from(
        ["value", "type", "primary", "display", "locality"] if kind.name == "user" else ["value", "type", "display"]
    )
    lists = st.sampled_from(
        ["emails", "roles", "addresses", "phoneNumbers", "x509Certificates"] if kind.name == "user" else ["members"]
    )
    term = st.one_of(
        st.builds(lambda n, op, v: f"{n} {op} {literal(v)}", name, OPERATORS, VALUES),
        st.builds(lambda n: f"{n} pr", name),
    )
    within = st.one_of(
        st.builds(lambda n, op, v: f"{n} {op} {literal(v)}", inner, OPERATORS, VALUES),
        st.builds(lambda n: f"not ({n} pr)", inner),
    )
    selected = st.builds(lambda n, a, j, b: f"{n}[{a} {j} {b}]", lists, within, st.sampled_from(["and", "or"]), within)
    return st.recursive(
        st.one_of(term, term, selected),
        lambda below: st.one_of(
            st.builds(lambda a, j, b: f"({a}) {j} ({b})", below, st.sampled_from(["and", "or", "AND"]), below),
            st.builds(lambda a: f"not ({a})", below),
        ),
        max_leaves=5,
    )


@pytest.mark.rfc("filter")
@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_filter_finds_what_the_librarys_match_finds(storage: Any, service: ScimService, kind: Kind) -> None:
    opened, shown = storage
    resource_type = service.get_resource_type(kind.scim_name)

    @settings(max_examples=150, deadline=None, suppress_health_check=QUIET, database=None)
    @example(text='externalId co "é"')
    @example(text="members.display eq null")
    @example(text="members.display ne null")
    @example(text="emails.display eq null")
    @given(text=filters(kind))
    def holds(text: str) -> None:
        with service.provider:
            try:
                asked = SearchRequest[kind.model](filter=text, start_index=1)  # type: ignore[name-defined]
            except ValueError:
                return  # both sides read filters by the same parser
            found = {one.id for one in opened.search([resource_type], asked).resources}
            assert found == {one.id for one in shown[kind.scim_name] if asked.filter.match(one)}, text

    holds()


MEMBERS = st.sampled_from(["a", "b", "c", "d", "e"])
SEVERAL = st.lists(MEMBERS, max_size=4)


def as_values(ids: list[str]) -> list[make.Body]:
    """Members as the RFC has them."""
    return [{"value": one} for one in ids]


# Each change: the operation, and what it does to a set.
CHANGES = st.one_of(
    SEVERAL.map(lambda ids: ({"op": "add", "path": "members", "value": as_values(ids)}, lambda s: s | set(ids))),
    SEVERAL.map(lambda ids: ({"op": "replace", "path": "members", "value": as_values(ids)}, lambda _: set(ids))),
    SEVERAL.map(lambda ids: ({"op": "Remove", "path": "members", "value": as_values(ids)}, lambda s: s - set(ids))),
    SEVERAL.map(lambda ids: ({"op": "add", "value": {"members": as_values(ids)}}, lambda s: s | set(ids))),
    SEVERAL.map(lambda ids: ({"op": "replace", "value": {"members": as_values(ids)}}, lambda _: set(ids))),
    MEMBERS.map(lambda one: ({"op": "remove", "path": f'members[value eq "{one}"]'}, lambda s: s - {one})),
    MEMBERS.map(lambda one: ({"op": "remove", "path": f'members[value ne "{one}"]'}, lambda s: s & {one})),
    MEMBERS.map(lambda one: ({"op": "remove", "path": f'members[value gt "{one}"]'}, lambda s: {m for m in s if m <= one})),
    st.just(({"op": "remove", "path": "members"}, lambda _: set())),
)  # fmt: skip


@pytest.mark.rfc("members")
def test_members_are_a_set_whatever_the_operations(home: Folder) -> None:
    organization = make.organization(make.settings(home), "members-are-a-set")
    store = Store(organization.settings.store_url)
    document = {"schemas": [make.GROUP], "displayName": "Team"}
    body = read_patch(TEAM, make.patch({"op": "remove", "path": "members"}), ANY)

    def begin(db: Any) -> Unit:
        return Unit.begin(db, organization.id, make.ACTOR)

    change = {"attributes": {}, "origin": "scim"}
    team = store.write(lambda db: resources.insert(begin(db), TEAM, document, writes._CREATED[TEAM], change, "team")).id

    @settings(max_examples=60, deadline=None, suppress_health_check=QUIET, database=None)
    @given(requests=st.lists(st.lists(CHANGES, min_size=1, max_size=4), min_size=1, max_size=4))
    def holds(requests: list[Any]) -> None:
        store.write(lambda db: writes.update(begin(db), TEAM, team, body))
        expected: set[str] = set()
        for changes in requests:
            edit = read_patch(TEAM, make.patch(*(operation for operation, _ in changes)), ANY)
            store.write(lambda db, edit=edit: writes.update(begin(db), TEAM, team, edit))
            for _, effect in changes:
                expected = effect(expected)
            there = store.read(lambda db: members.of_team(db, organization.id, team))
            assert {one["value"] for one in there} == expected

    try:
        holds()
    finally:
        store.close()
