"""Filters and paths by chance: mostly of the grammar of RFC 7644 §3.4.2.2, sometimes nearly."""

# ruff: noqa: E501

import json
import random
from collections.abc import Callable

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ATTRIBUTES = (
    *("id", "externalId", "userName", "displayName", "name", "name.givenName", "emails", "emails.value", "emails.type"),
    *(
        "emails.primary",
        "active",
        "title",
        "meta",
        "meta.created",
        "meta.lastModified",
        "meta.version",
        "meta.location",
    ),
    *(
        "schemas",
        "groups",
        "groups.value",
        "groups.$ref",
        "members",
        "members.value",
        "members.type",
        "members.display",
    ),
    *(
        "roles",
        "roles.primary",
        "addresses",
        "addresses.formatted",
        "photos.value",
        "x509Certificates.value",
        "password",
    ),
    *(
        "ims",
        "entitlements.value",
        "phoneNumbers",
        "profileUrl",
        "locale",
        "nickName",
        f"{ENTERPRISE}:manager",
        "manager",
    ),
    *(f"{ENTERPRISE}:manager.value", f"{ENTERPRISE}:manager.displayName", f"{ENTERPRISE}:department", ENTERPRISE, CORE),
    *(
        f"{CORE}:userName",
        "nothing",
        "emails.value.more",
        "user name",
        "$ref",
        "",
        "urn:x:y",
        "USERNAME",
        "members.$ref",
    ),
)
OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ", "xx", "pr")
LITERALS = ('"ada"', '"work"', '""', "true", "false", "null", "1", "-1.5e3", "1e400", '"\\u0000"', '"\\ud800"', '"%"', "work",
            '"2026-01-01T00:00:00Z"', '"2026-13-99"', '"W/\\"1\\""', "9999999999999999999999", '"\\\\"', "True", '"', "''")  # fmt: skip


def attribute(chance: random.Random) -> str:
    """An attribute's name, or something like one."""
    return chance.choice(ATTRIBUTES)


def _term(chance: random.Random, given_id: Callable[[], str]) -> str:
    operator = chance.choice(OPERATORS)
    if operator == "pr":
        return f"{attribute(chance)} pr"
    literal = json.dumps(given_id()) if chance.random() < 0.2 else chance.choice(LITERALS)
    return f"{attribute(chance)} {operator} {literal}"


def filter_(chance: random.Random, given_id: Callable[[], str], depth: int = 0) -> str:
    """A filter, now and then with a piece missing."""
    roll = chance.random()
    if depth > 3 or roll < 0.5:
        text = _term(chance, given_id)
    elif roll < 0.7:
        text = f" {chance.choice(['and', 'or', 'AND'])} ".join(filter_(chance, given_id, depth + 1) for _ in range(2))
    elif roll < 0.8:
        text = f"not ({filter_(chance, given_id, depth + 1)})"
    elif roll < 0.9:
        text = f"{attribute(chance)}[{filter_(chance, given_id, depth + 2)}]"
    else:
        text = f"({filter_(chance, given_id, depth + 1)})"
    if chance.random() < 0.02 and text:
        at = chance.randrange(len(text))
        text = text[:at] + text[at + 1 :]
    return text


def path(chance: random.Random, given_id: Callable[[], str]) -> str:
    """The path of a PATCH operation."""
    text = attribute(chance)
    if chance.random() < 0.4:
        text += f"[{filter_(chance, given_id, 3)}]"
        if chance.random() < 0.5:
            text += f".{attribute(chance)}"
    return text
