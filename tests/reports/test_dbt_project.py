"""The dbt project is what its declarations say: made files are fresh, words are those of the rules."""

import csv
import re

import make
from reports import control_page

from dagster_defs import dbt_sources
from scim_app.directory.controls import TESTS
from scim_app.directory.roles import Role

PROJECT = make.ROOT / "dbt_like_reports"


def test_sources_and_control_tests_are_fresh() -> None:
    stale = [str(path) for path, text in dbt_sources.files().items() if path.read_text() != text]
    assert stale == [], "run `python -m dagster_defs.dbt_sources`"


def test_every_control_rests_on_a_test_that_exists_and_every_test_serves_one() -> None:
    with (PROJECT / "seeds" / "controls.csv").open(newline="") as file:
        used = {row["test_name"] for row in csv.DictReader(file)}
    assert used == TESTS.keys()


def test_every_test_has_its_findings() -> None:
    text = "".join(path.read_text() for path in PROJECT.glob("models/intermediate/int_controls__of_*.sql"))
    assert set(re.findall(r"'(\w+)' as test_name", text)) == TESTS.keys()


def test_roles_rank_as_in_the_directory() -> None:
    text = (PROJECT / "macros" / "role_rank.sql").read_text()
    assert re.findall(r"when '(\w+)' then (\d)", text) == [(role.value, str(role.rank)) for role in Role]
    privileged = ", ".join(f"'{role.value}'" for role in Role if role.privileged)
    assert f"in ({privileged})" in text


def test_every_model_has_its_own_page_with_its_grain() -> None:
    for sql in PROJECT.glob("models/*/*.sql"):
        page = sql.with_suffix(".yml").read_text()
        assert f"- name: {sql.stem}\n" in page, sql
        assert "One row per" in page, sql


def test_the_table_of_controls_in_the_docs_is_fresh() -> None:
    assert control_page.PAGE.read_text() == control_page.page(), "run `python tests/reports/control_page.py`"
