"""Effective access: the most permissive of what a person holds, and where each part comes from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scim_app.directory.roles import ORGANIZATION, Grant, Role, Scope, ScopeKind


@dataclass(frozen=True, slots=True)
class Place:
    """A deployment or a code location as access sees it: its name and the scopes that contain it."""

    scope: Scope
    name: str
    within: tuple[Scope, ...] = (ORGANIZATION,)


@dataclass(frozen=True, slots=True)
class Access:
    """A role somewhere and the source that gives it; `grant` is None where it is the default role."""

    scope: Scope
    role: Role
    source: str
    """`default`, `user` or `team`."""
    source_id: str | None = None
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """The deployments and code locations of an organization, by scope."""

    by_scope: Mapping[Scope, Place] = field(default_factory=dict[Scope, Place])

    def name(self, scope: Scope) -> str | None:
        """Return what people call a scope; None for a deployment or code location that is gone."""
        if scope in self.by_scope:
            return self.by_scope[scope].name
        return _NAMES.get(scope.kind)

    def within(self, scope: Scope) -> tuple[Scope, ...]:
        """Return the wider scopes whose grants hold in a scope."""
        if scope in self.by_scope:
            return self.by_scope[scope].within
        return () if scope == ORGANIZATION else (ORGANIZATION,)


_NAMES = {ScopeKind.ORGANIZATION: "organization", ScopeKind.ALL_BRANCH_DEPLOYMENTS: "all branch deployments"}


def deployment_place(deployment_id: str, name: str, kind: str) -> Place:
    """Return the place of a deployment; grants on all branch deployments hold in a `branch` one."""
    branches = (Scope(ScopeKind.ALL_BRANCH_DEPLOYMENTS),) if kind == "branch" else ()
    return Place(Scope(ScopeKind.DEPLOYMENT, deployment_id), name, (ORGANIZATION, *branches))


def code_location_place(code_location_id: str, name: str, deployment: Place) -> Place:
    """Return the place of a code location of a deployment."""
    scope = Scope(ScopeKind.CODE_LOCATION, code_location_id)
    return Place(scope, f"{deployment.name}/{name}", (*deployment.within, deployment.scope))


def applying(grants: Iterable[Grant], user_id: str, team_ids: Iterable[str]) -> list[Grant]:
    """Return the grants that a user holds, by itself or through its teams."""
    holders = {("user", user_id), *(("team", team_id) for team_id in team_ids)}
    return [grant for grant in grants if (grant.holder_kind, grant.holder_id) in holders]


def effective_access(grants: Iterable[Grant], default: Role, places: Places) -> list[Access]:
    """Return a person's effective access: the organization first, then each scope that gives more than the wider ones.

    Of two sources that give the same role, the person's own grant is told before a team's.

    Args:
        grants: the live grants that the person holds (`applying`).
        default: the organization's default role.
        places: deployments and code locations; a grant on one that is gone gives nothing.
    """
    best = {ORGANIZATION: Access(ORGANIZATION, default, "default")}
    for grant in sorted(grants, key=_telling_order):
        held = best.get(grant.scope)
        if places.name(grant.scope) and (held is None or grant.role.rank < held.role.rank):
            best[grant.scope] = Access(grant.scope, grant.role, grant.holder_kind, grant.holder_id, grant)
    return [access for access in best.values() if not _inherited(access, best, places)]


def role_in(access: Iterable[Access], scope: Scope, places: Places) -> Access | None:
    """Return what holds in a scope, of effective access; None without any."""
    reach = {scope, *places.within(scope)}
    return min((one for one in access if one.scope in reach), key=lambda one: one.role.rank, default=None)


def explain(access: Iterable[Access], places: Places, teams: Mapping[str, str]) -> str:
    """Return effective access in words: "Editor on prod through team Data Platform; Viewer by default".

    Args:
        access: a person's effective access.
        places: names of deployments and code locations.
        teams: names of teams by id.
    """
    told = sorted(access, key=lambda one: (one.role.rank, one.scope != ORGANIZATION))
    return "; ".join(f"{one.role.words}{_where(one, places)} {_source(one, teams)}" for one in told)


def _where(access: Access, places: Places) -> str:
    return "" if access.scope == ORGANIZATION else f" on {places.name(access.scope)}"


def _source(access: Access, teams: Mapping[str, str]) -> str:
    if access.source == "team":
        return f"through team {teams.get(access.source_id or '', access.source_id)}"
    return "by default" if access.source == "default" else "by own grant"


def _telling_order(grant: Grant) -> tuple[int, bool, str]:
    return grant.role.rank, grant.holder_kind != "user", grant.grant_id


def _inherited(access: Access, best: Mapping[Scope, Access], places: Places) -> bool:
    wider = (best[scope].role.rank for scope in places.within(access.scope) if scope in best)
    return any(rank <= access.role.rank for rank in wider)
