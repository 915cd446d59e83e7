"""Derived data that an older version of the application left wrong is detected, and computed again."""

from collections.abc import Generator

import httpx
import make
import pytest
import sqlalchemy as sa

from scim_app.store.db.engines import open_writer
from scim_app.store.export import derived
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store

OLD_WRITES = {
    "the member count of 1 team": "UPDATE team_sizes SET others = 0 WHERE org_id = :org",
    "the count of the list of 1 block": "UPDATE list_blocks SET live = 9 WHERE kind = 'user' AND org_id = :org",
    "the index of e-mail addresses of 1 user": "DELETE FROM user_emails WHERE org_id = :org",
    "the columns of 2 users": "UPDATE users SET search_key = '' WHERE org_id = :org",
    "the columns of 1 team": "UPDATE teams SET external_id = 'another' WHERE org_id = :org",
}
"""What is wrong → the writes of an application that does not know the column, table or rule."""


@pytest.fixture
def team(scim: httpx.Client) -> str:
    """The id of a team that has one of two users, and a pending member."""
    ada = scim.post("/Users", json=make.user("ada@example.com", emails=[{"value": "countess@example.com"}])).json()
    scim.post("/Users", json=make.user("bob@example.com"))
    return scim.post("/Groups", json=make.group("Engines", ada["id"], "not-provisioned-yet")).json()["id"]


@pytest.fixture
def store(organization: make.Organization) -> Generator[Store]:
    opened = Store(organization.settings.store_url)
    yield opened
    opened.close()


def _execute(organization: make.Organization, statement: str) -> None:
    engine = open_writer(organization.settings.store_url)
    with engine.begin() as connection:
        connection.execute(sa.text(statement), {"org": organization.id})
    engine.dispose()


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize(("difference", "statement"), OLD_WRITES.items(), ids=OLD_WRITES)
def test_wrong_derived_data_is_detected_and_computed_again(
    organization: make.Organization, store: Store, difference: str, statement: str
) -> None:
    def differences() -> list[str]:
        return [str(difference) for difference in store.read(lambda db: derived.differences(db, organization.id))]

    assert differences() == []
    _execute(organization, statement)
    wrong = differences()
    assert [text.partition(" (")[0] for text in wrong] == [difference]
    repaired = store.write(lambda db: derived.repair(Unit.begin(db, organization.id, make.ACTOR)), organization.id)
    assert [str(difference) for difference in repaired] == wrong
    assert differences() == []


def test_events_verify_reports_a_wrong_member_count_and_repairs_it(
    organization: make.Organization, scim: httpx.Client, team: str
) -> None:
    _execute(organization, OLD_WRITES["the member count of 1 team"])
    with organization.export() as export:
        assert export.unexplained(organization.id) == [team]
    verify = ("events", "verify", organization.slug)
    verified = make.command(*verify, home=organization.settings.home)
    assert verified.returncode == 1
    assert f"Wrong: the member count of 1 team ({team})." in verified.stderr
    assert f"dagster-scim events verify {organization.slug} --repair" in verified.stderr
    repaired = make.command(*verify, "--repair", home=organization.settings.home)
    assert (repaired.returncode, repaired.stderr) == (0, f"Repaired: the member count of 1 team ({team}).\n")
    assert make.command(*verify, home=organization.settings.home).returncode == 0
    pending = [member for member in scim.get(f"/Groups/{team}").json()["members"] if "type" not in member]
    assert [member["value"] for member in pending] == ["not-provisioned-yet"]
    with organization.export() as export:
        assert export.unexplained(organization.id) == []
