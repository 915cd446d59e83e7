"""`python -m dagster_defs.dbt_sources`: write what the dbt project takes from declarations of the code location.

The tables that the code location writes are declared once; what dbt knows of them is made from there.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from dagster_defs.assets import access, changes, events, evidence_files, history, reviews, snapshots, sync_health
from dagster_defs.calendar import CALENDAR
from dagster_defs.log_proof import LOG_BREAKS
from dagster_defs.resources import DBT_PROJECT
from dagster_defs.warehouse import SCHEMA, Table
from scim_app.store.export.columns import CONTROL_THRESHOLDS
from scim_app.store.export.review_columns import CONTROL_TESTS

TABLES: tuple[Table, ...] = (
    events.ORGANIZATIONS,
    events.PROVISIONING_EVENTS,
    CALENDAR,
    LOG_BREAKS,
    history.USER_VERSIONS,
    history.TEAM_VERSIONS,
    history.GRANT_VERSIONS,
    history.SETTING_VERSIONS,
    history.MEMBERSHIP_VERSIONS,
    history.OWNER_VERSIONS,
    snapshots.CUTS,
    snapshots.USERS,
    snapshots.TEAMS,
    snapshots.TEAM_MEMBERS,
    snapshots.ROLE_GRANTS,
    snapshots.EFFECTIVE_ACCESS,
    access.TOKENS,
    changes.ACCESS_CHANGES,
    changes.DEPROVISIONED_ACCOUNTS,
    sync_health.SYNC_FAILURES,
    reviews.CAMPAIGNS,
    reviews.REVIEW_ITEMS,
    reviews.CONTROL_EXCEPTIONS,
    evidence_files.EVIDENCE_FILES,
)
"""The tables that the dbt project reads."""
OF_A_DAY = (snapshots.CUTS, *snapshots.TABLES, access.TOKENS)
"""Of these it reads one day: the one that a build tells of."""

_WRITTEN_WITH = {
    events.ORGANIZATIONS.name: events.PROVISIONING_EVENTS.name,
    CALENDAR.name: events.PROVISIONING_EVENTS.name,
    LOG_BREAKS.name: events.PROVISIONING_EVENTS.name,
    snapshots.CUTS.name: snapshots.USERS.name,
}
"""Tables that another table's asset writes."""

_HEAD = f"""# Made by `python -m dagster_defs.dbt_sources`: change the declarations, not this file.
sources:
  - name: {SCHEMA}
    description: Tables that the code location writes; instants are UTC.
    tables:
"""


def sources() -> str:
    """Return `models/staging/_sources.yml`: each table with its columns and the asset that writes it."""
    return _HEAD + "".join(line for table in TABLES for line in _table(table))


def control_tests() -> str:
    """Return `seeds/control_tests.csv`: each control test with what it asserts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("test_name", "assertion"), *CONTROL_TESTS.items()])
    return text.getvalue()


def thresholds() -> str:
    """Return `macros/thresholds.sql`: the settings that control tests go by."""
    return f"""{{# Made by `python -m dagster_defs.dbt_sources`: the settings that control tests go by. #}}
{{% macro thresholds() -%}}
    {{{{ return({list(CONTROL_THRESHOLDS)}) }}}}
{{%- endmacro %}}
"""


def files() -> dict[Path, str]:
    """Return the files that are made, by path, with their text."""
    project = DBT_PROJECT.project_dir
    return {
        project / "models" / "staging" / "_sources.yml": sources(),
        project / "seeds" / "control_tests.csv": control_tests(),
        project / "macros" / "thresholds.sql": thresholds(),
    }


def _table(table: Table) -> Iterable[str]:
    yield f"      - name: {table.name}\n"
    asset = _WRITTEN_WITH.get(table.name, table.name)
    yield f"        config: {{meta: {{dagster: {{asset_key: [{asset}]}}}}}}\n"
    yield "        columns:\n"
    for column in table.columns:
        yield f"          - name: {column.name}\n"
        yield f"            description: {_quoted(column.description)}\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
