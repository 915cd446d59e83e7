"""An attacker with a key or a session, every call that it can make, and what it has reached afterwards.

The attacker controls one user, Mallory, and every address at `evil.example`. It makes every call that its permissions
open, on everybody and everything, in an order that Hypothesis chooses. Afterwards nobody may have more than before or
than the attacker holds, and nothing may be open by which the attacker could sign in as somebody else.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import make
import sqlalchemy as sa
from acme import Acme
from fastapi.routing import APIRoute

from scim_app.admin.api.callers import permission_of
from scim_app.admin.api.router import ROUTERS
from scim_app.directory.access import Access, role_in
from scim_app.directory.kinds import TEAM, USER
from scim_app.directory.membership import MemberDelta
from scim_app.directory.permissions import SCOPES, TABLE, Permission, permissions_in
from scim_app.directory.roles import ORGANIZATION, Role, Scope, ScopeKind
from scim_app.store.access import access, grants, organization_settings, organizations, places
from scim_app.store.access.acting import Acting
from scim_app.store.credentials import sessions
from scim_app.store.credentials.sessions import SessionKind
from scim_app.store.db.sign_in_tables import identities
from scim_app.store.db.tables import users
from scim_app.store.lifecycle import people, teams, writes
from scim_app.store.log.event_log import Unit
from scim_app.store.resources import resources

EVIL = "@evil.example"
USERS = ("mallory", "ada", "grace", "dan", "removed", "deactivated")
TEAMS = ("admins", "prod_admins", "analysts", "waiting", "removed_admins")
BODIES: dict[str, list[Mapping[str, Any]]] = {
    "POST /users": [{"user_name": f"new{EVIL}"}],
    "PATCH /users/{user_id}": [{"user_name": f"taken-{{this}}{EVIL}"}],
    "POST /teams": [{"display_name": "Another"}],
    "PATCH /teams/{team_id}": [{"display_name": "Everybody {this}"}],
    "POST /teams/{team_id}/link": [{"external_id": "group of {this}"}],
    "POST /teams/{team_id}/link-preview": [{"user_names": []}],
    "POST /grants": [
        {"holder_kind": "user", "holder_id": "{mallory}", "role": role.value, "scope_kind": kind, "scope_id": place}
        for role in Role
        for kind, place in (("organization", None), ("deployment", "{prod}"), ("deployment", "{test}"))
    ]
    + [{"holder_kind": "team", "holder_id": "{analysts}", "role": role.value} for role in Role],
    "POST /deployments": [{"name": "more"}],
    "POST /deployments/{deployment_id}/code-locations": [{"name": "more"}],
    "POST /tokens": [{}],
    "PATCH /tokens/{token_id}": [{"description": "x"}],
    "POST /tokens/{token_id}/rotate": [{}],
    "POST /keys": [{"scopes": list(SCOPES)}],
    "PATCH /settings": [{"default_role": role.value} for role in Role if role is not Role.ORGANIZATION_ADMIN],
    "PUT /scim": [{"enabled": True}, {"enabled": False}],
    "PUT /break-glass": [{"password": "known to mallory"}],
}
"""What is sent; `{label}` stands for an id. A route that reads a body and is not here fails."""
CHOICES = {
    "{user_id}": [f"{{{label}}}" for label in USERS],
    "{team_id}": [f"{{{label}}}" for label in TEAMS],
    "{deployment_id}": ["{prod}", "{test}"],
    "{code_location_id}": ["{nothing}"],
    "{grant_id}": ["{grant}"],
    "{token_id}": ["{token}"],
    "{key_id}": ["{nothing}"],
}
"""What stands for each part of a path."""
CALLERS: list[tuple[str, ...] | str] = [
    *((scope,) for scope in SCOPES),
    tuple(SCOPES),
    *(role.value for role in Role if role is not Role.ORGANIZATION_ADMIN),
]
Call = tuple[str, str, Mapping[str, Any] | None]


@dataclass
class World:
    """An organization, its people by label, and who had what before."""

    acme: Acme
    ids: dict[str, str]
    permissions: frozenset[Permission] = frozenset()
    """What the attacker's key or role allows."""
    held: list[Access] | None = None
    """What Mallory holds, where the attacker is a person."""
    before: dict[str, list[Access]] = field(default_factory=dict[str, list[Access]])

    @classmethod
    def make(cls, first: Acme, number: int) -> "World":
        """A fresh organization with admins of every kind, whom the attacker could take over."""
        made = make.organization(first.site.settings, f"world-{number}")
        store = first.site.store
        desk = Acting(store, store.read(lambda db: organizations.by_slug(db, made.slug)), make.ACTOR)
        ids = desk.write(_people_and_teams)
        token = made.token.split("_")[1]
        return cls(Acme(desk, first.client, first.site, made.token, "", {}), ids | {"token": token})

    def enter(self, caller: tuple[str, ...] | str) -> None:
        """Give the attacker a key, or Mallory a role on a deployment and a session."""
        if isinstance(caller, tuple):
            self.acme.secrets["key"] = self.acme.new_key(*caller)
            self.permissions = permissions_in(caller)
        else:
            if caller != Role.VIEWER:
                place = Scope(ScopeKind.DEPLOYMENT, self.ids["prod"])
                self.acme.desk.write(grants.grant, "user", self.ids["mallory"], Role(caller), place)
            mallory = self.ids["mallory"]
            self.acme.secrets["mallory"] = self.acme.desk.write(
                sessions.start, SessionKind.OIDC, user_id=mallory, name="mallory"
            )
            self.permissions, self.held = TABLE[Role(caller)], self.access_of(mallory)
        self.before = {user_id: self.access_of(user_id) for user_id in self.active()}

    def call(self, call: Call) -> Any:
        """The answer to a call of the attacker."""
        method, path, body = self.real(call)
        if "key" in self.acme.secrets:
            return self.acme.as_key(method, path, self.acme.secrets["key"], json=body)
        return self.acme.as_role("mallory", method, path, json=body)

    def real(self, value: Any) -> Any:
        """A value with ids for labels."""
        if isinstance(value, tuple):
            return tuple(self.real(one) for one in value)
        if isinstance(value, Mapping):
            return {name: self.real(held) for name, held in value.items()}
        if isinstance(value, str):
            for label, its in self.ids.items():
                value = value.replace(f"{{{label}}}", its)
        return value

    def active(self) -> dict[str, str]:
        """Active users, by id, with their user names."""
        query = sa.select(users.c.id, users.c.user_name).where(users.c.active, users.c.deleted_at.is_(None))
        org_id = self.acme.desk.organization.id
        return self.acme.site.store.read(
            lambda db: {row.id: row.user_name for row in db.execute(query.where(users.c.org_id == org_id))}
        )

    def covers(self, role: Role, scope: Scope) -> bool:
        """Whether the attacker holds a role."""
        if self.held is None:
            return TABLE[role] <= self.permissions
        own = role_in(self.held, scope, self.acme.desk.read(places.places))
        return own is not None and own.role.rank <= role.rank

    def team(self, label: str) -> Any:
        """A team that is there, None where it was removed."""
        return self.acme.desk.read(lambda db, org_id: resources.find(db, org_id, TEAM, self.ids[label]))

    def access_of(self, user_id: str) -> list[Access]:
        """What a user holds."""
        return self.acme.desk.read(access.of_user, user_id).access


