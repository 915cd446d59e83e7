"""PATCH of a user, operation by operation: what was, what is asked, what is (RFC 7644 §3.5.2)."""

# ruff: noqa: E501

from typing import Any

import make
import orjson
import pytest
from pydantic import ValidationError
from scim2_models import SCIMException

from scim_app.directory.kinds import ENTERPRISE, USER
from scim_app.protocol.decode import read_creation, read_patch
from scim_app.protocol.dialects import ANY, DIALECTS, STRICT, Dialect, dialect_of
from scim_app.protocol.wire import scim_error
from scim_app.store.resources.lookup import Stored

WORK = {"type": "work", "value": "ada@work.example", "primary": True}
HOME = {"type": "home", "value": "ada@home.example"}
BEFORE = {
    "schemas": [make.USER],
    "id": "1",
    "userName": "ada",
    "active": True,
    "title": "Engineer",
    "name": {"givenName": "Ada", "familyName": "King"},
    "emails": [WORK, HOME],
}


def patched(*operations: dict[str, Any], dialect: Dialect = STRICT, before: dict[str, Any] = BEFORE) -> dict[str, Any]:
    """The document after a PATCH, without what the server owns."""
    stored = Stored("1", 1, 1, "scim", "", "", orjson.dumps(before).decode())
    document, _ = read_patch(USER, make.patch(*operations), dialect)(None, stored)  # type: ignore[arg-type]
    return {name: value for name, value in document.items() if name != "schemas"}


def op(name: str, path: str | None = None, *value: Any) -> dict[str, Any]:
    """An operation; without a value when none is given."""
    return {"op": name} | ({"path": path} if path else {}) | ({"value": value[0]} if value else {})


def after(**changed: Any) -> dict[str, Any]:
    """The user with some attributes changed; None takes one out."""
    whole = {**BEFORE, **changed}
    return {name: value for name, value in whole.items() if value is not None and name not in ("schemas", "id")}


@pytest.mark.rfc("patch-add")
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (op("add", "nickName", "Countess"), after(nickName="Countess")),
        (op("add", "title", "Lead"), after(title="Lead")),
        (op("add", None, {"nickName": "C", "title": "Lead"}), after(nickName="C", title="Lead")),
        (op("add", "name", {"middleName": "B"}), after(name={"givenName": "Ada", "familyName": "King", "middleName": "B"})),
        (op("add", "name.middleName", "B"), after(name={"givenName": "Ada", "familyName": "King", "middleName": "B"})),
        (op("add", "emails", [{"type": "other", "value": "a@x.example"}]), after(emails=[WORK, HOME, {"type": "other", "value": "a@x.example"}])),
        (op("add", "emails", {"type": "other", "value": "a@x.example"}), after(emails=[WORK, HOME, {"type": "other", "value": "a@x.example"}])),
        (op("add", "emails", [HOME]), after()),
        (op("add", "emails", [{**HOME, "primary": True}]), after(emails=[{**WORK, "primary": False}, {**HOME, "primary": True}])),
        (op("add", 'emails[type eq "home"].display', "Home"), after(emails=[WORK, {**HOME, "display": "Home"}])),
        (op("add", f"{ENTERPRISE}:department", "Maths"), after(**{ENTERPRISE: {"department": "Maths"}})),
        (op("add", ENTERPRISE, {"department": "Maths"}), after(**{ENTERPRISE: {"department": "Maths"}})),
        (op("add", f"{make.USER}:nickName", "Countess"), after(nickName="Countess")),
        (op("add", "NICKNAME", "Countess"), after(nickName="Countess")),
        (op("add", None, {f"{ENTERPRISE}:department": "Maths", "name.givenName": "A"}), after(name={"givenName": "A", "familyName": "King"}, **{ENTERPRISE: {"department": "Maths"}})),
    ],
)  # fmt: skip
def test_add(operation: dict[str, Any], expected: dict[str, Any]) -> None:
    assert patched(operation) == expected


