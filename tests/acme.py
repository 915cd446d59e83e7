"""An application with organizations, keys, and people of every role who are signed in."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import make
from fastapi.testclient import TestClient

from scim_app.admin.api.callers import CSRF_HEADER
from scim_app.admin.site import Site
from scim_app.admin.viewers import csrf_token
from scim_app.app import create_app
from scim_app.directory.permissions import SCOPES
from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.store.access import grants, organization_settings, organizations, places
from scim_app.store.access.acting import Acting
from scim_app.store.credentials import api_keys, sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.export import Export
from scim_app.store.lifecycle import people, teams

ADDRESS = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Acme:
    """One organization with a deployment, a code location, a team, a grant, and people by role."""

    desk: Acting
    client: TestClient
    site: Site
    scim_token: str
    key: str
    """A key with every scope."""
    ids: dict[str, str]
    """What paths are filled in with."""
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    """Role → secret of a session."""

    @property
    def slug(self) -> str:
        """The organization's slug."""
        return self.desk.organization.slug

    def as_key(self, method: str, path: str, key: str | None = None, **sent: Any) -> Any:
        """The answer to a request with a key."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return self.client.request(method, f"/{self.slug}/api{path}", headers=headers, **sent)

    def as_role(self, role: str, method: str, path: str, *, csrf: bool = True, **sent: Any) -> Any:
        """The answer to a request of a signed-in person."""
        headers = self._browser(role)
        headers |= {CSRF_HEADER: csrf_token(self.site, self.secrets[role])} if csrf else {}
        return self.client.request(method, f"/{self.slug}/api{path}", headers=headers, **sent)

    def see(self, path: str, role: str = "organization_admin") -> Any:
        """The page that a person of a role sees."""
        return self.client.get(f"/{self.slug}/settings/{path}", headers=self._browser(role))

    def send(self, path: str, role: str = "organization_admin", /, **fields: str) -> Any:
        """The answer to a form of a person of a role."""
        form = {"csrf": csrf_token(self.site, self.secrets[role]), **fields}
        headers = self._browser(role) | {"Sec-Fetch-Site": "same-origin"}
        return self.client.post(f"/{self.slug}/settings/{path}", headers=headers, data=form)

    def _browser(self, role: str) -> dict[str, str]:
        return {"Cookie": f"{self.site.cookie(f'session_{self.slug}')}={self.secrets[role]}"}

    @contextmanager
    def export(self) -> Generator[Export]:
        """The store's export."""
        export = Export(self.site.settings.store_url)
        try:
            yield export
        finally:
            export.close()

    def new_key(self, *scopes: str, description: str = "") -> str:
        """A key with scopes."""
        return self.desk.write(api_keys.create, scopes, description=description, pepper=self.site.key)[1]


@contextmanager
def application(home: Path, *slugs: str) -> Generator[list[Acme]]:
    """The application over a fresh store, with organizations."""
    made = [make.organization(make.settings(home), slug) for slug in slugs]
    app = create_app(make.settings(home))
    with TestClient(app, ADDRESS, follow_redirects=False) as client:
        yield [_filled(client, app.state.site, one) for one in made]


def _filled(client: TestClient, site: Site, made: make.Organization) -> Acme:
    desk = Acting(site.store, site.store.read(lambda db: organizations.by_slug(db, made.slug)), make.ACTOR)
    desk.write(organization_settings.switch_scim, on=False)
    deployment = desk.write(places.add_deployment, "prod")
    location = desk.write(places.add_code_location, deployment.id, "etl")
    team = desk.write(teams.create, "Data Platform")
    people_by_role = {role: desk.write(people.add, f"{role}@{made.slug}.example.com") for role in Role}
    for role, person in people_by_role.items():
        if role is not Role.VIEWER:
            scope = ORGANIZATION if role is Role.ORGANIZATION_ADMIN else Scope(ScopeKind.DEPLOYMENT, deployment.id)
            desk.write(grants.grant, "user", person.id, role, scope)
    held = desk.write(grants.grant, "team", team.id, Role.LAUNCHER, Scope(ScopeKind.CODE_LOCATION, location.id))
    _, key = desk.write(api_keys.create, SCOPES, pepper=site.key)
    ids = {
        "user_id": people_by_role[Role.VIEWER].id,
        "team_id": team.id,
        "grant_id": held.grant_id,
        "deployment_id": deployment.id,
        "code_location_id": location.id,
        "token_id": made.token.split("_")[1],
        "key_id": key.split("_")[1],
        "request_id": "nothing",
    }
    secrets = {
        role.value: desk.write(sessions.start, SessionKind.OIDC, user_id=person.id, name=role.value)
        for role, person in people_by_role.items()
    }
    return Acme(desk, client, site, made.token, key, ids, secrets)
