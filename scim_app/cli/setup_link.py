"""`dagster-scim setup` and `org open`: links that open the settings pages once, without an identity provider."""

from typing import Annotated

import typer

from scim_app.cli.opening import AsJson, Organization, acting, opened_store, told
from scim_app.errors import Refused
from scim_app.settings import Settings
from scim_app.store.access import organizations
from scim_app.store.log.session import Store
from scim_app.store.sign_in import setup_links


def setup(
    org: Organization,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="E-mail address of the person; a user is added if there is none.")
    ],
    as_json: AsJson = False,
) -> None:
    """Print a link that signs a person in as an Organization Admin: once, within an hour, also while SCIM is on.

    Who then signs in at the identity provider, in the same browser or with that verified address, is bound to the user.
    """
    settings = Settings()
    if not (settings.local or settings.base_url.startswith("https://")):
        raise Refused(
            f"a link signs in only by https, and DAGSTER_SCIM_PUBLIC_URL is {settings.base_url}: put a TLS proxy "
            "before the service and set its address"
        )
    with acting(org) as desk:
        user_id, name, code = desk.write(setup_links.make_for_admin, address)
    url = _url(settings, org, code)
    sentence = f"It signs {name} in, once and within an hour; earlier links no longer work."
    told({"id": user_id, "user_name": name, "url": url}, sentence, as_json=as_json)
    if not as_json:
        typer.echo(url)


def open_settings(org: Organization) -> None:
    """Print a link that makes its reader the local administrator: once, within an hour, on this machine."""
    settings = Settings()
    if not settings.local:
        raise Refused(
            f"a link that names nobody opens the settings only where DAGSTER_SCIM_PUBLIC_URL is this machine, not "
            f"{settings.base_url}: use `dagster-scim setup {org} ADDRESS`, with the e-mail address of an admin"
        )
    with opened_store(settings) as store:
        typer.echo(setup_link(settings, store, org))
    typer.echo("It works once and for an hour; earlier links no longer work.", err=True)


def setup_link(settings: Settings, store: Store, org: str) -> str:
    """Return a new setup link of an organization that names nobody."""
    organization = store.read(lambda db: organizations.by_slug(db, org))
    return _url(settings, org, store.write(lambda db: setup_links.make(db, organization.id)))


def _url(settings: Settings, org: str, code: str) -> str:
    return f"{settings.base_url}/{org}/settings/setup?code={code}"
