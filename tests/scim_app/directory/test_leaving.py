"""Whom a request tells to leave, in every form that identity providers send."""

import json
from typing import Any

import pytest
from make import ENTERPRISE, USER, deactivate, patch, user

from scim_app.directory.leaving import asked_to_leave, asks_to_leave

CORE_1, CORE_2 = "urn:scim:schemas:core:1.0", "urn:ietf:params:scim:schemas:core:2.0"
TITLE = {"op": "replace", "path": "title", "value": "x"}


def setting(value: Any, path: Any = "active", op: str = "replace") -> dict[str, Any]:
    """An operation that sets something."""
    return {"op": op, "path": path, "value": value}


@pytest.mark.parametrize(
    "body",
    [
        *(patch(setting(value)) for value in (False, "False", "FALSE", "no", "N", "off", "0", "f", " false ", 0, 0.0)),
        *(
            patch(setting(value))
            for value in ([False], ["False"], {"value": False}, [{"$ref": None, "value": "False"}])
        ),
        *(patch(setting(False, path)) for path in ("Active", " active ", f"{USER}:active", f"{CORE_1}:active")),
        *(patch(setting(False, path.upper())) for path in (f"{USER}:active", f"{CORE_2}:active")),
        *(patch(setting({"Active": "no"}, path)) for path in (None, "", USER, CORE_2)),
        *(patch(setting(False, op=op)) for op in ("add", "Replace", "ADD", "upsert")),
        deactivate(),
        patch({"op": "replace", "value": {f"{USER}:active": False}}),
        patch({"op": "replace", "value": {USER: {"active": False}}}),
        patch({"op": "replace", "value": [{"active": False}]}),
        patch({"op": "replace", "value": {"active": False, "samAccountName": "a", "name": 7}}),
        patch({"value": {"active": False}}),
        patch(TITLE, setting(False), {"op": "remove"}),
        patch(setting(True), setting(False)),
        patch(setting(False), setting("perhaps")),
        {"schemas": None, "operations": [{"OP": "replace", "Path": "active", "VALUE": False}, 7, None]},
        {"Operations": {"op": "replace", "path": "active", "value": False}},
        {"active": False},
    ],
    ids=lambda body: json.dumps(body)[-90:],
)
def test_a_patch_that_leaves_active_false_tells_to_leave(body: dict[str, Any]) -> None:
    assert asks_to_leave("PATCH", body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        patch(),
        patch(TITLE),
        patch(setting(True)),
        patch(setting("True"), setting("yes")),
        patch(setting(None)),
        patch(setting("perhaps"), setting([]), setting({}), setting([False, False])),
        patch(setting(False), setting(True)),
        patch(setting(False), {"op": "remove", "path": "active"}),
        patch({"op": "remove", "path": "active", "value": False}),
        patch({"op": "remove", "value": {"active": False}}),
        patch(setting(False, f"{ENTERPRISE}:active"), setting(False, "emails.primary"), setting(False, "inactive")),
        patch(setting({"active": False}, "name"), {"op": "replace", "value": {ENTERPRISE: {"active": False}}}),
        {"Operations": [["op", "replace"], "active"]},
        {"Operations": "active"},
    ],
    ids=lambda body: json.dumps(body)[-90:],
)
def test_anything_else_tells_nobody_to_leave(body: dict[str, Any]) -> None:
    assert not asks_to_leave("PATCH", body)


@pytest.mark.parametrize("value", [False, "False", "no", 0, [False]])
def test_a_put_tells_by_its_attribute(value: Any) -> None:
    assert asks_to_leave("put", user("ada", active=value, externalId=7, profileUrl="www"))
    assert asks_to_leave("PUT", {"schemas": 7, f"{USER}:ACTIVE": value})


def test_a_put_without_the_attribute_or_another_method_tells_nobody() -> None:
    assert not asks_to_leave("PUT", {"userName": "ada"})
    assert not asks_to_leave("POST", {"active": False})


def test_a_delete_tells_to_leave() -> None:
    assert asks_to_leave("DELETE", {})


def test_a_deeply_nested_body_is_read() -> None:
    body: Any = {"active": False}
    for _ in range(900):
        body = {USER: [body], "value": [body]}
    assert not asks_to_leave("PUT", body)


@pytest.mark.parametrize(
    ("method", "change", "told"),
    [
        ("PATCH", {"request": patch(setting("no")), "asked_to_leave": True}, True),
        ("PATCH", {"request": deactivate(), "asked_to_leave": False}, False),
        ("PATCH", {"request": patch(setting("no"))}, True),
        ("PATCH", {"request": {"characters": 9000}}, False),
        ("DELETE", {"request": {}}, True),
        ("DELETE", None, True),
        ("PUT", {"request": {"title": "x"}}, False),
    ],
)
def test_a_refused_write_says_so_itself_and_an_older_one_by_its_request(method: str, change: Any, told: bool) -> None:
    row = {"type": "write.rejected", "subject_kind": "user", "subject_id": "u1", "method": method}
    row["change"] = json.dumps(change) if change else None  # type: ignore[assignment]
    assert asked_to_leave(row) is told
    assert asked_to_leave({**row, "subject_kind": "team"}) is None
    assert asked_to_leave({**row, "type": "user.deleted"}) is None
