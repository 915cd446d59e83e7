"""Reviewers are reminded before and after a review is due, each for what is theirs to decide, and not for longer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import duckdb
import make
import pytest
from aiosmtpd.controller import Controller

from dagster_defs import lasting, sensors
from dagster_defs.alerting import Links
from dagster_defs.assets import alerts, changes, events, findings, history, reviews, sync_health
from dagster_defs.channels import mailbox
from dagster_defs.resources import AlertChannels, resources
from scim_app.directory.reviews import Decision, ReviewScope
from scim_app.settings import Settings
from scim_app.store.credentials import tokens
from scim_app.store.db.stamps import instant
from scim_app.store.reviews import campaigns, review_closing

NOW = datetime(2026, 11, 24, 8)
ASSETS = [
    *(events.provisioning_events, history.history, sync_health.sync_failures, sync_health.idp_rhythm),
    *(changes.access_changes, changes.deprovisioned_accounts),
    *(reviews.reviews, findings.findings, alerts.alert_deliveries),
]


@pytest.mark.parametrize(
    ("left", "steps"),
    [(timedelta(days=8), []), (timedelta(days=7), [7]), (timedelta(hours=20), [1]), (timedelta(), [0])],
)
def test_a_reminder_comes_a_week_and_a_day_before_and_when_it_is_overdue(left: timedelta, steps: list[int]) -> None:
    row = {"org": "acme", "campaign_id": "r1", "name": "Q4", "due_at": NOW + left, "undecided": 3}
    row |= {"reviewer_id": "u1", "reviewer_name": "ada", "reviewer_email": "ada@example.com"}
    found = lasting.reviews_due([row], NOW)
    assert [one.subject for one in found] == [f"r1/u1/{step}" for step in steps]
    assert all(one.recipient == "ada@example.com" and one.page == "reviews/r1" for one in found)


class Mails:
    """A mail server that keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], str]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.taken.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


def open_review(directory: Any, days: float) -> tuple[str, dict[str, str]]:
    """A review of Ada and Bob in the team Data, each to be decided by the other."""
    ids = {name: directory.user(f"{name}@example.com") for name in ("ada", "bob")}
    directory.team("Data", *ids.values())
    due_at = instant(datetime.now(UTC) + timedelta(days=days))
    made = directory.do(
        lambda unit: campaigns.open_campaign(
            unit, name="Q4", scope=ReviewScope.ORGANIZATION, due_at=due_at, reviewers=list(ids.values())
        )
    )
    return made.id, ids


def decide(directory: Any, review: str, reviewer: str) -> None:
    """Keep all that a reviewer has to decide."""

    def keep(unit: Any) -> None:
        mine = campaigns.items(unit.connection, unit.org_id, review, reviewer_id=reviewer)
        campaigns.decide(unit, review, [one.id for one in mine], Decision.KEEP, "needed", reviewer_id=reviewer)

    directory.do(keep)


@pytest.fixture
def remind(settings: Settings, channels: Any) -> Callable[[str], None]:
    """Runs the assets up to the alerts, with a mail server."""

    def run(server: str) -> None:
        held = AlertChannels(tuple(channels), Links("https://scim.example.com", "https://dagster.example.com"), server)
        given = {**resources(settings), "channels": held}
        dg.materialize(ASSETS, resources=given)

    return run


def test_each_reviewer_gets_a_mail_once_until_everything_is_decided(
    directory: Any, channels: Any, remind: Any, query: Any
) -> None:
    review, ids = open_review(directory, days=0.5)
    mails, port = Mails(), make.free_port()
    controller = Controller(mails, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        decide(directory, review, ids["bob"])
        for _ in range(2):
            remind(f"smtp://127.0.0.1:{port}?from=scim@example.com")
        directory.do(lambda unit: review_closing.close(unit, review))
        remind(f"smtp://127.0.0.1:{port}?from=scim@example.com")
    finally:
        controller.stop()
    ((to, text),) = mails.taken
    assert to == ["ada@example.com"]
    assert "Access review is due soon: Q4" in text
    assert f"https://scim.example.com/acme/settings/reviews/{review}" in text.replace("=\r\n", "").replace("=3D", "=")
    assert [title for title in channels[0].titles if "review" in title] == ["[acme] Access review is due soon: Q4"]
    assert query("SELECT cleared_at IS NOT NULL FROM identity.findings WHERE rule = 'review_due'") == [(True,)]


def test_the_sensor_asks_for_a_run_when_a_review_comes_due(directory: Any, remind: Any, settings: Settings) -> None:
    open_review(directory, days=30)
    remind("")
    held = {"warehouse": resources(settings)["warehouse"]}
    with dg.build_sensor_context(resources=held, sensor_name="review_due_sensor") as context:
        assert isinstance(sensors.review_due_sensor(context), dg.SkipReason)
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute("UPDATE identity.campaigns SET due_at = now()::TIMESTAMP + INTERVAL 2 DAY")
    with dg.build_sensor_context(resources=held, sensor_name="review_due_sensor") as context:
        asked: Any = sensors.review_due_sensor(context)
    assert len(asked.run_requests) == 1


def test_the_silence_of_a_provider_is_seen_while_nothing_writes_the_warehouse(
    directory: Any, remind: Any, settings: Settings
) -> None:
    directory.user("ada@example.com")
    remind("")
    held = {"warehouse": resources(settings)["warehouse"], "scim": resources(settings)["scim"]}
    with dg.build_sensor_context(resources=held, sensor_name="idp_silence_sensor") as context:
        answer: Any = sensors.idp_silence_sensor(context)
    assert answer.skip_message == "silence: as before"


def test_a_provider_whose_tokens_were_all_revoked_is_not_waited_for(
    directory: Any, remind: Any, settings: Settings
) -> None:
    pepper, scim = settings.ensure_pepper(), resources(settings)["scim"]
    made = [directory.do(lambda unit: tokens.create(unit, idp="okta", pepper=pepper))[0] for _ in range(2)]
    directory.user("ada@example.com")
    remind("")
    for token, waited_for in zip(made, (["okta"], []), strict=True):
        directory.do(lambda unit, token=token: tokens.revoke(unit, token.id))
        with duckdb.connect(str(settings.warehouse_path)) as warehouse:
            assert [row["idp"] for row in findings.heard(warehouse, scim)] == waited_for  # type: ignore[arg-type]


def test_the_name_of_a_mailbox_does_not_tell_whose_it_is() -> None:
    channel = mailbox("smtp://127.0.0.1?from=scim@example.com", "a&b+c@example.com")
    assert "example.com" not in repr(replace(channel, person=None))
