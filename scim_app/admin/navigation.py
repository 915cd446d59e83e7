"""The sections of the settings, and who sees which."""

from collections.abc import Collection
from dataclasses import dataclass

from scim_app.directory.permissions import Permission


@dataclass(frozen=True, slots=True)
class Link:
    """One section."""

    path: str
    label: str
    icon: str
    permission: Permission


SECTIONS: tuple[tuple[str, tuple[Link, ...]], ...] = (
    (
        "People",
        (
            Link("users", "Users", "users", Permission.SEE_USERS),
            Link("teams", "Teams", "teams", Permission.SEE_USERS),
            Link("roles", "Roles", "roles", Permission.SEE_USERS),
            Link("deployments", "Deployments", "deployments", Permission.SEE_USERS),
        ),
    ),
    (
        "Provisioning",
        (
            Link("provisioning", "Provisioning", "provisioning", Permission.MANAGE_SCIM),
            Link("tokens", "Tokens", "tokens", Permission.MANAGE_SCIM),
            Link("keys", "API keys", "key", Permission.MANAGE_API_KEYS),
        ),
    ),
    (
        "Evidence",
        (
            Link("audit", "Audit log", "audit", Permission.SEE_AUDIT_LOG),
            Link("reviews", "Access reviews", "review", Permission.SEE_USERS),
            Link("reports", "Reports", "reports", Permission.SEE_AUDIT_LOG),
        ),
    ),
    ("Organization", (Link("general", "General", "general", Permission.SEE_USERS),)),
)


def navigation(permissions: Collection[Permission]) -> list[tuple[str, list[Link]]]:
    """Return the groups of sections that somebody with these permissions sees."""
    seen = [(group, [link for link in links if link.permission in permissions]) for group, links in SECTIONS]
    return [(group, links) for group, links in seen if links]
