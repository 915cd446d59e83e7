"""Files of a pack in the shapes of other tools, as of the end of its period."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from dagster_defs.warehouse import records
from scim_app.settings import Settings
from scim_app.store.export.shapes import entra_review_history, vanta_user_accounts

ENTRA, VANTA = "entra-review-history.csv", "vanta-user-accounts.json"

_USERS = """
    SELECT user_id, user_name, display_name, given_name, family_name, sign_in_address, email, active, created_at,
        updated_at
    FROM identity.users WHERE org = $org AND day = $day ORDER BY user_id
"""
_ACCESS = "SELECT user_id, role FROM identity.effective_access WHERE org = $org AND day = $day"
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Exported:
    """A file in the shape of another tool, and how many reviewed accesses or accounts it tells."""

    content: bytes
    rows: int


def export(
    connection: duckdb.DuckDBPyConnection, name: str, *, org: str, day: date, rows: Callable[[str], Rows]
) -> Exported:
    """Return one of the files `entra-review-history.csv` and `vanta-user-accounts.json`.

    Args:
        connection: an open connection to the warehouse.
        name: which file.
        org: slug of the organization.
        day: day at whose end accounts are told.
        rows: gives the rows of a table of the report by its name; the first file is made of `review_quality` and
            `access_review_decisions`.
    """
    return _EXPORTS[name](connection, org, day, rows)


def _entra(_connection: duckdb.DuckDBPyConnection, _org: str, _day: date, rows: Callable[[str], Rows]) -> Exported:
    reviews = [{**_told(row), "name": row["campaign_name"]} for row in rows("review_quality")]
    items = [_told(row) for row in rows("access_review_decisions")]
    decided = [{**row, "decision": None if row["decision"] == "not_reviewed" else row["decision"]} for row in items]
    return Exported(entra_review_history(reviews, decided), len(items))


def _vanta(connection: duckdb.DuckDBPyConnection, org: str, day: date, _: Callable[[str], Rows]) -> Exported:
    users, access = (_rows(connection, query, org=org, day=day) for query in (_USERS, _ACCESS))
    return Exported(vanta_user_accounts(users, access, f"{Settings().base_url}/{org}/settings"), len(users))


def _rows(connection: duckdb.DuckDBPyConnection, query: str, **values: object) -> list[dict[str, Any]]:
    return [_told(row) for row in records(connection.execute(query, values))]


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose instants are text (ISO 8601, UTC)."""
    return {name: f"{value.isoformat()}Z" if isinstance(value, datetime) else value for name, value in row.items()}


_EXPORTS: dict[str, Callable[..., Exported]] = {ENTRA: _entra, VANTA: _vanta}
