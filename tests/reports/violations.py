"""Violations of each control test and cases that are alike, planted in a period: what `test_controls.py` builds."""

from collections.abc import Callable
from typing import Any

from reports.planted import Org

from scim_app.store.log.actors import KEY

FIRST, LAST = "2026-07-01", "2026-09-30"
Plan = Callable[[Org], object]


def keeps(by: str, count: int, seconds: int, *revoked: int) -> list[dict[str, Any]]:
    """Decisions of a reviewer, one after the other."""
    return [
        {
            "user": f"u{number}",
            "by": by,
            "at": f"2026-08-01T10:{number * seconds // 60:02}:{number * seconds % 60:02}",
            "decision": "revoke" if number in revoked else "keep",
        }
        for number in range(count)
    ]


def together(*steps: Plan) -> Plan:
    """All of these."""
    return lambda org: [step(org) for step in steps]


def user(name: str = "ada", at: str = "2026-07-10", **told: Any) -> Plan:
    return lambda org: org.user(at, name, **told)


def member(team: str = "Data", at: str = "2026-07-11", removed: str | None = None, actor: str = "token") -> Plan:
    def plan(org: Org) -> None:
        org.team(at, team, ["ada"], actor=actor)
        if removed:
            org.team(removed, team, (), ["ada"])

    return plan


def granted(holder: str = "user:ada", at: str = "2026-07-12", until: str | None = None, **told: Any) -> Plan:
    def plan(org: Org) -> None:
        org.grant(at, f"g-{holder}", holder, **told)
        if until:
            org.revoke(until, f"g-{holder}")

    return plan


def left(at: str = "2026-07-20", name: str = "ada") -> Plan:
    return lambda org: org.user(at, name, "deactivated", active=False)


def did(name: str, *given: Any, **told: Any) -> Plan:
    return lambda org: getattr(org, name)(*given, **told)


def key(name: str, actor: str = "ada") -> Plan:
    """Somebody makes an API key; the log names it by its id with a word before it."""
    return did("add", "api_key.created", "2026-07-11", name, actor=actor)


