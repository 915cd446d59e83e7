"""What is read without the library's models is what the library reads."""

from typing import Any

import make
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import ENTERPRISE, USER

from scim_app.directory import kinds
from scim_app.protocol import decode, plain
from scim_app.protocol.dialects import ANY, DIALECTS
from scim_app.store.resources.lookup import Stored

TEXTS = st.sampled_from(
    ["a", "Ada", "x y", "ada@example.com", "", " ", "é", "en-US", "work", "7", "A\tb", "\u200b", None, 1]
)
FLAGS = st.sampled_from([True, False, "True", "false", "x", None, 1])


def _some(**attributes: Any) -> Any:
    return st.fixed_dictionaries({}, optional=attributes)


NAME = _some(givenName=TEXTS, familyName=TEXTS, formatted=TEXTS, honorificPrefix=TEXTS, other=TEXTS)
EMAIL = _some(value=TEXTS, type=st.sampled_from(["work", "home", "other", "Work", "x"]), primary=FLAGS, display=TEXTS)
WORK = _some(department=TEXTS, employeeNumber=TEXTS, manager=st.sampled_from(["42", {"value": "42"}]))
BODIES = st.fixed_dictionaries(
    {
        "schemas": st.sampled_from([[USER], [USER, ENTERPRISE], [ENTERPRISE, USER], []]),
        "userName": st.sampled_from(["ada@example.com", "a", "", "É", None]),
    },
    optional={
        **dict.fromkeys(("externalId", "displayName", "title", "locale", "timezone", "UserType", "nonsense"), TEXTS),
        "active": FLAGS,
        "name": NAME,
        "emails": st.lists(EMAIL, max_size=2),
        ENTERPRISE: WORK,
        "id": st.just("made-up"),
        "meta": st.just({"resourceType": "User"}),
        "groups": st.just([{"value": "g"}]),
        "password": st.just("secret"),
    },
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "Replace", "replace", "remove", "x"])},
        optional={
            "path": st.sampled_from(
                ["active", "title", "displayName", "name.givenName", "emails", "userName", "Title"]
            ),
            "value": TEXTS | FLAGS | _some(active=FLAGS, title=TEXTS, displayName=TEXTS, userName=TEXTS),
        },
    ),
    min_size=1,
    max_size=3,
)
HELD = {"schemas": [USER], "id": "1", "userName": "ada@example.com", "displayName": "Ada", "title": "T", "active": True}


def _stored(document: dict[str, Any]) -> Stored:
    return Stored("1", 1, 1, "scim", "", "", orjson.dumps(document).decode())


def _outcome(read: Any) -> Any:
    """What was read, keys in order, or why not."""
    try:
        return repr(read())
    except Exception as problem:
        return type(problem)


def _without_plain(read: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patched:
        patched.setattr(plain, "user", lambda _: None)
        patched.setattr(plain, "changes", lambda *_: None)
        return _outcome(read)


@settings(max_examples=400, deadline=None)
@given(body=BODIES)
def test_a_plain_body_is_the_document_that_the_library_makes_of_it(body: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        read = lambda: decode.read_creation(kinds.USER, body, ANY)  # noqa: E731
        assert _outcome(read) == _without_plain(read, monkeypatch)
        put = lambda: decode.read_replacement(kinds.USER, body, ANY)(None, _stored(HELD))[0]  # noqa: E731
        assert _outcome(put) == _without_plain(put, monkeypatch)


@settings(max_examples=400, deadline=None)
@given(operations=OPERATIONS, dialect=st.sampled_from([ANY, *DIALECTS]))
def test_a_plain_patch_makes_the_document_that_the_library_makes(operations: list[Any], dialect: Any) -> None:
    body = make.patch(*operations)
    with pytest.MonkeyPatch.context() as monkeypatch:
        read = lambda: decode.read_patch(kinds.USER, body, dialect)(None, _stored(HELD))[0]  # noqa: E731
        assert _outcome(read) == _without_plain(read, monkeypatch)


@pytest.mark.parametrize(
    "body",
    [
        make.user(
            "ada@example.com", name={"givenName": "Ada"}, emails=[{"value": "a", "type": "work", "primary": True}]
        ),
        make.user("a", **{"schemas": [USER, ENTERPRISE], ENTERPRISE: {"department": "Data"}}, id="1", meta={}),
    ],
)
def test_what_okta_sends_is_plain(body: dict[str, Any]) -> None:
    assert plain.user(body) is not None


def test_what_entra_and_okta_send_to_disable_is_plain() -> None:
    for operation in (
        {"op": "replace", "value": {"active": False}},
        {"op": "Replace", "path": "active", "value": "False"},
    ):
        assert plain.changes(kinds.USER, make.patch(operation)) == {"active": False}
