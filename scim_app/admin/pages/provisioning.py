"""Provisioning: the switch, the base URL, the guides, the health of the connection and the request log."""

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from scim_app.admin.failures import bad_request, not_found, sentence
from scim_app.admin.guard import PageRoute
from scim_app.admin.happenings import told
from scim_app.admin.pages.paging import pages_of
from scim_app.admin.pages.spark import spark_of
from scim_app.admin.visits import Visit, allowed
from scim_app.directory.failures import FAILURES
from scim_app.directory.permissions import Permission
from scim_app.store.access import organization_settings
from scim_app.store.credentials import tokens
from scim_app.store.lifecycle import people
from scim_app.store.views import event_list, request_list

FLAGGED = 20
FILTERS = ("outcome", "method", "cause")
GUIDES = {"okta": "Okta, step by step", "entra": "Microsoft Entra ID, step by step"}

router = APIRouter(route_class=PageRoute)
Manage = Annotated[Visit, allowed(Permission.MANAGE_SCIM)]


@dataclass(frozen=True, slots=True)
class Flagged:
    """A user whose user name is not an e-mail address."""

    id: str
    user_name: str


@router.get("/{org}/settings/provisioning")
def show_provisioning(visit: Manage) -> Response:
    """Show the switch, the address, how the connection does, and the guides."""

    def load(db: sa.Connection) -> dict[str, Any]:
        flagged = [Flagged(*row) for row in people.flagged(db, visit.org.id, FLAGGED + 1)]
        health = request_list.health(db, visit.org.id)
        return {
            "health": health,
            "spark": spark_of(health.hours),
            "flagged": flagged[:FLAGGED],
            "flagged_more": len(flagged) > FLAGGED,
            "no_token": not _live_tokens(db, visit),
        }

    return visit.page("provisioning.html", "Provisioning", "provisioning", scim_url=_url(visit), **visit.read(load))


@router.post("/{org}/settings/provisioning/enable")
def enable(visit: Manage) -> Response:
    """Switch SCIM provisioning on."""
    visit.write(lambda unit: organization_settings.switch_scim(unit, on=True))
    undo = {"undo": "provisioning/disable", "undo_label": "Switch off again"}
    return visit.go("provisioning", "SCIM provisioning is on. People are added in the identity provider now.", **undo)


@router.post("/{org}/settings/provisioning/disable")
def disable(visit: Manage) -> Response:
    """Switch SCIM provisioning off, after asking."""
    if not visit.confirmed:
        said = [
            "Requests of the identity provider are refused with 403 until it is switched on again: nobody new gets in,"
            " and nobody who leaves is taken out.",
            "Users and teams stay as they are, and are edited here.",
        ]
        back = ("provisioning", "Provisioning")
        return visit.confirm("Disable SCIM provisioning?", "Disable", said, section="provisioning", back=back)
    visit.write(lambda unit: organization_settings.switch_scim(unit, on=False))
    undo = {"undo": "provisioning/enable", "undo_label": "Switch on again"}
    return visit.go("provisioning", "SCIM provisioning is off. Users and teams stayed as they were.", **undo)


@router.get("/{org}/settings/provisioning/requests")
def show_requests(visit: Manage) -> Response:
    """Show what the identity provider sent lately, and what it was answered."""
    asked, before = {name: visit.query(name) for name in FILTERS}, visit.query("after")
    try:
        rows, after = visit.read(lambda db: request_list.list_requests(db, visit.org.id, before=before, **asked))
    except ValueError as problem:
        raise bad_request(sentence(problem), f"{visit.base}/provisioning/requests") from problem
    shown = {
        "query": asked,
        "filtered": any(asked.values()),
        "causes": [(one.cause, one.meaning) for one in FAILURES],
        "rows": rows,
        "pages": pages_of(visit, len(rows), before, after),
    }
    return visit.page("requests.html", "Request log", "provisioning", **shown)


@router.get("/{org}/settings/provisioning/requests/{request_id}")
def show_request(visit: Manage, request_id: str) -> Response:
    """Show one request whole, with the events that it led to."""

    def load(db: sa.Connection) -> dict[str, Any]:
        row = request_list.get(db, visit.org.id, request_id)
        if row is None:
            where = f"{visit.base}/provisioning/requests"
            raise not_found("There is no such request; the log keeps the latest.", link=where, link_label="Request log")
        events = event_list.of_request(db, visit.org.id, request_id, row.at)
        return {"row": row, "sent": _indented(row.sent), "events": told(db, visit.org.id, events)}

    return visit.page("request.html", "Request", "provisioning", **visit.read(load))


@router.get("/{org}/settings/provisioning/{guide}")
def show_guide(visit: Manage, guide: str) -> Response:
    """Show how to set an identity provider up, with this organization's values."""
    if guide not in GUIDES:
        where = f"{visit.base}/provisioning"
        raise not_found("There is no such guide.", link=where, link_label="Provisioning")

    def load(db: sa.Connection) -> dict[str, Any]:
        return {"health": request_list.health(db, visit.org.id), "live_tokens": _live_tokens(db, visit)}

    return visit.page(f"guide_{guide}.html", GUIDES[guide], "provisioning", scim_url=_url(visit), **visit.read(load))


def _url(visit: Visit) -> str:
    return visit.site.settings.scim_base_url(visit.org.slug)


def _live_tokens(db: sa.Connection, visit: Visit) -> int:
    return sum(token.state in ("valid", "replaced") for token in tokens.listing(db, visit.org.id))


def _indented(sent: str | None) -> str:
    """Return a body as people read JSON; as it was where it is none."""
    try:
        return orjson.dumps(orjson.loads(sent or ""), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return sent or ""
