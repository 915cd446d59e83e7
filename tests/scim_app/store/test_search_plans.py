"""Searches that differ only in their values share a plan, and values have the form of what is stored."""

import time
from typing import Any

import pytest
from scim2_models import ScimFilter

from scim_app.directory.kinds import TEAM, USER
from scim_app.store.search.plans import KEPT_TERMS, Part, Shape, plan_of
from scim_app.store.search.terms import Term, Values, read_terms


def read(text: str, kind: Any = USER) -> tuple[Term, Values]:
    """A filter as a term, and its values."""
    values: Values = {}
    return read_terms(kind, ScimFilter[kind.model](text), values), values


def test_a_moment_without_a_zone_is_in_utc_wherever_the_service_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as here:
        here.setenv("TZ", "America/New_York")
        time.tzset()
        _, values = read('meta.created gt "2026-01-01T00:00:00"')
    time.tzset()
    assert list(values.values()) == ["2026-01-01T00:00:00.000000Z"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('title eq "a" and active eq true', 'TITLE eq "other" and Active EQ false'),
        ('title sw "a"', 'title ew ""'),
        ('emails[type eq "work" and value co "a"]', 'emails[type eq "home" and value co "bb"]'),
        ('userName eq "Straße"', 'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "x"'),
    ],
)
def test_filters_that_differ_in_values_share_a_plan(first: str, second: str) -> None:
    (term, values), (other, others) = read(first), read(second)
    assert plan_of(Shape((Part(USER, term),))) is plan_of(Shape((Part(USER, other),)))
    assert values.keys() == others.keys()
    assert values != others


@pytest.mark.parametrize(
    "text", ['title eq "b" or active eq true', 'title ne "a"', "title eq null", 'title co "a"', 'displayName eq "a"']
)
def test_filters_that_differ_in_anything_else_do_not(text: str) -> None:
    shared = plan_of(Shape((Part(USER, read('title eq "a" and active eq true')[0]),)))
    assert plan_of(Shape((Part(USER, read(text)[0]),))) is not shared
    assert plan_of(Shape((Part(TEAM, read(text, TEAM)[0]),))) is not plan_of(Shape((Part(USER, read(text)[0]),)))


def test_plans_of_huge_filters_are_not_kept() -> None:
    term, _ = read(" or ".join(["title pr"] * (KEPT_TERMS + 1)))
    shape = Shape((Part(USER, term),))
    assert plan_of(shape) is not plan_of(shape)
