"""Roles: the matrix of places and roles, who holds what and why, granting and revoking."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from scim_app.admin.guard import PageRoute
from scim_app.admin.pages.paging import pages_of
from scim_app.admin.pages.shown import (
    makers_of,
    role_options,
    scope_key,
    scope_name,
    scope_of,
    scope_options,
    show_grant,
)
from scim_app.admin.visits import Visit, allowed
from scim_app.directory.access import Places, applying, effective_access, role_in
from scim_app.directory.permissions import Permission
from scim_app.directory.roles import ORGANIZATION, Role, Scope
from scim_app.errors import NotFound
from scim_app.store.access import grants, places, standing
from scim_app.store.access.standing import Counts, Person
from scim_app.store.resources import team_names
from scim_app.store.views import holding

SHOWN = 50
router = APIRouter(route_class=PageRoute)
See = Annotated[Visit, allowed(Permission.SEE_USERS)]
Change = Annotated[Visit, allowed(Permission.GRANT)]


@router.get("/{org}/settings/roles")
def show_roles(visit: See) -> Response:
    """Show how many people hold each role in each place, the people behind one number, and all grants."""
    after = visit.query("after")

    def load(db: sa.Connection) -> dict[str, Any]:
        found = places.places(db, visit.org.id)
        counts = standing.matrix(db, visit.org, found)
        page, total, cursor = holding.page(db, visit.org.id, after)
        makers = makers_of(db, visit.org, (grant for grant, _ in page))
        return {
            "matrix": _matrix(counts, found),
            "has_deployments": bool(found.by_scope),
            "chosen": _chosen(db, visit, found, counts),
            "grants": [show_grant(grant, found, makers, holder) for grant, holder in page],
            "total": total,
            "pages": pages_of(visit, len(page), after, cursor),
        }

    return visit.page("roles.html", "Roles", "roles", roles=role_options(), **visit.read(load))


@router.get("/{org}/settings/roles/grant")
def ask_for_grant(visit: Change) -> Response:
    """Show the form that grants a role."""
    return _form(visit, visit.query("holder"), chosen_scope=visit.query("scope"))


@router.post("/{org}/settings/roles/grant")
def grant_role(visit: Change) -> Response:
    """Grant a role to a user or a team."""
    key, name = visit.field("holder"), visit.field("holder_name")

    def give(unit: Any) -> tuple[str, str, str]:
        kind, holder_id, label = holding.holder(unit.connection, visit.org.id, key, name)
        role, scope = Role(visit.field("role")), scope_of(visit.field("scope"))
        visit.require_grantable(scope)
        grants.grant(unit, kind, holder_id, role, scope, reason=visit.field("reason") or None)
        return kind, holder_id, f"{label} is {role.words} now."

    done, problem = visit.attempt(give)
    if done is None:
        sent = {name: visit.field(name) for name in ("reason", "holder_name")}
        chosen = {"chosen_role": visit.field("role"), "chosen_scope": visit.field("scope")}
        return _form(visit, key, status=422, problem=problem, **sent, **chosen)
    return visit.go(f"{done[0]}s/{done[1]}", done[2])


@router.post("/{org}/settings/roles/revoke")
def revoke_role(visit: Change) -> Response:
    """Take a role away, after asking."""
    grant = visit.read(lambda db: grants.get(db, visit.org.id, visit.field("grant")))
    visit.require_grantable(grant.scope)
    kind, holder_id, label = visit.read(lambda db: holding.holder(db, visit.org.id, holding.key_of(grant), ""))
    back = f"{kind}s/{holder_id}"
    if not visit.confirmed:
        where = scope_name(grant.scope, visit.read(lambda db: places.places(db, visit.org.id)))
        told = [f"{label} is not {grant.role.words} on {where} any more.", "Whatever other grants give stays."]
        return visit.confirm(f"Revoke {grant.role.words}?", "Revoke", told, section="roles", back=(back, label))
    visit.write(lambda unit: grants.revoke(unit, grant.grant_id))
    return visit.go(back, f"{label} is not {grant.role.words} any more.")


def _form(visit: Visit, key: str, *, status: int = 200, **sent: str) -> Response:
    def load(db: sa.Connection) -> dict[str, Any]:
        found = places.places(db, visit.org.id)
        holder = None
        if key:
            kind, holder_id, label = holding.holder(db, visit.org.id, key, "")
            holder = {"key": key, "kind": kind, "name": label, "path": f"{kind}s/{holder_id}"}
        return {
            "holder": holder,
            "scopes": scope_options(found),
            "suggestions": [] if holder else holding.suggestions(db, visit.org.id),
        }

    found = visit.read(load)
    holder = found["holder"]
    shown = {
        "problem": "",
        "reason": "",
        "holder_name": "",
        "chosen_role": Role.EDITOR.value,
        "chosen_scope": scope_key(ORGANIZATION),
        **{name: value for name, value in sent.items() if value},
        "back": f"{visit.base}/{holder['path'] if holder else 'roles'}",
        "back_label": holder["name"] if holder else "Roles",
    }
    return visit.page("grant.html", "Grant a role", "roles", status, roles=role_options(), **shown, **found)


def _matrix(matrix: Counts, found: Places) -> list[dict[str, Any]]:
    return [
        {
            "name": scope_name(scope, found),
            "kind": "" if scope == ORGANIZATION else scope.kind.value.replace("_", " "),
            "scope": scope_key(scope),
            "cells": [{"role": role.value, "users": users} for role, users in counts.items()],
        }
        for scope, counts in matrix.items()
    ]


def _chosen(db: sa.Connection, visit: Visit, found: Places, counts: Counts) -> dict[str, Any] | None:
    """Return the people behind the number that the address names, each with the reason."""
    if not visit.query("where"):
        return None
    try:
        scope, role = scope_of(visit.query("where")), Role(visit.query("role"))
    except ValueError as problem:
        raise NotFound("there is no such place or role") from problem
    people = standing.holders(db, visit.org, found, (scope, role), SHOWN)
    total = counts.get(scope, {}).get(role, 0)
    whys = _whys(db, visit, found, scope, people)
    shown = [{"id": one.id, "label": one.label, "why": whys[one.id]} for one in people]
    return {"role": role.value, "where": scope_name(scope, found), "people": shown, "total": total}


def _whys(db: sa.Connection, visit: Visit, found: Places, scope: Scope, people: list[Person]) -> dict[str, str]:
    of = team_names.teams_of(db, visit.org.id, [one.id for one in people])
    holders = {one.id for one in people} | {team_id for held in of.values() for team_id, _ in held}
    held = grants.find(db, visit.org.id, grants.among(holders))
    whys: dict[str, str] = {}
    for one in people:
        mine = dict(of.get(one.id, []))
        access = effective_access(applying(held, one.id, mine), Role(visit.org.default_role), found)
        part = role_in(access, scope, found)
        if part is None or part.source == "default":
            whys[one.id] = "the default role"
        else:
            source = f"team {mine.get(part.source_id or '')}" if part.source == "team" else "own grant"
            whys[one.id] = f"{source}, on {scope_name(part.scope, found)}"
    return whys
