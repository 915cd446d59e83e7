"""Who calls the API and what they may do: a key with scopes, or the session of a signed-in browser."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request

from scim_app.admin import signed
from scim_app.admin.api.problems import NotAuthenticated, TooFast
from scim_app.admin.guard import SAFE
from scim_app.admin.site import Here, Site
from scim_app.admin.viewers import Viewer, csrf_token, recognize
from scim_app.directory.events import Actor
from scim_app.directory.permissions import OF_PEOPLE, Permission, may_grant, permissions_in
from scim_app.directory.reach import Authority
from scim_app.directory.roles import Scope
from scim_app.errors import NotFound, NotPermitted
from scim_app.store.access import organizations
from scim_app.store.access.acting import Acting
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials import api_keys, sessions
from scim_app.store.credentials.api_keys import KeyHolder
from scim_app.store.credentials.credentials import Use
from scim_app.store.db.stamps import now
from scim_app.store.log.event_log import holding

CSRF_HEADER = "X-CSRF-Token"
_WANTED = (
    "an API key of this organization is needed (Authorization: Bearer key_…), or a signed-in session; "
    "SCIM tokens are not valid here"
)


@dataclass(frozen=True, slots=True)
class Caller(Acting):
    """Somebody who may make this request: what they do is done in their name."""

    permissions: frozenset[Permission]
    viewer: Viewer | None
    """The person behind a session, None for a key."""
    site: Site

    def require_grantable(self, scope: Scope) -> None:
        """Refuse to grant or revoke where the caller is no Admin.

        Raises:
            NotPermitted: saying so.
        """
        if self.viewer is not None and not may_grant(self.viewer.access, scope, self.viewer.places):
            raise NotPermitted(
                "roles are granted and revoked here by an Admin of the deployment, or Organization Admin"
            )


def needs(permission: Permission, *, recent: bool = False) -> Any:
    """Return the dependency of a route that needs a permission; it gives the caller.

    Args:
        permission: what the caller needs.
        recent: whether a person must have signed in a moment ago; of keys nothing of the kind is asked.
    """

    def enter(request: Request, site: Here, org: str) -> Caller:
        caller = _recognize(request, site, org)
        if permission in OF_PEOPLE and caller.viewer is None:
            raise NotPermitted(f"no API key has the permission {permission.value!r}: sign in as an Organization Admin")
        if permission not in caller.permissions:
            raise NotPermitted(f"this needs the permission {permission.value!r}, which the role or key does not give")
        if recent and caller.viewer is not None and not caller.viewer.session.recent:
            raise NotPermitted(f"{sessions.RECENT_WORDS}: {site.base(org)}/sign-in?again=yes")
        request.scope["route"].require_known_parameters(request)
        return caller

    enter.permission = permission  # pyright: ignore[reportFunctionMemberAccess]
    return Depends(enter)


def _recognize(request: Request, site: Site, slug: str) -> Caller:
    offered = request.headers.getlist("authorization")
    try:
        organization = site.store.read(lambda db: organizations.by_slug(db, slug))
        return _by_key(request, site, organization, offered) if offered else _by_session(request, site, organization)
    except (NotFound, NotAuthenticated) as problem:
        _require_slow(site, f"address {request.client.host if request.client else ''}")
        raise NotAuthenticated(_WANTED) from problem


def _require_slow(site: Site, who: str) -> None:
    if seconds := site.api_rate.take(who):
        raise TooFast(seconds)


def _by_key(request: Request, site: Site, organization: Organization, offered: list[str]) -> Caller:
    scheme, _, text = offered[0].partition(" ") if len(offered) == 1 else ("", "", "")
    holder: KeyHolder | None = None
    if scheme.lower() == "bearer":
        holder = site.store.read(lambda db: api_keys.authenticate(db, organization.slug, text.strip(), site.key))
    if holder is None:
        raise NotAuthenticated(_WANTED)
    _require_slow(site, f"key {holder.key_id}")
    if (holder.last_used_at or "")[:16] != now()[:16]:
        use = Use(request.client.host if request.client else None, request.headers.get("user-agent"))
        noting = holding(organization.id, lambda db: api_keys.note_use(db, holder.key_id, use))
        site.store.submit(noting, organization.id)
    permissions = permissions_in(holder.scopes)
    actor = _actor(request, f"key {holder.key_id}", Authority(permissions))
    return Caller(site.store, organization, actor, permissions, None, site)


def _by_session(request: Request, site: Site, organization: Organization) -> Caller:
    secret = request.cookies.get(site.cookie(f"session_{organization.slug}"), "")
    _, viewer = site.store.read(lambda db: recognize(db, organization.slug, secret))
    if viewer is None:
        raise NotAuthenticated(_WANTED)
    _require_slow(site, f"session {viewer.session.id}")
    sent = request.headers.get(CSRF_HEADER, "")
    if request.method not in SAFE and not signed.same(sent, csrf_token(site, secret)):
        raise NotPermitted(f"a change by a browser's session carries the page's token in {CSRF_HEADER}")
    if viewer.session.seen_at[:16] != now()[:16]:
        noting = holding(organization.id, lambda db: sessions.note_use(db, organization.id, viewer.session.id))
        site.store.submit(noting, organization.id)
    actor = _actor(request, viewer.actor_name, viewer.authority)
    return Caller(site.store, organization, actor, viewer.permissions, viewer, site)


def _actor(request: Request, name: str, authority: Authority) -> Actor:
    asked = {"request_id": request.state.request_id, "method": request.method, "path": request.url.path}
    return Actor(name=name, authority=authority, **asked)


def permission_of(call: Callable[..., Any]) -> Permission | None:
    """Return the permission that a dependency made by `needs` asks for, None of any other."""
    return getattr(call, "permission", None)
