"""Who holds a session, and what they may do here: read anew on each request."""

from dataclasses import dataclass

import sqlalchemy as sa

from scim_app.admin import signed
from scim_app.admin.site import Site
from scim_app.directory.access import Access, Places
from scim_app.directory.permissions import Permission, permissions_of
from scim_app.directory.reach import Authority
from scim_app.directory.roles import ORGANIZATION, Role
from scim_app.store.access import access, organizations
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials import sessions
from scim_app.store.credentials.sessions import Session, SessionKind

_NAMES = {SessionKind.SETUP: "Local administrator", SessionKind.BREAK_GLASS: "Emergency account"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: the session and what it may do here, read anew on each request."""

    session: Session
    access: list[Access]
    places: Places

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the person may do at least somewhere."""
        return permissions_of(self.access)

    @property
    def role_words(self) -> str:
        """The person's most permissive role, as people write it."""
        return min((held.role for held in self.access), key=lambda role: role.rank).words

    @property
    def name(self) -> str:
        """What the page calls the person."""
        return self.session.display_name or self.user_name

    @property
    def user_name(self) -> str:
        """What the person signs in with, or how it signed in where it is no user."""
        return self.session.user_name or _NAMES[SessionKind(self.session.kind)]

    @property
    def actor_name(self) -> str:
        """Whom the event log names: the user's id, which stays when the name changes."""
        return self.session.user_id or self.user_name

    @property
    def authority(self) -> Authority:
        """What the person holds, as writes compare it with what they reach."""
        return Authority(self.permissions, tuple(self.access), self.places, self.session.user_id)


def csrf_token(site: Site, secret: str) -> str:
    """Return the token that forms of a session carry; it follows from the session's secret."""
    return signed.token_for(site.key, "csrf", secret)


def recognize(db: sa.Connection, slug: str, secret: str) -> tuple[Organization, Viewer | None]:
    """Return an organization, and who holds a session's secret in it; raises `NotFound` without an organization."""
    org = organizations.by_slug(db, slug)
    session = sessions.find(db, org.id, secret) if secret else None
    return org, _viewer(db, org, session) if session else None


def _viewer(db: sa.Connection, org: Organization, session: Session) -> Viewer:
    if session.user_id is None:
        return Viewer(session, [Access(ORGANIZATION, Role.ORGANIZATION_ADMIN, "user")], Places())
    standing = access.of_user(db, org.id, session.user_id)
    return Viewer(session, standing.access, standing.places)
