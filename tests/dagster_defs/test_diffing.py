"""Joiners, movers and leavers are read off the log as an auditor would."""

from typing import Any

from make import ENTERPRISE

from dagster_defs.diffing import access_changes, deprovisioned


class Log:
    """Writes events as the store has them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(
        self, type_: str, subject: str, document: dict[str, Any] | None, change: dict[str, Any] | None = None
    ) -> None:
        seq = len(self.events) + 1
        common = {"seq": seq, "id": f"e{seq}", "occurred_at": f"t{seq}", "actor": "token", "idp": "okta"}
        kind = type_.split(".")[0]
        event = {"type": type_, "subject_kind": kind, "subject_id": subject, "document": document, "change": change}
        self.events.append({**common, **event})

    def user(self, type_: str, name: str, *, active: bool = True, change: Any = None, **attributes: Any) -> None:
        self.add(f"user.{type_}", name, {"userName": name, "active": active, **attributes}, change)

    def team(self, type_: str, name: str, added: list[str] = [], removed: list[str] = []) -> None:  # noqa: B006
        self.add(f"team.{type_}", name, {"displayName": name}, {"members": {"added": added, "removed": removed}})

    def told(self) -> list[tuple[str, str, str, str]]:
        return [(row["change"], row["how"], row["user_name"], row["teams"]) for row in access_changes(self.events)]


def test_a_new_active_account_is_a_joiner_and_an_inactive_one_is_nobody_yet() -> None:
    log = Log()
    log.user("created", "ada")
    log.user("created", "bob", active=False)
    assert log.told() == [("joiner", "created", "ada", "")]


def test_a_deactivation_is_a_leaver_with_the_teams_it_cost() -> None:
    log = Log()
    log.user("created", "ada")
    log.team("created", "Data", ["ada"])
    log.team("created", "Ops", ["ada"])
    log.user("deactivated", "ada", active=False)
    assert log.told()[-1] == ("leaver", "deactivated", "ada", "Data, Ops")


def test_deleting_an_account_that_is_inactive_already_is_no_second_leaving() -> None:
    log = Log()
    log.user("created", "ada")
    log.user("deactivated", "ada", active=False)
    log.add("user.deleted", "ada", None)
    assert [row[:2] for row in log.told()] == [("joiner", "created"), ("leaver", "deactivated")]


def test_someone_who_comes_back_is_a_joiner_and_no_longer_deprovisioned() -> None:
    log = Log()
    log.user("created", "ada")
    log.user("deactivated", "ada", active=False)
    assert [row["user_name"] for row in deprovisioned(access_changes(log.events))] == ["ada"]
    log.user("reactivated", "ada")
    assert log.told()[-1][:2] == ("joiner", "reactivated")
    assert deprovisioned(access_changes(log.events)) == []


def test_someone_who_was_deleted_and_is_made_anew_under_the_same_name_has_come_back() -> None:
    log = Log()
    log.add("user.created", "1", {"userName": "Ada@example.com"})
    log.add("user.deleted", "1", None)
    log.add("user.created", "2", {"userName": "ada@example.com"})
    assert deprovisioned(access_changes(log.events)) == []


def test_changing_teams_makes_a_mover_who_keeps_access() -> None:
    log = Log()
    log.user("created", "ada")
    log.team("created", "Data", ["ada"])
    log.team("updated", "Data", removed=["ada"])
    log.team("created", "Ops", ["ada"])
    assert [row[:2] + row[3:] for row in log.told()][1:] == [
        ("mover", "joined_team", "Data"),
        ("mover", "left_team", ""),
        ("mover", "joined_team", "Ops"),
    ]


def test_deleting_a_team_moves_its_active_members_only() -> None:
    log = Log()
    log.user("created", "ada")
    log.user("created", "bob")
    log.team("created", "Data", ["ada", "bob", "someone pending"])
    log.user("deactivated", "bob", active=False)
    log.add("team.deleted", "Data", None)
    assert [(row["how"], row["user_name"], row["detail"]) for row in access_changes(log.events)][-1] == (
        "left_team",
        "ada",
        "Data",
    )


def test_a_change_of_job_says_what_changed() -> None:
    log = Log()
    log.user("created", "ada")
    change = {
        "attributes": {
            "title": {"before": None, "after": "Lead"},
            f"{ENTERPRISE}:manager": {"before": {"value": "7"}, "after": {"value": "8", "displayName": "Grace"}},
            "nickName": {"before": "a", "after": "b"},
        }
    }
    log.user("updated", "ada", change=change, **{"title": "Lead", ENTERPRISE: {"department": "Data"}})
    (row,) = list(access_changes(log.events))[1:]
    assert (row["change"], row["how"], row["department"]) == ("mover", "changed_job", "Data")
    assert row["detail"] == "title: none → Lead; manager: 7 → Grace"


def test_refused_writes_and_unreported_attributes_change_nobodys_access() -> None:
    log = Log()
    log.user("created", "ada")
    log.user("updated", "ada", change={"attributes": {"nickName": {"before": None, "after": "Ada"}}})
    log.events.append({**log.events[0], "seq": 3, "type": "write.rejected", "document": None})
    assert len(log.told()) == 1
