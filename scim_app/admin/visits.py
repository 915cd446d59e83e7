"""A visit: who looks at which organization's settings, what they may do, and how pages answer them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse

from scim_app.admin import rendering, signed
from scim_app.admin.failures import bad_request, forbidden, not_found, sentence
from scim_app.admin.guard import SAFE, SignInNeeded
from scim_app.admin.navigation import navigation
from scim_app.admin.site import Here, Site
from scim_app.admin.viewers import Viewer, csrf_token, recognize
from scim_app.directory.events import Actor
from scim_app.directory.permissions import Permission, may_grant
from scim_app.directory.roles import Scope
from scim_app.errors import Conflict, NotFound, NotPermitted, Refused
from scim_app.store.access.organizations import Organization
from scim_app.store.credentials import sessions
from scim_app.store.credentials.credentials import LONGEST
from scim_app.store.db.stamps import now
from scim_app.store.log.event_log import Unit, holding

T = TypeVar("T")

NOTICE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a person who is signed in and may make it."""

    request: Request
    site: Site
    org: Organization
    viewer: Viewer
    secret: str
    form: Mapping[str, str]

    @property
    def base(self) -> str:
        """Path of this organization's settings."""
        return self.site.base(self.org.slug)

    def may(self, permission: Permission) -> bool:
        """Tell whether the person may do something."""
        return permission in self.viewer.permissions

    def field(self, name: str) -> str:
        """Return a field of the form without white space around it, empty when it was not sent."""
        return self.form.get(name, "").strip()

    def lifetime(self, usual: timedelta) -> timedelta:
        """Return the field `days` as a time, the usual one where it has no number; too many days stay too many."""
        days = self.field("days")
        return timedelta(days=min(int(days), LONGEST.days + 1)) if days.isdecimal() else usual

    def query(self, name: str) -> str:
        """Return a value of the address, empty when it has none."""
        return self.request.query_params.get(name, "").strip()[:256]

    def require_grantable(self, scope: Scope) -> None:
        """Refuse a person who may not grant roles in a scope; raises `PageProblem` with status 403."""
        if not may_grant(self.viewer.access, scope, self.viewer.places):
            raise forbidden("You may grant roles only on deployments where you are Admin.", f"{self.base}/roles")

    @property
    def again(self) -> str:
        """Where the person confirms who it is, to come back to this section."""
        section = self.request.url.path.removeprefix(f"{self.base}/").partition("/")[0]
        return f"{self.base}/sign-in?again=yes&next={quote(f'{self.base}/{section}')}"

    @property
    def confirmed(self) -> bool:
        """Whether the person said yes on the page that asks."""
        return self.form.get("confirmed") == "yes"

    @property
    def actor(self) -> Actor:
        """Whom the event log names."""
        return Actor(
            name=self.viewer.actor_name,
            request_id=self.request.state.request_id,
            method=self.request.method,
            path=self.request.url.path,
            authority=self.viewer.authority,
        )

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what is read in one transaction."""
        return self.site.store.read(work)

    def write(self, work: Callable[[Unit], T]) -> T:
        """Return what is written in one transaction, under this person's name.

        Raises:
            PageProblem: with status 400 when a field of the form is not one that can be written.
        """
        try:
            return self._write(work)
        except ValueError as problem:
            raise bad_request(sentence(problem), self.base) from problem

    def attempt(self, work: Callable[[Unit], T]) -> tuple[T | None, str]:
        """Write, and return the result and an empty text; or None and the sentence that says why not."""
        try:
            return self._write(work), ""
        except (ValueError, Conflict, NotFound, NotPermitted, Refused) as problem:
            return None, sentence(problem)

    def _write(self, work: Callable[[Unit], T]) -> T:
        return self.site.store.write(lambda db: work(Unit.begin(db, self.org.id, self.actor)), self.org.id)

    def page(self, template: str, title: str, section: str, status: int = 200, /, **context: Any) -> HTMLResponse:
        """Return a page within the frame of the settings."""
        notice = signed.unseal(self.site.key, f"notice {self.secret}", self.request.cookies.get(self._notice_cookie))
        shared = {
            "title": title,
            "section": section,
            "org": self.org,
            "scim_enabled": self.org.scim_enabled,
            "base": self.base,
            "viewer": self.viewer,
            "may": {one.value: self.may(one) for one in Permission},
            "navigation": navigation(self.viewer.permissions),
            "csrf_token": csrf_token(self.site, self.secret),
            "confirm_first": "" if self.viewer.session.recent else self.again,
            "notice": notice,
        }
        response = rendering.page(template, {**shared, **context}, status)
        if notice:
            self.site.drop_cookie(response, f"notice_{self.org.slug}")
        return response

    def go(self, path: str, said: str = "", *, undo: str = "", undo_label: str = "Undo") -> RedirectResponse:
        """Return the way to another page of the settings, which then says what was done and offers to undo it."""
        response = RedirectResponse(f"{self.base}/{path}", HTTPStatus.SEE_OTHER)
        if said:
            notice = {"text": said, "undo": f"{self.base}/{undo}" if undo else "", "undo_label": undo_label}
            sealed = signed.seal(self.site.key, f"notice {self.secret}", notice, seconds=NOTICE_SECONDS)
            self.site.set_cookie(response, f"notice_{self.org.slug}", sealed, NOTICE_SECONDS)
        return response

    def confirm(
        self, title: str, button: str, sentences: list[str], *, section: str, back: tuple[str, str], danger: bool = True
    ) -> HTMLResponse:
        """Return the page that asks before something is done; its form sends the same fields again, with the yes."""
        fields = {name: value for name, value in self.form.items() if name not in ("csrf", "confirmed")}
        asked = {"sentences": sentences, "button": button, "danger": danger, "fields": fields}
        where = {
            "action": self.request.url.path,
            "cancel": f"{self.base}/{back[0]}",
            "cancel_label": back[1],
        }
        return self.page("confirm.html", title, section, **asked, **where)

    @property
    def _notice_cookie(self) -> str:
        return self.site.cookie(f"notice_{self.org.slug}")


async def read_form(request: Request) -> FormData | None:
    """Return the fields of a form, None of a request that has none."""
    return None if request.method in SAFE else await request.form(max_files=0, max_fields=50)


Sent = Annotated[FormData | None, Depends(read_form)]


def allowed(permission: Permission, *, recent: bool = False) -> Any:
    """Return the dependency of a page that needs a permission; it gives the visit.

    Args:
        permission: what the person needs.
        recent: whether it must have signed in a moment ago; who has not is asked to, and comes back to the section.
    """

    def enter(request: Request, site: Here, org: str, form: Sent) -> Visit:
        visit = _enter(request, site, org, form, permission)
        if recent and not visit.viewer.session.recent:
            raise SignInNeeded(visit.again)
        return visit

    enter.permission = permission  # pyright: ignore[reportFunctionMemberAccess]
    return Depends(enter)


def _enter(request: Request, site: Site, slug: str, form: FormData | None, permission: Permission) -> Visit:
    secret = request.cookies.get(site.cookie(f"session_{slug}"), "")
    try:
        org, viewer = site.store.read(lambda db: recognize(db, slug, secret))
    except NotFound as problem:
        raise not_found(f"There is no organization {slug!r} here.") from problem
    if viewer is None:
        path = request.url.path if request.method in SAFE else site.base(slug)
        raise SignInNeeded(f"{site.base(slug)}/sign-in?next={quote(path)}")
    fields = {name: value for name, value in (form or {}).items() if isinstance(value, str)}
    if form is not None and not signed.same(fields.get("csrf", ""), csrf_token(site, secret)):
        raise forbidden(
            "This form belongs to another session. Go back, reload the page and try again.", site.base(slug)
        )
    if permission not in viewer.permissions:
        raise forbidden(f"Your role, {viewer.role_words}, does not allow this.", site.base(slug))
    if viewer.session.seen_at[:16] != now()[:16]:
        noting = holding(org.id, lambda db: sessions.note_use(db, org.id, viewer.session.id))
        site.store.submit(noting, org.id)
    return Visit(request, site, org, viewer, secret, fields)
