"""The made-up year: the same for the same seed, whole in log and tables, with the figures that the plan has."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import make
import pytest

from scim_app.cli.history.building import build
from scim_app.cli.history.plan import year
from scim_app.cli.history.steps import Does
from scim_app.store.db import migrate
from scim_app.store.export import Export
from scim_app.store.log.session import Store

STARTS = datetime(2025, 11, 1, tzinfo=UTC)


def test_the_same_seed_gives_the_same_year() -> None:
    assert list(year(60, starts=STARTS)) == list(year(60, starts=STARTS))
    assert list(year(60, starts=STARTS)) != list(year(60, seed=8, starts=STARTS))


def test_steps_come_in_order_and_nobody_is_written_to_before_being_provisioned() -> None:
    steps = list(year(starts=STARTS))
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    known: set[int] = set()
    for step in steps:
        if step.does is Does.PROVISION and step.who:
            known.add(step.who.number)
        assert step.who is None or step.who.number in known


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A store with a year in it: its address and the organization's id."""
    settings = make.settings(tmp_path_factory.mktemp("year"))
    settings.ensure_pepper()
    migrate.upgrade(settings.store_url)
    store = Store(settings.store_url)
    try:
        organization = build(settings, store, "northwind", ends=datetime(2026, 11, 1, tzinfo=UTC))
    finally:
        store.close()
    return settings.store_url, organization.id


def test_log_and_tables_agree_and_the_moments_are_those_of_the_plan(made: tuple[str, str]) -> None:
    export = Export(made[0])
    try:
        assert export.first_break(made[1]) is None
        assert export.unexplained(made[1]) == []
        events = export.events(made[1], limit=100_000)
    finally:
        export.close()
    assert events[0]["occurred_at"] == "2025-11-01T07:00:00.000000Z"
    assert max(event["occurred_at"] for event in events) < "2026-11-01"
    planned = Counter(step.does for step in year(starts=STARTS))
    told = Counter(event["type"] for event in events)
    for does, kind in {
        Does.PROVISION: "user.created",
        Does.DEACTIVATE: "user.deactivated",
        Does.REACTIVATE: "user.reactivated",
        Does.DELETE: "user.deleted",
        Does.REFUSE: "write.rejected",
    }.items():
        assert planned[does] == told[kind] > 0, kind


def test_the_command_makes_an_organization(tmp_path: Path) -> None:
    done = make.command("history", "acme", "--people", "20", "--days", "40", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "acme" in make.command("org", "list", home=tmp_path).stdout
