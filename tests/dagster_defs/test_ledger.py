"""Each finding is told once to each channel that asks for it; what is refused is tried again, what is over is told."""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from recording import Recorder

from dagster_defs import ledger
from dagster_defs.alerting import Links, Severity
from dagster_defs.assets.findings import FINDINGS
from dagster_defs.channels import ChannelRefused
from dagster_defs.ledger import ALERT_DELIVERIES, Outcome

LINKS = Links("https://scim.example.com", "https://dagster.example.com")
START = datetime(2026, 11, 24, 8)


@pytest.fixture
def warehouse() -> Generator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory with findings to come."""
    with duckdb.connect() as connection:
        FINDINGS.make(connection)
        ALERT_DELIVERIES.make(connection)
        yield connection


def found(warehouse: duckdb.DuckDBPyConnection, key: str, **told: Any) -> None:
    row = dict.fromkeys(column.name for column in FINDINGS.columns)
    row |= {"key": key, "org": "acme", "severity": "info", "title": key, "asset": "findings", "occurred_at": START}
    row |= dict.fromkeys(("who", "what", "why"), "")
    FINDINGS.append(warehouse, [{**row, **told}])


def run(warehouse: duckdb.DuckDBPyConnection, channel: Any, now: datetime = START) -> None:
    """What one run does for a channel."""
    for message in ledger.due(warehouse, channel, LINKS, now):
        ledger.claim(warehouse, channel, message, now)
        try:
            channel.send(message)
        except ChannelRefused as refused:
            ledger.settle(warehouse, channel, Outcome(message, str(refused), now))
            return
        ledger.settle(warehouse, channel, Outcome(message, None, now))


def test_a_finding_is_told_once(warehouse: Any) -> None:
    channel = Recorder("one")
    found(warehouse, "a")
    run(warehouse, channel)
    run(warehouse, channel)
    found(warehouse, "b")
    run(warehouse, channel)
    assert channel.titles == ["[acme] a", "[acme] b"]


def test_a_channel_gets_what_matters_enough_for_it(warehouse: Any) -> None:
    channel = Recorder("one", Severity.CRITICAL)
    for severity in ("info", "warning", "critical"):
        found(warehouse, severity, severity=severity)
    run(warehouse, channel)
    assert channel.titles == ["[acme] critical"]


def test_what_was_refused_waits_longer_each_time_and_is_told_when_the_channel_works(warehouse: Any) -> None:
    channel = Recorder("one", broken=True)
    found(warehouse, "a")
    now, pauses = START, []
    for _ in range(4):
        run(warehouse, channel, now)
        ((again,),) = warehouse.execute("SELECT next_at FROM identity.alert_deliveries").fetchall()
        run(warehouse, channel, again - timedelta(seconds=1))  # too early: nothing is tried
        pauses.append(again - now)
        now = again
    assert [pause.total_seconds() for pause in pauses] == [15, 30, 60, 120]
    channel.broken = False
    run(warehouse, channel, now)
    assert channel.titles == ["[acme] a"]
    assert warehouse.execute("SELECT status, attempts FROM identity.alert_deliveries").fetchall() == [("sent", 5)]


def test_after_a_day_a_message_is_given_up_and_that_shows(warehouse: Any) -> None:
    channel = Recorder("one", broken=True)
    found(warehouse, "a")
    run(warehouse, channel)
    run(warehouse, channel, START + timedelta(days=1))
    assert warehouse.execute("SELECT status, error FROM identity.alert_deliveries").fetchall() == [
        ("given_up", "it answered 500")
    ]


def test_a_run_killed_while_sending_sends_again_and_a_run_killed_before_loses_nothing(warehouse: Any) -> None:
    channel = Recorder("one")
    found(warehouse, "a")
    (message,) = ledger.due(warehouse, channel, LINKS, START)
    ledger.claim(warehouse, channel, message, START)  # killed here
    run(warehouse, channel)
    run(warehouse, channel)
    assert channel.titles == ["[acme] a"]


def test_what_lasted_is_told_again_when_it_is_over(warehouse: Any) -> None:
    channel = Recorder("one")
    found(warehouse, "a", subject="x")
    run(warehouse, channel)
    warehouse.execute("UPDATE identity.findings SET resolved_at = occurred_at + INTERVAL 1 HOUR")
    run(warehouse, channel)
    run(warehouse, channel)
    assert channel.titles == ["[acme] a", "[acme] Resolved: a"]


def test_what_was_over_before_it_could_be_told_is_not_told(warehouse: Any) -> None:
    channel = Recorder("one")
    found(warehouse, "a", subject="x", resolved_at=START)
    run(warehouse, channel)
    assert channel.titles == []


def test_a_burst_is_one_message(warehouse: Any) -> None:
    channel = Recorder("one")
    for number in range(1000):
        found(warehouse, f"finding {number}")
    run(warehouse, channel)
    run(warehouse, channel)
    assert channel.titles == ["1000 provisioning findings"]


def test_the_next_try_is_of_a_channel_that_there_still_is(warehouse: Any) -> None:
    broken = Recorder("one", broken=True)
    found(warehouse, "a")
    run(warehouse, broken)
    assert ledger.next_try(warehouse, broken) == START + ledger.FIRST_PAUSE  # type: ignore[arg-type]
    for gone in (Recorder("another"), Recorder("one", Severity.CRITICAL)):
        run(warehouse, gone)
        assert ledger.next_try(warehouse, gone) is None  # type: ignore[arg-type]