def _people_and_teams(unit: Unit) -> dict[str, str]:
    """Admins of every kind, whom the attacker could take over; ids by label."""
    organization_settings.switch_scim(unit, on=False)
    ids = {name: people.add(unit, f"{name}{EVIL if name == 'mallory' else '@acme.example'}").id for name in USERS}
    ids |= {name: teams.create(unit, name).id for name in TEAMS}
    ids |= {name: places.add_deployment(unit, name).id for name in ("prod", "test")}
    prod = Scope(ScopeKind.DEPLOYMENT, ids["prod"])
    for name in ("ada", "grace", "removed", "deactivated"):
        grants.grant(unit, "user", ids[name], Role.ORGANIZATION_ADMIN, ORGANIZATION)
    for name in ("admins", "removed_admins"):
        grants.grant(unit, "team", ids[name], Role.ORGANIZATION_ADMIN, ORGANIZATION)
    for kind, name in (("user", "dan"), ("team", "prod_admins"), ("team", "waiting")):
        grants.grant(unit, kind, ids[name], Role.ADMIN, prod)
    teams.offer(unit, ids["waiting"])
    people.remove(unit, ids["removed"])
    teams.remove(unit, ids["removed_admins"])
    writes.update(unit, USER, ids["deactivated"], _deactivate)
    bound = {"issuer": "https://issuer.example", "subject": "ada", "user_id": ids["ada"], "since": unit.at}
    unit.connection.execute(sa.insert(identities), {"org_id": unit.org_id, **bound})
    return ids | {"grant": grants.find(unit.connection, unit.org_id)[0].grant_id, "nothing": "nothing"}


def _deactivate(_: Any, stored: Any) -> Any:
    return {**stored.load(), "active": False}, MemberDelta()


def calls_of(world: World) -> list[Call]:
    """Every call that the attacker's permissions open, and those that are for people alone."""
    found: list[Call] = []
    for route in itertools.chain.from_iterable(router.routes for router in ROUTERS):
        assert isinstance(route, APIRoute)
        needed = next(asked for one in route.dependant.dependencies if one.call and (asked := permission_of(one.call)))
        path = route.path.removeprefix("/{org}/api")
        for method in route.methods - {"GET"}:
            name = f"{method} {path}"
            assert name in BODIES or route.body_field is None, name
            if needed in world.permissions or needed not in permissions_in(SCOPES):
                choices = CHOICES | ({"{user_id}": ["{mallory}"]} if "{team_id}" in path else {})
                paths = itertools.product(*(choices.get(part, [part]) for part in path.split("/")))
                sent = itertools.product(paths, BODIES.get(name, [None]))
                found += [(method, "/".join(parts), _about(body, parts)) for parts, body in sent]
    return found


def _about(body: Mapping[str, Any] | None, parts: tuple[str, ...]) -> Mapping[str, Any] | None:
    """A body whose names differ by what it is sent to."""
    target = next((part.strip("{}") for part in parts if part.startswith("{")), "")
    if body is None:
        return None
    return {name: held.replace("{this}", target) if isinstance(held, str) else held for name, held in body.items()}
