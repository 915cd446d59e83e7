"""The page on conformance is fresh: every rule has a test, every mark is a rule."""

import checklist


def test_every_rule_has_a_test_and_every_mark_is_a_rule() -> None:
    rows = [row[0] for section in checklist.sections() for row in section["rows"]]  # type: ignore[attr-defined]
    assert len(rows) == len(set(rows))
    assert set(rows) == set(checklist.shown())


def test_the_page_is_fresh() -> None:
    assert checklist.PAGE.read_text() == checklist.page(), "run `make conformance`"
