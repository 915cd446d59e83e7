"""Findings become messages that say who, what and when; very many become one."""

from datetime import datetime

from dagster_defs import alerting
from dagster_defs.alerting import DIGEST_FROM, Finding

FAILURE = {
    "id": "e1",
    "org": "acme",
    "seq": 5,
    "occurred_at": datetime(2026, 11, 24, 8, 0),
    "method": "POST",
    "path": "/Users",
    "status": 409,
    "scim_type": "uniqueness",
    "detail": "userName is taken",
    "subject_name": "ada@example.com",
    "idp": "okta",
}


def test_a_refused_write_says_which_and_why() -> None:
    finding = alerting.sync_failure(FAILURE)
    assert (finding.key, finding.title) == ("e1", "[acme] SCIM write refused: ada@example.com")
    assert finding.body.splitlines() == [
        "POST /Users was answered 409 uniqueness at 2026-11-24 08:00:00 UTC.",
        "userName is taken",
        "Event 5, identity provider okta.",
    ]


def test_a_deprovisioned_account_says_what_it_lost() -> None:
    row = {
        **FAILURE,
        "event_id": "e6",
        "user_name": "ada",
        "display_name": "Ada",
        "how": "deactivated",
        "teams": "Data",
    }
    finding = alerting.deprovisioned(row)
    assert finding.key == "e6"
    assert "Ada was deactivated" in finding.body
    assert "Teams lost: Data." in finding.body


def test_few_findings_are_a_message_each_and_many_are_one_digest() -> None:
    findings = [Finding(str(number), f"title {number}", "body") for number in range(DIGEST_FROM + 1)]
    assert len(alerting.messages(findings[:-1])) == DIGEST_FROM
    (digest,) = alerting.messages(findings)
    assert digest.keys == tuple(finding.key for finding in findings)
    assert all(finding.title in digest.body for finding in findings)
