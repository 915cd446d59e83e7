"""Where identities come from: assets that others make, so that lineage starts at the identity provider."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import dagster as dg

from dagster_defs.warehouse import MadeFrom, schema
from scim_app.store.export.columns import EVENT_COLUMNS, THRESHOLD_COLUMNS, TOKEN_COLUMNS, Column
from scim_app.store.export.review_columns import CAMPAIGN_COLUMNS, EXCEPTION_COLUMNS, REVIEW_ITEM_COLUMNS

OWNERS = ["team:identity"]
"""Who looks after the assets made here."""


def _identity_provider(key: str, kind: str, name: str, guide: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        group_name="sources",
        kinds={kind},
        owners=OWNERS,
        tags={"scim/layer": "identity-provider"},
        description=f"{name} pushes users and groups to the SCIM service. {guide}",
    )


OKTA = _identity_provider("okta", "okta", "Okta", "Set up as in docs/okta.md.")
ENTRA = _identity_provider("entra_id", "azure", "Microsoft Entra ID", "Set up as in docs/entra.md.")
OTHERS = _identity_provider("other_scim_clients", "scim", "Any other SCIM 2.0 client", "Whatever its token says it is.")
IDENTITY_PROVIDERS = [OKTA, ENTRA, OTHERS]


_ORGANIZATION_COLUMNS = (
    Column("slug", "text", "Name of the organization in addresses"),
    *THRESHOLD_COLUMNS,
)
_READ = {
    "organizations": _ORGANIZATION_COLUMNS,
    "tokens": TOKEN_COLUMNS,
    "campaigns": CAMPAIGN_COLUMNS,
    "review_items": REVIEW_ITEM_COLUMNS,
    "control_exceptions": EXCEPTION_COLUMNS,
}
"""What is read of the directory itself, by table; all else comes from its event log."""
_DIRECTORY_COLUMNS = [
    replace(column, name=f"{table}.{column.name}") for table, columns in _READ.items() for column in columns
]


def in_directory(table: str) -> MadeFrom:
    """Return the columns of a table of the directory with themselves as sources."""
    return {column.name: (f"scim_directory.{table}.{column.name}",) for column in _READ[table]}


def _of_the_store(key: str, description: str, columns: Sequence[Column]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=IDENTITY_PROVIDERS,
        group_name="sources",
        kinds={"scim"},
        owners=OWNERS,
        tags={"scim/layer": "store"},
        description=description,
        metadata={"dagster/column_schema": schema(columns, {})},
    )


DIRECTORY = _of_the_store(
    "scim_directory",
    "Users, teams, memberships, grants and tokens as they are now, in the SCIM service's store.",
    _DIRECTORY_COLUMNS,
)
EVENT_LOG = _of_the_store(
    "scim_event_log",
    "Every accepted and every refused write, numbered without gaps and chained by hash, in the SCIM service's store. "
    "It is written in the transaction of the change itself.",
    EVENT_COLUMNS,
)

ASSETS = [*IDENTITY_PROVIDERS, DIRECTORY, EVENT_LOG]
"""All sources."""


def of(idp: str | None) -> dg.AssetSpec:
    """Return the source of what a token's identity provider writes."""
    return {"okta": OKTA, "entra": ENTRA, "entra_id": ENTRA, "azure": ENTRA}.get((idp or "").casefold(), OTHERS)


def observations(
    standing: Sequence[Mapping[str, Any]], tokens: Iterable[Mapping[str, Any]], now: datetime
) -> Iterator[dg.AssetObservation]:
    """Yield what was seen of each source.

    Args:
        standing: rows of `organizations`.
        tokens: rows with `org`, `idp`, `revoked_at`, `last_used_at`.
        now: UTC, without a zone.
    """
    heads = {row["org"]: row["seq"] for row in standing}
    yield dg.AssetObservation(EVENT_LOG.key, metadata={"last_event": heads, "events": sum(heads.values())})
    counts = {name: sum(row[name] or 0 for row in standing) for name in ("users", "teams", "team_members")}
    yield dg.AssetObservation(DIRECTORY.key, metadata={**counts, "dagster/row_count": counts["users"]})
    used: dict[dg.AssetKey, list[datetime]] = {}
    for token in tokens:
        if token["revoked_at"] is None:
            used.setdefault(of(token["idp"]).key, []).extend([token["last_used_at"]] if token["last_used_at"] else [])
    for key, moments in used.items():
        told: dict[str, Any] = {"last_request": max(moments).isoformat() if moments else "never"}
        told |= {"silent_for_seconds": (now - max(moments)).total_seconds()} if moments else {}
        yield dg.AssetObservation(key, metadata=told)
