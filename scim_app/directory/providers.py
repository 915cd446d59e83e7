"""The identity providers that a SCIM token can be made for: one list for CLI, pages, API and dialects."""

from enum import StrEnum


class IdentityProvider(StrEnum):
    """An identity provider whose dialect of SCIM is known; `strict` is any client that keeps to the RFC."""

    OKTA = "okta"
    ENTRA = "entra"
    ONELOGIN = "onelogin"
    JUMPCLOUD = "jumpcloud"
    GOOGLE = "google"
    PING = "ping"
    RIPPLING = "rippling"
    STRICT = "strict"

    @property
    def label(self) -> str:
        """What people call it."""
        return _TITLES[self]


_TITLES = {
    IdentityProvider.OKTA: "Okta",
    IdentityProvider.ENTRA: "Microsoft Entra ID",
    IdentityProvider.ONELOGIN: "OneLogin",
    IdentityProvider.JUMPCLOUD: "JumpCloud",
    IdentityProvider.GOOGLE: "Google Workspace",
    IdentityProvider.PING: "PingOne",
    IdentityProvider.RIPPLING: "Rippling",
    IdentityProvider.STRICT: "Strict SCIM client",
}
