"""How often an asset is made that does not follow every change."""

CADENCE = "scim/cadence"
"""Tag of assets that a schedule makes: `daily`, `weekly`, `monthly` or `quarterly`. All others follow every change."""
