"""Exceptions from controls: owned, reasoned, approved by another person, and over one day."""

from pathlib import Path
from typing import Any

import make
import pytest

from scim_app.errors import Conflict
from scim_app.store.log.event_log import Unit
from scim_app.store.log.session import Store
from scim_app.store.reviews import exceptions

ASKED = {
    "control": "dormant_accounts_are_disabled",
    "subject_id": "u1",
    "subject_name": "robot@example.com",
    "owner": "Ada",
    "reason": "runs at the end of the year",
    "requested_by": "ada",
    "approved_by": "cid",
    "expires_at": "2999-01-01T00:00:00.000000Z",
}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Runs a write of a fresh organization."""
    organization = make.organization(make.settings(tmp_path))
    store = Store(organization.settings.store_url)
    yield lambda work: store.write(lambda db: work(Unit.begin(db, organization.id, make.ACTOR)))
    store.close()


def test_an_exception_stands_until_it_is_ended_and_the_log_tells_it(write: Any) -> None:
    made = write(lambda unit: exceptions.create(unit, **ASKED))
    write(lambda unit: exceptions.end(unit, made.id))
    (held,) = write(lambda unit: exceptions.listing(unit.connection, unit.org_id))
    assert (held.owner, held.ended_by) == ("Ada", "test")
    with pytest.raises(Conflict, match="ended at"):
        write(lambda unit: exceptions.end(unit, made.id))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"approved_by": "Ada"}, "can't approve"),
        ({"control": "nonsense"}, "no control test"),
        ({"reason": " "}, "owner and a reason"),
        ({"expires_at": "2020-01-01T00:00:00.000000Z"}, "run out"),
    ],
)
def test_an_exception_that_would_be_worth_nothing_is_refused(write: Any, wrong: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write(lambda unit: exceptions.create(unit, **{**ASKED, **wrong}))
