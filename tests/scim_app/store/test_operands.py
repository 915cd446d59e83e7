"""What a filter compares with has the form of what is stored."""

import time

import pytest
from scim2_models import ScimFilter
from scim2_models.path import Comparison

from scim_app.directory.kinds import USER
from scim_app.store.search.operands import operand


def test_a_moment_without_a_zone_is_in_utc_wherever_the_service_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ScimFilter[USER.model]('meta.created gt "2026-01-01T00:00:00"')  # type: ignore[name-defined]
    assert isinstance(asked.ast, Comparison)
    with monkeypatch.context() as here:
        here.setenv("TZ", "America/New_York")
        time.tzset()
        found = operand(asked.resolve_comparison(asked.ast.attr_path), asked.ast)
    time.tzset()
    assert found == "2026-01-01T00:00:00.000000Z"
