"""Settings, read once from the environment (`DAGSTER_SCIM_*`)."""

import os
import secrets
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AnyHttpUrl, Field, FilePath, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from scim_app.private import make_folder

PEPPER_BYTES = 32
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
"""Names by which a machine reaches itself."""


_SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"


def share_metrics(folder: str) -> None:
    """Make the processes that are started from here on count into files of a folder, as Prometheus' client does."""
    os.environ[_SHARED_METRICS] = folder


_GONE = {"DAGSTER_SCIM_DORMANT_DAYS": "set it for each organization: `dagster-scim org set ORG --dormant-days DAYS`"}


def set_in_vain() -> list[str]:
    """Return a sentence on each variable of the environment that an earlier release read and this one does not."""
    return [f"{name} is not read any more; {instead}." for name, instead in _GONE.items() if name in os.environ]


def shared_metrics() -> Path | None:
    """Return the folder that the processes of the service count into, None where there is one process."""
    folder = os.environ.get(_SHARED_METRICS)
    return Path(folder) if folder else None


class Settings(BaseSettings):
    """Where things are kept and how they are reached. Frozen; every field has a working default.

    Environment names are the field names in capitals behind `DAGSTER_SCIM_`.
    """

    model_config = SettingsConfigDict(env_prefix="DAGSTER_SCIM_", frozen=True, extra="ignore")

    home: Path = Path("data")
    """Folder of the store, the warehouse, the reports and Dagster's own files."""

    database_url: str | None = Field(default=None, repr=False)
    """SQLAlchemy address of the store; an SQLite file in `home` when unset."""

    public_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8000")
    """Address the identity provider reaches; the only source of links and `meta.location`."""

    pepper: SecretStr | None = None
    """Key of the token digests, at least 32 characters; else read from `home/pepper`."""

    alert_urls: Annotated[tuple[str, ...], NoDecode] = Field(default=(), repr=False)
    """Where alerts go, separated by white space: Apprise addresses, `smtp://…`, `webhook+https://…`; `critical=` or
    `warning=` before one leaves out what matters less."""

    alert_webhook_secret: SecretStr | None = None
    """Key with which webhooks are signed."""

    reminder_mail: SecretStr | None = None
    """Mail server of the reminders that reviewers get of access reviews: `smtp://[USER:PASSWORD@]HOST[:PORT]?from=…`,
    `smtps` for TLS, `smtp+starttls` to turn to it; without it reminders go to the alert channels alone."""

    dagster_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:3000")
    """Address of the Dagster UI, for the links in alerts; code locations are read from it."""

    dagster_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Further names that the Dagster UI is reached by, separated by white space; it refuses every other."""

    mass_deprovision_percent: int = Field(default=20, ge=1, le=100)
    """Share of the active accounts, in percent, from which deactivations within an hour are abnormal."""

    mass_deprovision_least: int = Field(default=10, ge=0)
    """Up to so many deactivations within an hour are never abnormal."""

    warehouse_memory: str = "2GB"
    """Memory that the warehouse may use; the rest goes to disk."""

    end_of_day_cron: str = "10 * * * *"
    """When snapshots of days that have ended are fixed; hourly, since days end at other times in other zones."""

    daily_report_cron: str = "30 5 * * *"
    """When the compliance report is made, in `time_zone`."""

    weekly_report_cron: str = "0 6 * * 1"
    """When the weekly operations report is made, in each organization's own zone."""

    monthly_report_cron: str = "0 6 1 * *"
    """When the monthly joiner-mover-leaver report is made, in each organization's own zone."""

    quarterly_review_cron: str = "0 6 1 1,4,7,10 *"
    """When the quarterly access review is made, in each organization's own zone."""

    proof_cron: str = "30 2 * * *"
    """When the whole store is compared with its log and the log with its hashes, in `time_zone`."""

    extensions: FilePath | None = None
    """JSON file of custom SCIM extensions of users and groups."""

    rate_limit: float = Field(default=2_000, ge=0)
    """Requests a second that one token may make in the long run, in each process; 0 sets no limit."""

    rate_burst: int = Field(default=20_000, ge=1)
    """Requests that one token may make at once."""

    anonymous_rate_limit: float = Field(default=10, ge=0)
    """SCIM requests without a valid token a second that one address may make in the long run; 0 sets no limit."""

    anonymous_rate_burst: int = Field(default=200, ge=1)
    """SCIM requests without a valid token that one address may make at once."""

    api_rate_limit: float = Field(default=50, ge=0)
    """Requests a second that one key, session or address may make of the JSON API in the long run; 0 sets no limit."""

    api_rate_burst: int = Field(default=500, ge=1)
    """Requests of the JSON API that one of them may make at once."""

    drain_seconds: float = Field(default=0, ge=0, le=300)
    """How long the service goes on after the signal to stop, while `/readyz` says so: longer than balancers take."""

    request_seconds: float = Field(default=25, gt=0)
    """Longest time a request may take; after it the answer is 503."""

    time_zone: str = "UTC"
    """Zone in which a new organization's day ends (IANA name)."""

    oidc_issuer: str | None = None
    """Issuer of the OpenID provider that people sign in at, exactly as it names itself; no sign-in when unset."""

    oidc_client_id: str | None = None
    """Client id of this service at that provider."""

    oidc_client_secret: SecretStr | None = None
    """Client secret of this service at that provider; unset for a public client."""

    oidc_trust_email: bool = False
    """Whether the provider's e-mail addresses count as verified also where it does not say so (Entra, one tenant)."""

    oidc_id_claim: str | None = None
    """Claim of that provider's ID tokens that SCIM has as `externalId`; unset it is `oid` for Entra ID, else `sub`."""

    @field_validator("home")
    @classmethod
    def _absolute_home(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("alert_urls", "dagster_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is not a time zone; use an IANA name such as Europe/Paris") from error
        return value

    @property
    def store_url(self) -> str:
        """SQLAlchemy address of the store."""
        return self.database_url or f"sqlite:///{self.home / 'store.sqlite3'}"

    @property
    def warehouse_path(self) -> Path:
        """DuckDB file that the code location and dbt write."""
        return self.home / "warehouse.duckdb"

    @property
    def reports_path(self) -> Path:
        """Folder that compliance reports are written to."""
        return self.home / "reports"

    @property
    def dagster_home(self) -> Path:
        """Folder of the Dagster instance."""
        return self.home / "dagster"

    @property
    def base_url(self) -> str:
        """Public address without a slash at its end."""
        return str(self.public_url).rstrip("/")

    @property
    def local(self) -> bool:
        """Whether the service is reached on this machine alone."""
        return self.public_url.host in LOOPBACK

    def scim_base_url(self, slug: str) -> str:
        """Address that an identity provider is given for an organization."""
        return f"{self.base_url}/{slug}/scim/v2"

    def read_pepper(self) -> bytes:
        """Return the key of the token digests.

        Raises:
            LookupError: when neither the environment nor `home/pepper` holds one, or it is too short.
        """
        path = self.home / "pepper"
        if self.pepper is not None:
            value = self.pepper.get_secret_value()
        elif path.exists():
            value = path.read_text().strip()
        else:
            raise LookupError(
                "no pepper: set DAGSTER_SCIM_PEPPER to at least 32 random characters, "
                "or run `dagster-scim dev` once, which creates one"
            )
        if len(value) < PEPPER_BYTES:
            raise LookupError("the pepper is too short: at least 32 random characters are needed")
        return value.encode()

    def ensure_pepper(self) -> bytes:
        """Return the key of the token digests, made with mode 0600 in `home` where there is none yet."""
        path = self.home / "pepper"
        if self.pepper is None and not path.exists():
            make_folder(self.home)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(PEPPER_BYTES * 2))
        return self.read_pepper()
