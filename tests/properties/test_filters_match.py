"""SQL filters find what the library's own in-memory match finds."""

from typing import Any

import httpx
import make
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from make import ENTERPRISE, Organization, Service
from scim2_models import SCIMException, ScimFilter

from scim_app.directory.kinds import USER

PEOPLE = [
    make.user(
        "ada@example.com", title="Engineer", nickName="ADA", emails=[{"value": "ada@example.com", "type": "work"}]
    ),
    make.user("Bob@Example.com", active=False, name={"familyName": "Stein", "givenName": "Bob"}),
    make.user(
        "straße@example.com",
        displayName='100% _sure_ \\ "quoted"',
        emails=[
            {"value": "s@work.example", "type": "work", "primary": True},
            {"value": "s@home.example", "type": "home"},
        ],
    ),
    make.user("dee", **{"schemas": [make.USER, ENTERPRISE], ENTERPRISE: {"department": "Data", "employeeNumber": "7"}}),
    make.user("eve", **{"schemas": [make.USER, ENTERPRISE], ENTERPRISE: {"manager": {"value": "42"}}}, title="data"),
    make.user("fay", externalId="Ext-1", title="", emails=[]),
]

TEXTS = st.sampled_from(
    [
        "ada@example.com",
        "ADA",
        "bob@example.com",
        "S@home.example",
        "s@work.example",
        "stein",
        "data",
        "Data",
        "100%",
        "_",
        "\\",
        "work",
        "7",
        "42",
        "",
        "s",
    ]
)
PATHS = st.sampled_from(
    [
        *("userName", "title", "nickName", "displayName", "externalId", "name.familyName", "emails", "emails.value"),
        *(
            "emails.type",
            f"{ENTERPRISE}:department",
            f"{ENTERPRISE}:manager.value",
            "urn:ietf:params:scim:schemas:core:2.0:User:userName",
        ),
    ]
)
STRING_OPERATORS = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


COMPARISONS = st.one_of(
    st.builds(lambda path, op, text: f"{path} {op} {_quoted(text)}", PATHS, STRING_OPERATORS, TEXTS),
    st.builds(lambda path: f"{path} pr", PATHS),
    st.builds(
        lambda op, value: f"active {op} {value}", st.sampled_from(["eq", "ne"]), st.sampled_from(["true", "false"])
    ),
    st.builds(lambda path: f"{path} eq null", PATHS),
    st.builds(
        lambda op, text, joined, kind: f"emails[value {op} {_quoted(text)} {joined} type eq {_quoted(kind)}]",
        *(STRING_OPERATORS, TEXTS, st.sampled_from(["and", "or"]), st.sampled_from(["work", "home"])),
    ),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda a, joined, b: f"({a}) {joined} ({b})", inner, st.sampled_from(["and", "or"]), inner),
        st.builds(lambda a: f"not ({a})", inner),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def population(service: Service, tmp_path_factory: pytest.TempPathFactory, home: Any) -> Any:
    """A client of an organization that holds `PEOPLE`, and what the server says of them."""
    organization: Organization = make.organization(make.settings(home), "filters")
    with organization.client(service.address) as client:
        for person in PEOPLE:
            assert client.post("/Users", json=person).status_code == 201
        shown = client.get("/Users").json()["Resources"]
        yield client, [USER.model.model_validate(one) for one in shown]


@pytest.mark.rfc("filter")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=FILTERS)
@example(text='not (title eq "data")')
@example(text="title ne null")
@example(text='emails.type lt "S@home.example"')
def test_a_filter_finds_what_the_librarys_match_finds(population: tuple[httpx.Client, list[Any]], text: str) -> None:
    client, resources = population
    answer = client.get("/Users", params={"filter": text})
    assert _found(answer) == _matching(text, resources)


def _found(answer: httpx.Response) -> set[str] | tuple[int, str]:
    if answer.is_success:
        return {one["id"] for one in answer.json()["Resources"]}
    return answer.status_code, answer.json()["scimType"]


def _matching(text: str, resources: list[Any]) -> set[str] | tuple[int, str]:
    try:
        return {one.id for one in resources if ScimFilter[USER.model](text).match(one)}
    except SCIMException as refused:
        return refused.status, refused.scim_type