@pytest.mark.rfc("patch-remove")
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (op("remove", "title"), after(title=None)),
        (op("remove", "nickName"), after()),
        (op("remove", "name.familyName"), after(name={"givenName": "Ada"})),
        (op("remove", "name"), after(name=None)),
        (op("remove", "emails"), after(emails=None)),
        (op("remove", 'emails[type eq "home"]'), after(emails=[WORK])),
        (op("remove", 'emails[type eq "work" and value ew "work.example"]'), after(emails=[HOME])),
        (op("remove", 'emails[type eq "work"].primary'), after(emails=[{k: v for k, v in WORK.items() if k != "primary"}, HOME])),
        (op("remove", 'emails[type pr]'), after(emails=None)),
        (op("remove", 'emails[type eq "fax"]'), after()),
    ],
)  # fmt: skip
def test_remove(operation: dict[str, Any], expected: dict[str, Any]) -> None:
    assert patched(operation) == expected


@pytest.mark.rfc("patch-replace")
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (op("replace", "title", "Lead"), after(title="Lead")),
        (op("replace", "nickName", "Countess"), after(nickName="Countess")),
        (op("replace", "title", None), after(title=None)),
        (op("replace", None, {"title": "Lead", "active": False}), after(title="Lead", active=False)),
        (op("replace", "name", {"givenName": "A"}), after(name={"givenName": "A", "familyName": "King"})),
        (op("replace", "emails", [HOME]), after(emails=[HOME])),
        (op("replace", "emails", [HOME, {**HOME, "type": "Home", "display": "H"}]), after(emails=[{**HOME, "type": "home", "display": "H"}])),
        (op("replace", "emails", []), after(emails=None)),
        (op("replace", 'emails[type eq "home"].value', "a@h.example"), after(emails=[WORK, {**HOME, "value": "a@h.example"}])),
        (op("replace", 'emails[type eq "home"]', {"value": "a@h.example"}), after(emails=[WORK, {**HOME, "value": "a@h.example"}])),
        (op("replace", 'emails[value co "ada"].type', "other"), after(emails=[{**WORK, "type": "other"}, {**HOME, "type": "other"}])),
        (op("replace", 'emails[type eq "home"].primary', True), after(emails=[{**WORK, "primary": False}, {**HOME, "primary": True}])),
        (op("replace", None, {"id": "1", "title": "Lead"}), after(title="Lead")),
    ],
)  # fmt: skip
def test_replace(operation: dict[str, Any], expected: dict[str, Any]) -> None:
    assert patched(operation) == expected


@pytest.mark.rfc("patch-order")
def test_operations_are_applied_in_order_and_together() -> None:
    changed = patched(op("remove", "emails"), op("add", "emails", [HOME]), op("replace", 'emails[type eq "home"].value', "x@y.example"))  # fmt: skip
    assert changed == after(emails=[{**HOME, "value": "x@y.example"}])


