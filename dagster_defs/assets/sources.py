"""Where identities come from: assets that others make, so that lineage starts at the identity provider."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

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


def _of_the_store(key: str, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=IDENTITY_PROVIDERS,
        group_name="sources",
        kinds={"scim"},
        owners=OWNERS,
        tags={"scim/layer": "store"},
        description=description,
    )


DIRECTORY = _of_the_store(
    "scim_directory",
    "Users, teams, memberships, grants and tokens as they are now, in the SCIM service's store.",
)
EVENT_LOG = _of_the_store(
    "scim_event_log",
    "Every accepted and every refused write, numbered without gaps and chained by hash, in the SCIM service's store. "
    "It is written in the transaction of the change itself.",
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
