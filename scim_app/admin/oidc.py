"""Signing in at an OpenID provider: authorization code flow with PKCE, and what makes an ID token believable."""

import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import orjson
import structlog
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from scim_app.errors import DirectoryError
from scim_app.settings import LOOPBACK, Settings
from scim_app.store.credentials.sessions import RECENT

ALGORITHMS = ["RS256", "PS256", "ES256"]
"""Signatures that are believed; never `none`, never one with a shared secret."""
TIMEOUT_SECONDS = 10
CACHE_SECONDS = 3600
ANSWER_BYTES = 256 * 1024
LEEWAY_SECONDS = 60
SUBJECT = "sub"
ENTRA = ("login.microsoftonline.com", "sts.windows.net", "login.microsoftonline.us", "login.partner.microsoftonline.cn")
"""Hosts of Entra ID, whose `sub` differs for each application; its `oid` is the `objectId` that SCIM can have."""

log = structlog.get_logger("sign_in")


class SignInRefused(DirectoryError):
    """Nobody is signed in; the sentence may be shown."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is.

    `email` is None unless the provider vouches for it; `external_id` is the claim that SCIM has as `externalId`, empty
    where the provider leaves it out; `authenticated_at` is when the person proved it there, in seconds since 1970, None
    when it does not tell.
    """

    issuer: str
    subject: str
    email: str | None
    external_id: str
    authenticated_at: int | None = None