@pytest.mark.rfc("patch-refused")
@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        (op("remove"), "noTarget"),
        (op("replace", 'emails[type eq "fax"].value', "x"), "noTarget"),
        (op("replace", 'emails[value eq "x"].type', "work"), "noTarget"),
        (op("remove", "userName"), "mutability"),
        (op("replace", "id", "2"), "mutability"),
        (op("replace", "groups", [{"value": "1"}]), "mutability"),
        (op("add", "meta.created", "2020-01-01T00:00:00Z"), "mutability"),
        (op("replace", "nothing", 1), "invalidPath"),
        (op("replace", "name.nothing", 1), "invalidPath"),
        (op("replace", "emails[type eq", 1), "invalidPath"),
        (op("replace", "title.x", 1), "invalidPath"),
        (op("replace", "urn:none:attribute", 1), "invalidPath"),
        (op("add", "title"), "invalidValue"),
        (op("replace", "title"), "invalidValue"),
        (op("replace", "active", "Disabled"), "invalidValue"),
        (op("replace", "title", ["a"]), "invalidValue"),
        (op("replace", "emails", "ada@example.com"), "invalidValue"),
        (op("replace", None, {"nothing": 1}), "invalidValue"),
        (op("replace", None, "text"), "invalidValue"),
        (op("replace", "userName", ""), "invalidValue"),
        (op("replace", "userName", "a\u200bda"), "invalidValue"),
        (op("move", "title", "x"), "invalidValue"),
        (op("add", "emails", [{"value": "a", "primary": True}, {"value": "b", "primary": True}]), "invalidValue"),
        (op("remove", "emails", [HOME]), "invalidValue"),
        (op("remove", "title", "Engineer"), "invalidValue"),
    ],
)
def test_what_can_not_be_done_is_refused(operation: dict[str, Any], scim_type: str) -> None:
    with pytest.raises((SCIMException, ValidationError)) as refused:
        patched(operation)
    error = scim_error(refused.value)
    assert error is not None
    assert (error.status, error.scim_type) == (400, scim_type)
    assert "\n" not in str(error), "an admin reads this, not a programmer"


@pytest.mark.rfc("patch-tolerated")
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (op("Replace", "active", "False"), after(active=False)),
        (op("Add", "active", "false"), after(active=False)),
        (op("Add", 'phoneNumbers[type eq "mobile"].value', "+1"), after(phoneNumbers=[{"type": "mobile", "value": "+1"}])),
        (op("Add", 'roles[primary eq "True"].value', "Editor"), after(roles=[{"primary": True, "value": "Editor"}])),
        (op("Replace", f"{ENTERPRISE}:manager", "42"), after(**{ENTERPRISE: {"manager": {"value": "42"}}})),
        (op("remove", "emails", [HOME]), after(emails=[WORK])),
        (op("Remove", 'emails[type eq "home"].value', "other@home.example"), after(emails=[WORK])),
        (op("Remove", "title", "Engineer"), after(title=None)),
        (op("replace", "nickName", ""), after()),
    ],
)  # fmt: skip
def test_what_identity_providers_send_is_understood(operation: dict[str, Any], expected: dict[str, Any]) -> None:
    changed = patched(operation, dialect=ANY)
    assert {name: value for name, value in changed.items() if value != ""} == expected


@pytest.mark.parametrize(
    "path",
    ['phoneNumbers[type eq "fax"].value', 'roles[primary eq "True"].value', 'addresses[type eq "home"].locality'],
)
def test_a_null_where_nothing_matches_changes_nothing(path: str) -> None:
    for dialect in (dialect_of("entra", None), ANY):
        assert patched(op("replace", path, None), dialect=dialect) == after()


def test_an_element_whose_value_was_cleared_is_gone() -> None:
    for dialect in (*DIALECTS, ANY):
        path = 'emails[type eq "work"].value'
        assert patched(op("replace", path, None), dialect=dialect) == after(emails=[HOME])
        assert patched(op("remove", path), dialect=dialect) == after(emails=[HOME])
        both = (op("remove", path), op("remove", 'emails[type eq "home"].value'))
        assert patched(*both, dialect=dialect) == after(emails=None)


def test_elements_that_say_nothing_are_left_out_of_whole_resources_too() -> None:
    emails = [{"type": "work", "primary": True, "value": None}, {"type": "home", "display": "x"}]
    roles = [{"display": "Reader", "primary": True}, {"type": "t"}]
    sent = make.user("ada", emails=emails, roles=roles, phoneNumbers=[{"type": "work"}])
    document, _ = read_creation(USER, sent, STRICT)
    assert document == {"schemas": [make.USER], "userName": "ada", "active": True, "roles": roles[:1]}
    document, _ = read_creation(USER, make.user("ada", emails=[{"type": "work"}]), STRICT)
    assert "emails" not in document
