"""The page on limits says what the code does."""

import make
import pytest

from scim_app.protocol import filter_limits, http_head, limits, patience, wire
from scim_app.store.db import allowance
from scim_app.store.log import session
from scim_app.store.search import conditions

NUMBERS = {
    "body of a request about users": [limits.RESOURCE.body // limits.MIB, limits.RESOURCE.nodes],
    "body of a request about groups": [limits.TEAM.body // limits.MIB, limits.TEAM.nodes],
    "members of a group": [limits.TEAM_MEMBERS],
    "bulk request": [limits.BULK.body // limits.MIB, limits.BULK_OPERATIONS],
    "PATCH": [limits.PATCH_OPERATIONS],
    "nesting": [limits.DEPTH],
    "a string": [limits.STRING],
    "`userName`": [limits.NAME],
    "a filter": [filter_limits.FILTER_BYTES, filter_limits.FILTER_NODES],
    "comparisons of a search": [conditions.MOST, conditions.LISTED, conditions.LINKED],
    "`attributes`": [limits.NAMES],
    "operations of a PATCH or": [allowance.MOST_VALUES],
    "time of a search": [int(allowance.READ_SECONDS)],
    "searches, and": [session.FILE_READERS, session.FILE_READERS // 2, session.READERS, session.READERS // 2],
    "address of": [http_head.ADDRESS // 1024],
    "headers": [http_head.HEADERS // 1024],
    "resources on a page": [wire.PAGE_LIMIT],
    "age of a cursor": [wire.CURSOR_SECONDS // 3600],
    "arrival": [patience.PatientProtocol.header_seconds, patience.PatientProtocol.body_seconds],
    "reading of an answer": [patience.PatientProtocol.answer_seconds],
}


@pytest.mark.parametrize(("row", "numbers"), NUMBERS.items(), ids=list(NUMBERS))
def test_the_page_has_the_numbers_of_the_code(row: str, numbers: list[int]) -> None:
    lines = (make.ROOT / "docs" / "limits.md").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"| {row}"))
    assert [number for number in numbers if f"{number:,}" not in line] == []
