"""Joiners, movers and leavers are read off the log as an auditor would."""

from typing import Any

import event_logs
import pytest
from event_logs import Warehouse
from make import ENTERPRISE, USER

from dagster_defs.assets import findings


class Log(event_logs.Log):
    """A log with the changes that the warehouse reads off it."""

    def changes(self) -> list[dict[str, Any]]:
        with Warehouse(self.events) as warehouse:
            return warehouse.rows("access_changes", "seq, how DESC, user_id")

    def told(self) -> list[tuple[str, str, str, str]]:
        return [(row["change"], row["how"], row["user_name"], row["teams"]) for row in self.changes()]

    def gone(self) -> list[str]:
        with Warehouse(self.events) as warehouse:
            rows = warehouse.rows("deprovisioned_accounts", "seq")
            return [row["user_name"] for row in rows if row["returned_at"] is None]


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
    assert log.gone() == ["ada"]
    log.user("reactivated", "ada")
    assert log.told()[-1][:2] == ("joiner", "reactivated")
    assert log.gone() == []


def test_a_name_that_was_given_to_somebody_else_brings_nobody_back() -> None:
    log = Log()
    log.add("user.created", "1", {"userName": "Ada@example.com"})
    log.add("user.deleted", "1", None)
    log.add("user.created", "2", {"userName": "ada@example.com"})
    assert log.gone() == ["Ada@example.com"]


def test_an_account_that_is_restored_with_its_id_has_come_back() -> None:
    log = Log()
    log.add("user.created", "1", {"userName": "ada"})
    log.add("user.deleted", "1", None)
    log.add("user.restored", "1", {"userName": "ada"})
    assert log.told()[-1][:2] == ("joiner", "restored")
    assert log.gone() == []


def test_who_came_back_is_known_by_id_however_the_log_is_taken_in() -> None:
    log = Log()
    log.add("user.created", "1", {"userName": "ada"})
    log.add("user.deactivated", "1", {"userName": "ada", "active": False})
    log.add("user.updated", "1", {"userName": "ada.old", "active": False})
    log.add("user.created", "2", {"userName": "ADA"})
    log.add("user.reactivated", "1", {"userName": "ada.old", "active": True})
    for block in (1, 100):
        with Warehouse(log.events, block=block) as warehouse:
            (gone,) = warehouse.rows("deprovisioned_accounts", "seq")
            (returned,) = (row for row in warehouse.rows("access_changes", "seq") if row["seq"] == 5)
        assert gone["returned_at"] == returned["occurred_at"]


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
    assert [(row["how"], row["user_name"], row["detail"]) for row in log.changes()][-1] == (
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
    (row,) = log.changes()[1:]
    assert (row["change"], row["how"], row["department"]) == ("mover", "changed_job", "Data")
    assert row["detail"] == "title: none → Lead; manager: 7 → Grace"


@pytest.mark.parametrize(
    "change",
    [
        {"request": {"characters": 9000}, "asked_to_leave": True},
        {"request": {"Operations": [{"op": "Replace", "path": "active", "value": "no"}]}},
        {"request": {"Operations": [{"op": "Replace", "value": {f"{USER}:active": 0}}]}},
    ],
)
def test_a_leaver_was_asked_to_go_by_the_request_that_was_refused_first(change: dict[str, Any]) -> None:
    log = Log()
    log.user("created", "ada")
    log.add("write.rejected", "ada", change=change, subject_kind="user", method="PATCH", status=400)
    log.user("deactivated", "ada", active=False)
    with Warehouse(log.events) as warehouse:
        left = warehouse.rows("access_changes", "seq")[-1]
        refused = warehouse.rows("provisioning_events", "seq")[1]
    assert (left["change"], left["asserted_at"], refused["asked_to_leave"]) == ("leaver", refused["occurred_at"], True)


def test_refused_writes_and_unreported_attributes_change_nobodys_access() -> None:
    log = Log()
    log.user("created", "ada")
    log.user("updated", "ada", change={"attributes": {"nickName": {"before": None, "after": "Ada"}}})
    log.events.append({**log.events[0], "seq": 3, "id": "e3", "type": "write.rejected", "document": None})
    assert len(log.told()) == 1


def test_the_alert_on_a_leaver_says_in_words_who_did_it_how_late_it_was_and_that_it_is_over() -> None:
    log = Log()
    log.add("user.created", "ada", {"userName": "ada"}, subject_name="ada@example.com")
    log.add("token.created", "t1", subject_name="HR sync")
    log.user("created", "bob")
    left = {"userName": "bob", "active": False}
    log.add("user.deactivated", "bob", left, {"asserted_at": "2025-12-30T00:00:00Z"}, idp=None, actor="t1")
    log.user("reactivated", "bob")
    log.add("user.deleted", "bob", idp=None, actor="ada")
    with Warehouse(log.events) as warehouse:
        findings.carry(warehouse.connection)
        told = [row["what"] for row in warehouse.rows("findings", "seq, key")]
    assert "deactivated by token HR sync." in told[0]
    assert told[0].endswith("It came back at 2026-01-01 17:00:00 UTC.")
    assert told[1] == "access ended 64.0 hours after the identity provider said so."
    assert "deleted by user ada@example.com." in told[2]
    assert "came back" not in told[2]
