"""The numbers that reports judge by are settings of the organization, and its log tells all their values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import make
import orjson
import pytest
import sqlalchemy as sa
from alembic import command

from scim_app.admin.api.bodies import Changes
from scim_app.cli import serving
from scim_app.cli.organizations import set_values
from scim_app.directory.events import CHAINED, GENESIS, chain_hash
from scim_app.directory.thresholds import DEFAULTS, THRESHOLDS
from scim_app.settings import set_in_vain
from scim_app.store.access import organization_settings
from scim_app.store.db import migrate
from scim_app.store.db.engines import open_owner
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

AT = "2026-01-01T00:00:00.000000Z"


def told(event: dict[str, Any]) -> dict[str, Any]:
    """The attributes that an event changed, with what they were and are."""
    return orjson.loads(event["change"])["attributes"]


@pytest.fixture
def change(folder: Path) -> Callable[..., make.Organization]:
    """Changes settings of a new organization and returns it."""
    made = make.organization(make.settings(folder))

    def work(**values: Any) -> make.Organization:
        store = Store(made.settings.store_url)
        try:
            store.write(lambda db: organization_settings.change(Unit.begin(db, made.id, make.ACTOR), **values))
        finally:
            store.close()
        return made

    return work


def test_the_first_event_of_a_new_organization_tells_all_its_settings(folder: Path) -> None:
    made = make.organization(make.settings(folder))
    first = told(made.events()[0])
    assert {name: first[name]["after"] for name in DEFAULTS} == DEFAULTS
    with made.export() as export:
        assert export.heads()[0].thresholds == DEFAULTS
        assert export.unexplained(made.id) == []


def test_a_change_is_an_event_and_what_is_as_it_was_is_none(change: Any) -> None:
    made = change(dormant_days=60, grace_days=7)
    assert told(made.events()[-1]) == {"dormant_days": {"before": 90, "after": 60}}
    assert len(change(dormant_days=60).events()) == len(made.events())
    with made.export() as export:
        assert export.heads()[0].thresholds == DEFAULTS | {"dormant_days": 60}
        assert export.snapshot(made.id, made.events()[-1]["seq"]).settings["dormant_days"] == 60
        assert export.unexplained(made.id) == []


@pytest.mark.parametrize("name", THRESHOLDS)
def test_what_is_no_number_within_the_limits_is_refused(change: Any, name: str) -> None:
    limits = THRESHOLDS[name]
    for value in (limits.least - 1, limits.most + 1, "60", True, None):
        with pytest.raises(ValueError, match=f"use a whole number from {limits.least} to {limits.most}"):
            change(**{name: value})


def test_command_line_and_api_have_every_threshold() -> None:
    assert THRESHOLDS.keys() <= Changes.model_fields.keys()
    assert THRESHOLDS.keys() <= set_values.__annotations__.keys()


def test_the_page_of_reports_names_every_threshold_with_its_default() -> None:
    page = (make.ROOT / "docs" / "reports.md").read_text()
    for threshold in THRESHOLDS.values():
        assert f"| `{threshold.name}` | {threshold.default:,} | {threshold.unit} " in page


def old_organization(connection: sa.Connection, slug: str, changes: list[dict[str, Any]]) -> None:
    """An organization as release 0.1.0 left it: its log tells neither thresholds nor, at first, the agreement."""
    previous, events = GENESIS, ["organization.created", *["settings.changed"] * len(changes)]
    attributes = [{"time_zone": {"before": None, "after": "UTC"}}, *changes]
    names = (*CHAINED, "prev_hash", "hash")
    insert = f"INSERT INTO events ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    for seq, (kind, change) in enumerate(zip(events, attributes, strict=True), 1):
        row: dict[str, Any] = dict.fromkeys(CHAINED) | {"org_id": slug, "log_epoch": "epoch", "seq": seq}
        row |= {"id": f"{slug}-{seq}", "type": kind, "at": AT, "subject_kind": "organization", "actor": "cli"}
        row["change"] = orjson.dumps({"attributes": change}).decode()
        row |= {"prev_hash": previous, "hash": chain_hash(previous, row)}
        connection.execute(sa.text(insert), row)
        previous = row["hash"]
    agreed = changes[-1]["deprovision_sla_seconds"]["after"] if changes else 86_400
    connection.execute(
        sa.text(
            "INSERT INTO organizations (id, slug, name, scim_enabled, time_zone, created_at, log_epoch, last_seq, "
            "head_hash, head_at, deprovision_sla_seconds) "
            "VALUES (:slug, :slug, 'Acme', :yes, 'UTC', :at, 'epoch', :seq, :hash, :at, :agreed)"
        ),
        {"slug": slug, "yes": True, "at": AT, "seq": len(events), "hash": previous, "agreed": agreed},
    )


def test_the_upgrade_records_the_values_of_the_present_once(folder: Path) -> None:
    settings = make.settings(folder)
    engine = open_owner(settings.store_url)
    agreed = {"deprovision_sla_seconds": {"before": 86_400, "after": 3_600}}
    with engine.begin() as connection:
        config = migrate.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0013")
        old_organization(connection, "never", [])
        old_organization(connection, "changed", [agreed])
    engine.dispose()
    for _ in range(2):
        migrate.upgrade(settings.store_url)
    unknown = {name: {"before": None, "after": value} for name, value in DEFAULTS.items()}
    del unknown["deprovision_sla_seconds"]
    never, changed = (make.Organization(settings, slug, slug, "") for slug in ("never", "changed"))
    assert [event["type"] for event in never.events()] == ["organization.created", "settings.changed"]
    # Every change of the agreement has always been an event: without one it was what it is from the beginning.
    same = {"deprovision_sla_seconds": {"before": 86_400, "after": 86_400}}
    assert told(never.events()[-1]) == unknown | same
    assert [told(event) for event in changed.events()[1:]] == [agreed, unknown]
    with never.export() as export:
        assert [export.verify(slug) for slug in ("never", "changed")] == [(2, None), (3, None)]
        assert [export.unexplained(slug) for slug in ("never", "changed")] == [[], []]


def test_a_variable_of_an_earlier_release_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_in_vain() == []
    monkeypatch.setenv("DAGSTER_SCIM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_SCIM_DORMANT_DAYS", "60")
    serving.migrate_store()
    assert "dagster-scim org set ORG --dormant-days DAYS" in capsys.readouterr().err
