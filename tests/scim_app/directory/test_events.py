"""Whoever changes the log breaks its chain, and the break is named."""

from typing import Any

import pytest

from scim_app.directory.events import CHAINED, GENESIS, chain_hash, describe, first_break


def log(length: int = 4) -> list[dict[str, Any]]:
    """A whole log."""
    rows: list[dict[str, Any]] = []
    for seq in range(1, length + 1):
        row = dict.fromkeys(CHAINED) | {"seq": seq, "id": f"e{seq}", "type": "user.updated"}
        previous = rows[-1]["hash"] if rows else GENESIS
        rows.append({**row, "prev_hash": previous, "hash": chain_hash(previous, row)})
    return rows


def test_a_whole_log_has_no_break() -> None:
    assert first_break(GENESIS, 1, log()) is None
    assert first_break(GENESIS, 1, []) is None


@pytest.mark.parametrize("name", [name for name in CHAINED if name != "seq"])
def test_any_field_that_is_changed_is_noticed(name: str) -> None:
    rows = log()
    rows[1][name] = "changed"
    assert first_break(GENESIS, 1, rows) == "event 2 was changed after it was written"


def test_an_event_taken_out_is_noticed() -> None:
    rows = log()
    del rows[1]
    assert first_break(GENESIS, 1, rows) == "event 2 is missing (found 3)"


def test_an_event_put_in_the_place_of_another_is_noticed() -> None:
    rows = log()
    forged = {**rows[1], "id": "forged"}
    rows[1] = {**forged, "hash": chain_hash(forged["prev_hash"], forged)}
    assert first_break(GENESIS, 1, rows) == "event 3 does not follow event 2"


def test_a_change_is_told_by_attribute_with_before_and_after() -> None:
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    before = {"schemas": [], "id": "1", "title": "A", "nickName": "x", urn: {"department": "Data"}}
    after = {"schemas": [urn], "id": "1", "title": "B", urn: {"department": "Ops"}}
    assert describe(before, after) == {
        "title": {"before": "A", "after": "B"},
        "nickName": {"before": "x", "after": None},
        f"{urn}:department": {"before": "Data", "after": "Ops"},
    }
    assert describe(after, after) == {}
