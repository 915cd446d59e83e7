"""What all pages need: the store, the settings, the provider, and how addresses and cookies are formed."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from scim_app.admin.oidc import Provider
from scim_app.admin.refusals import Refusals
from scim_app.rate import Buckets
from scim_app.settings import Settings
from scim_app.store.credentials.sessions import ABSOLUTE
from scim_app.store.log.session import Store

SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Site:
    """The settings site of one running service."""

    store: Store
    settings: Settings
    key: bytes
    """Key of signatures: the pepper."""
    provider: Provider | None
    api_rate: Buckets
    """How fast one caller may use the JSON API."""
    refusals: Refusals
    """The refused sign-ins of this moment."""

    @classmethod
    def of(cls, store: Store, settings: Settings) -> "Site":
        """Return the site over an open store; raises `LookupError` without a pepper."""
        rate = Buckets(settings.api_rate_limit, settings.api_rate_burst)
        return cls(store, settings, settings.read_pepper(), Provider.of(settings), rate, Refusals(store))

    @property
    def secure(self) -> bool:
        """Whether browsers reach the service by https."""
        return self.settings.base_url.startswith("https://")

    @property
    def callback(self) -> str:
        """Redirect address that the provider knows."""
        return f"{self.settings.base_url}/_/callback"

    def base(self, slug: str) -> str:
        """Path below which an organization's settings are."""
        return f"/{slug}/{SETTINGS}"

    def cookie(self, name: str) -> str:
        """Return a cookie's name: bound to this host by its prefix wherever browsers take it."""
        return f"__Host-scim_{name}" if self.secure else f"scim_{name}"

    def set_cookie(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Give the browser a cookie that scripts can't read and other sites can't send along with a form."""
        response.set_cookie(
            self.cookie(name), value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def drop_cookie(self, response: Response, name: str) -> None:
        """Take a cookie back."""
        response.delete_cookie(self.cookie(name), path="/", secure=self.secure, httponly=True, samesite="lax")

    def start_session(self, response: Response, slug: str, secret: str) -> None:
        """Give the browser the secret of a session of an organization; one browser may hold several organizations'."""
        self.set_cookie(response, f"session_{slug}", secret, int(ABSOLUTE.total_seconds()))


def site_of(request: Request) -> Site:
    """Return the site that a request came to."""
    return request.app.state.site


Here = Annotated[Site, Depends(site_of)]