JOB = {"attributes": {"title": {"before": "Analyst", "after": "Lead"}}}
moved = user(at="2026-07-20", type_="updated", change=JOB)
CASES: dict[str, tuple[tuple[str, Plan], ...]] = {
    "leavers_lose_access_in_time": (
        ("fail", together(user(), did("asked", "2026-07-15", "ada"), left())),
        ("pass", together(user(), left())),
        ("no occurrence", together(user(at="2026-03-01"), did("asked", "2026-03-05", "ada"), left("2026-03-20"))),
    ),
    "nobody_holds_access_after_leaving": (
        ("fail", together(user(), member(removed="2026-08-20"), left())),
        ("fail", together(user(), granted(), left())),
        ("fail", together(user(), granted(until="2026-08-20"), left())),
        ("pass", together(user(), member(removed="2026-07-22"), granted(until="2026-07-21"), left())),
        ("no occurrence", together(user(), member())),
    ),
    "refused_deactivations_are_repaired": (
        ("fail", together(user(), did("asked", "2026-07-15", "ada"))),
        ("fail", together(user(at="2026-03-01"), did("asked", "2026-03-05", "ada"))),
        ("pass", together(user(), did("asked", "2026-07-15", "ada"), left())),
        ("no occurrence", user()),
    ),
    "movers_give_up_old_teams": (
        ("fail", together(user(), member(), moved)),
        ("fail", together(user(), member(removed="2026-08-20"), moved)),
        ("pass", together(user(), member(removed="2026-07-24"), moved)),
        ("no occurrence", together(user(), member())),
    ),
    "accounts_come_from_the_identity_provider": (
        ("fail", user(origin="local")),
        ("fail", together(user(origin="local"), left("2026-08-01"))),
        ("pass", user()),
        ("no occurrence", together(user(at="2026-03-01", origin="local"), left("2026-03-20"))),
    ),
    "dormant_accounts_are_disabled": (
        ("fail", user(at="2026-06-01")),
        ("fail", together(user(at="2026-05-01"), left("2026-08-20"))),
        ("pass", user(at="2026-08-01")),
        (
            "pass",
            together(user(at="2026-05-01"), did("add", "session.started", "2026-07-10", "s1", actor="ada", idp=None)),
        ),
    ),
    "privileged_access_is_justified": (
        ("fail", together(user(), granted(reason=None))),
        ("fail", together(user(), granted(reason="  ", until="2026-08-01"))),
        ("pass", together(user(), granted())),
        ("no occurrence", together(user(), granted(role="editor", reason=None))),
    ),
    "privileged_access_is_granted_by_others": (
        ("fail", together(user(), granted(by="ada"))),
        ("fail", together(user(), granted(by="ada", until="2026-07-13"))),
        ("fail", together(user(), member(), granted("team:Data", by="ada"))),
        ("fail", together(user(), granted("team:Data"), member(at="2026-07-14", actor="ada"))),
        ("fail", together(user(), key("k1"), granted(by=f"{KEY}k1"))),
        ("fail", together(user(), key("k1"), granted("team:Data"), member(at="2026-07-14", actor=f"{KEY}k1"))),
        ("pass", together(user(), key("k1", actor="bob"), granted(by=f"{KEY}k1"))),
        ("fail", together(user("7f/Ada@example.com"), granted("user:7f", by="ada@example.com"))),
        ("pass", together(user(), granted(by="bob"))),
        ("pass", together(user("7f/ada@example.com"), user("8e/ada@example.org"), granted("user:7f", by="8e"))),
        ("no occurrence", together(user(), granted(role="editor", by="ada"))),
    ),
    "access_is_reviewed_each_quarter": (
        ("fail", did("review", "Q1", "2026-03-01", "2026-03-20")),
        ("pass", did("review", "Q3", "2026-08-01", "2026-08-20")),
    ),
    "reviews_are_complete": (
        ("fail", did("review", "Q3", "2026-08-01", "2026-08-20", [{"user": "ada"}])),
        ("pass", did("review", "Q3", "2026-08-01", "2026-08-20", keeps("bob", 1, 9))),
        ("no occurrence", did("review", "Q1", "2026-03-01", "2026-03-20", [{"user": "ada"}])),
    ),
    "reviewers_are_independent": (
        ("fail", did("review", "Q3", "2026-08-01", "2026-08-20", keeps("u0", 1, 9))),
        ("pass", did("review", "Q3", "2026-08-01", "2026-08-20", keeps("bob", 1, 9))),
        ("no occurrence", did("review", "Q3", "2026-08-01", None, [{"user": "u0", "by": "u0"}])),
    ),
    "reviews_are_not_rubber_stamps": (
        ("fail", did("review", "Q3", "2026-08-01", "2026-08-20", keeps("bob", 20, 1))),
        ("fail", did("review", "Q3", "2026-08-01", "2026-08-20", [*keeps("bob", 20, 1), *keeps("eve", 3, 60, 1)])),
        ("fail", did("review", "Q3", "2026-08-01", "2026-08-20", keeps("bob", 40, 1, 7))),
        ("pass", did("review", "Q3", "2026-08-01", "2026-08-20", keeps("bob", 20, 30))),
        ("pass", did("review", "Q3", "2026-08-01", "2026-08-20", [*keeps("bob", 19, 1), *keeps("eve", 19, 1)])),
    ),
    "revoked_access_is_gone": (
        ("fail", together(user(), did("review", "Q3", "2026-08-01", "2026-08-20", keeps("bob", 1, 9, 0)))),
        (
            "fail",
            together(
                user("u0"),
                did("review", "Q3", "2026-08-01", "2026-08-20", keeps("bob", 1, 9, 0)),
                left("2026-09-20", "u0"),
            ),
        ),
        (
            "pass",
            together(
                user("u0"),
                did("review", "Q3", "2026-08-01", "2026-08-20", keeps("bob", 1, 9, 0)),
                left("2026-08-22", "u0"),
            ),
        ),
        ("no occurrence", did("review", "Q3", "2026-08-01", "2026-08-20", keeps("bob", 1, 9))),
    ),
    "tokens_are_current": (
        ("fail", did("token", "2026-07-05", "t1", expires="2026-08-01")),
        ("fail", did("token", "2026-07-05", "t1", expires="2026-08-01", revoked="2026-09-01")),
        ("fail", did("token", "2026-04-10", "t1", expires="2027-01-01", revoked="2026-09-01")),
        ("pass", did("token", "2026-07-05", "t1", expires="2026-08-01", revoked="2026-08-03")),
        ("no occurrence", did("token", "2026-03-05", "t1", expires="2026-04-01", revoked="2026-05-01")),
    ),
    "exceptions_are_current": (
        ("fail", did("excuse", "x1", "dormant_accounts_are_disabled", "ada", "2026-07-01", "2026-08-01")),
        (
            "fail",
            did("excuse", "x1", "dormant_accounts_are_disabled", "ada", "2026-07-01", "2026-08-01", ended="2026-08-20"),
        ),
        ("fail", did("excuse", "x1", "dormant_accounts_are_disabled", "ada", "2026-07-01", "2027-01-01", by="Boss")),
        (
            "pass",
            together(
                did("excuse", "x1", "dormant_accounts_are_disabled", "ada", "2026-05-01", "2026-08-01"),
                did("excuse", "x2", "dormant_accounts_are_disabled", "ada", "2026-07-20", "2026-12-01"),
            ),
        ),
        (
            "pass",
            together(
                did("excuse", "x1", "dormant_accounts_are_disabled", "ada", "2026-02-01", "2026-05-01"),
                did("excuse", "x2", "dormant_accounts_are_disabled", "ada", "2026-05-20", "2026-12-01"),
            ),
        ),
        (
            "no occurrence",
            did("excuse", "x1", "tokens_are_current", "t", "2026-02-01", "2026-04-01", ended="2026-03-01"),
        ),
    ),
    "event_log_is_whole": (
        ("fail", user("tampered")),
        ("pass", user()),
    ),
}