class Provider:
    """An OpenID provider that people sign in at; its metadata and keys are kept for an hour."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        trust_email: bool = False,
        id_claim: str | None = None,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._trust_email = trust_email
        self._id_claim = id_claim or ("oid" if urlsplit(issuer).hostname in ENTRA else SUBJECT)
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    @classmethod
    def of(cls, settings: Settings) -> "Provider | None":
        """Return the provider of the settings, None when none is set."""
        if settings.oidc_issuer is None or settings.oidc_client_id is None:
            return None
        secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else ""
        return cls(
            settings.oidc_issuer,
            settings.oidc_client_id,
            secret,
            trust_email=settings.oidc_trust_email,
            id_claim=settings.oidc_id_claim,
        )

    @property
    def name(self) -> str:
        """Host of the issuer, which people recognize."""
        return urlsplit(self._issuer).netloc

    def start(self, redirect_uri: str, *, again: bool = False) -> tuple[str, dict[str, str]]:
        """Return the address to send the browser to, and the flow that `finish` needs.

        Args:
            redirect_uri: where the provider sends the browser back to.
            again: whether the person is to prove anew who it is, even if the provider remembers.

        Raises:
            SignInRefused: when the provider can't be reached or is not the one that was set.
        """
        flow = {"state": generate_token(43), "nonce": generate_token(43), "verifier": generate_token(64)}
        endpoint = self._metadata()["authorization_endpoint"]
        # An age makes the provider tell `auth_time` (OpenID Connect Core §3.1.2.1); of 0 some would ask for ever.
        asked = {"prompt": "login", "max_age": str(int(RECENT.total_seconds()))} if again else {}
        with closing(self._client(redirect_uri)) as client:
            url, _ = client.create_authorization_url(
                endpoint, state=flow["state"], nonce=flow["nonce"], code_verifier=flow["verifier"], **asked
            )
        return cast("str", url), flow

    def finish(self, flow: Mapping[str, str], query: Mapping[str, str], redirect_uri: str) -> Identity:
        """Return who signed in, from the query of the callback.

        Raises:
            SignInRefused: when anything about the answer is not as it must be.
        """
        metadata = self._metadata()
        if query.get("state") != flow["state"]:
            raise SignInRefused("This sign-in was not started here, or is too old. Start again.")
        if "iss" in query and query["iss"] != metadata["issuer"]:
            raise SignInRefused("The answer came from another identity provider.")
        if "code" not in query:
            raise SignInRefused("The identity provider did not let you in.")
        token = self._exchange(metadata, flow, query["code"], redirect_uri)
        claims = self._claims(token, flow["nonce"])
        told, email = claims.get("auth_time"), self._email(metadata, token, claims)
        at = told if isinstance(told, int) else None
        return Identity(claims["iss"], claims["sub"], email, self._external_id(claims), at)

    def _external_id(self, claims: Mapping[str, Any]) -> str:
        value = claims.get(self._id_claim)
        return value if isinstance(value, str) else ""

    def _exchange(
        self, metadata: Mapping[str, Any], flow: Mapping[str, str], code: str, redirect_uri: str
    ) -> dict[str, Any]:
        try:
            with closing(self._client(redirect_uri)) as client:
                endpoint = metadata["token_endpoint"]
                return dict(client.fetch_token(endpoint, code=code, code_verifier=flow["verifier"]))
        except Exception as error:  # whatever another party's answer breaks, the answer here is the same
            log.warning("token endpoint refused", error=type(error).__name__)
            raise SignInRefused("The identity provider did not confirm this sign-in. Start again.") from error

    def _claims(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
        options = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        try:
            read = self._decode(str(token.get("id_token") or ""))
            claims = CodeIDToken(read.claims, read.header, options, params)
            claims.validate(leeway=LEEWAY_SECONDS)
            if not isinstance(claims["sub"], str) or not claims["sub"]:
                raise ValueError("sub")
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("id token refused", error=type(error).__name__, claim=getattr(error, "claim", None))
            raise SignInRefused("The identity provider's answer is not valid for this service.") from error
        return dict(claims)

    def _decode(self, text: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(text, key=self._keys(), registry=registry)
        except InvalidKeyIdError:
            # The provider may have changed its keys; it is asked again, but not by everybody who sends nonsense.
            return jwt.decode(text, key=self._keys(older_than=30), registry=registry)

    def _email(self, metadata: Mapping[str, Any], token: Mapping[str, Any], claims: dict[str, Any]) -> str | None:
        """Return the e-mail address that the provider vouches for; asked of userinfo where the ID token has none."""
        if "email" not in claims and "userinfo_endpoint" in metadata:
            bearer = {"Authorization": f"Bearer {token.get('access_token')}"}
            told = _get_json(metadata["userinfo_endpoint"], bearer)
            claims = told if told.get("sub") == claims["sub"] else {}
        vouched = claims.get("email_verified") in (True, "true") or self._trust_email
        email = claims.get("email")
        return email if vouched and isinstance(email, str) and "@" in email else None

    def _metadata(self) -> dict[str, Any]:
        url = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = self._fetch(url, CACHE_SECONDS)
        if found.get("issuer") != self._issuer:
            raise SignInRefused("The identity provider is not the one that was set (its issuer differs).")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if not all(_is_safe(found.get(name)) for name in needed):
            raise SignInRefused("The identity provider's addresses must be https.")
        return found

    def _keys(self, *, older_than: float = CACHE_SECONDS) -> KeySet:
        return KeySet.import_key_set(cast("Any", self._fetch(self._metadata()["jwks_uri"], older_than)))

    def _fetch(self, url: str, older_than: float) -> dict[str, Any]:
        with self._lock:
            at, value = self._kept.get(url, (0.0, {}))
            if not value or time.monotonic() - at > older_than:
                value = _get_json(url)
                self._kept[url] = (time.monotonic(), value)
            return value

    def _client(self, redirect_uri: str) -> Any:
        return OAuth2Client(
            self._client_id,
            self._client_secret or None,
            token_endpoint_auth_method="client_secret_basic" if self._client_secret else "none",
            scope="openid email profile",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            trust_env=False,
        )


def _is_safe(url: object) -> bool:
    parts = urlsplit(str(url))
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _get_json(url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a JSON object of the provider, read only as far as such an object is long."""
    if not _is_safe(url):
        raise SignInRefused("The identity provider's addresses must be https.")
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            answer.raise_for_status()
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > ANSWER_BYTES:
                    raise ValueError("too long")
        value = orjson.loads(body)
        if not isinstance(value, dict):
            raise TypeError("no object")
    except (httpx.HTTPError, ValueError, TypeError) as error:
        log.warning("identity provider unreachable", error=type(error).__name__)
        raise SignInRefused("The identity provider can't be reached now. Try again in a moment.") from error
    return value
