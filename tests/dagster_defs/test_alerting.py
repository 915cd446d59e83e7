"""Findings become messages that say who, what, when and why; very many become one."""

from datetime import datetime

import pytest

from dagster_defs.alerting import DIGEST_FROM, Finding, Links, Severity, messages

LINKS = Links("https://scim.example.com", "https://dagster.example.com")
MOMENT = datetime(2026, 11, 24, 8)


def finding(key: str = "e6", **told: object) -> Finding:
    """A finding about Ada."""
    common = {
        "key": key,
        "org": "acme",
        "rule": "deprovisioned",
        "severity": "info",
        "title": "Account deprovisioned: ada",
    }
    words = {"who": "Ada, Data", "what": "the account was deactivated.", "why": "look elsewhere too."}
    return Finding(
        **{**common, **words, "occurred_at": MOMENT, "user_id": "u1", "asset": "deprovisioned_accounts", **told}
    )  # type: ignore[arg-type]


def test_a_message_says_who_what_when_why_and_where_to_look() -> None:
    (message,) = messages([finding()], LINKS)
    assert message.title == "[acme] Account deprovisioned: ada"
    assert message.text.splitlines() == [
        "Who: Ada, Data",
        "What: the account was deactivated.",
        "When: 2026-11-24 08:00:00 UTC",
        "Why it matters: look elsewhere too.",
        "Person: https://scim.example.com/acme/settings/users/u1",
        "Asset: https://dagster.example.com/assets/deprovisioned_accounts",
    ]


def test_what_is_over_says_since_when() -> None:
    (message,) = messages([finding(resolved_at=datetime(2026, 11, 24, 9))], LINKS, state="resolved")
    assert message.title == "[acme] Resolved: Account deprovisioned: ada"
    assert "over at 2026-11-24 09:00:00 UTC" in message.body


def test_few_findings_are_a_message_each_and_many_are_one_digest() -> None:
    many = [finding(str(number), title=f"title {number}") for number in range(DIGEST_FROM + 1)]
    many[3] = finding("3", title="title 3", severity="critical")
    assert len(messages(many[:-1], LINKS)) == DIGEST_FROM
    (digest,) = messages(many, LINKS)
    assert digest.keys == tuple(one.key for one in many)
    assert digest.severity is Severity.CRITICAL
    assert all(one.title in digest.body for one in many)


def test_a_digest_of_thousands_stays_readable() -> None:
    (digest,) = messages([finding(str(number)) for number in range(5000)], LINKS)
    assert len(digest.text.splitlines()) < 60
    assert "and 4950 more" in digest.body


def test_what_matters_most_is_listed_first_in_a_digest() -> None:
    many = [finding(str(number)) for number in range(200)]
    (digest,) = messages([*many, finding("late", title="organization orphaned", severity="critical")], LINKS)
    assert "organization orphaned" in digest.body.splitlines()[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\x85"])
def test_a_name_with_line_ends_makes_no_lines(end: str) -> None:
    name = f"ada{end}Bcc: eve@example.com{end}{end}Why it matters: it does not"
    (message,) = messages([finding(title=name, who=name, what=name, why=name)], LINKS)
    assert len(message.title.splitlines()) == 1
    assert [line.split(":")[0] for line in message.text.splitlines()] == [
        *("Who", "What", "When", "Why it matters", "Person", "Asset")
    ]


def test_a_message_is_never_long() -> None:
    (message,) = messages([finding(title="x" * 8192, who="y" * 8192, what="team, " * 500)], LINKS)
    assert len(message.title) < 200
    assert len(message.text) < 1500
    assert message.text.endswith("assets/deprovisioned_accounts")
