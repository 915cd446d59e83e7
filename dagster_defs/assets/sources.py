"""Where identities come from: assets that others make, so that lineage starts at the identity provider."""

import dagster as dg

IDENTITY_PROVIDER = dg.AssetSpec(
    "identity_provider",
    group_name="sources",
    kinds={"okta", "azure"},
    description="Okta, Entra ID or another SCIM client: it pushes users and groups to the SCIM service.",
)
DIRECTORY = dg.AssetSpec(
    "scim_directory",
    deps=[IDENTITY_PROVIDER],
    group_name="sources",
    kinds={"scim", "sqlite"},
    description="Users, teams and memberships as they are now, in the SCIM service's store.",
)
EVENT_LOG = dg.AssetSpec(
    "scim_event_log",
    deps=[IDENTITY_PROVIDER],
    group_name="sources",
    kinds={"scim", "sqlite"},
    description=(
        "Every accepted and every refused write, numbered without gaps and chained by hash, in the SCIM "
        "service's store. It is written in the transaction of the change itself."
    ),
)

ASSETS = [IDENTITY_PROVIDER, DIRECTORY, EVENT_LOG]
"""All sources."""
OWNERS = ["team:identity"]
"""Who looks after the assets made here."""
