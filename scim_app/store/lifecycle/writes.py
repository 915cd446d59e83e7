"""The writes an identity provider can make, each whole: what is read, what is decided, rows and event together."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from scim_app.directory.events import EventType, describe
from scim_app.directory.kinds import TEAM, USER, Document, Kind, is_active
from scim_app.directory.membership import MemberDelta
from scim_app.errors import Refused
from scim_app.store.access import admins, admission
from scim_app.store.lifecycle import link_requests, removal
from scim_app.store.log.event_log import Reading, Unit
from scim_app.store.resources import members, resources
from scim_app.store.resources.resources import Stored

Edit = Callable[[Unit | Reading, Stored], tuple[Document, MemberDelta]]
"""Gives the document and the member change that a request asks for; raises to refuse."""

_CREATED = {USER: EventType.USER_CREATED, TEAM: EventType.TEAM_CREATED}
_LINKED = {USER: EventType.USER_LINKED, TEAM: EventType.TEAM_LINKED}


def create(unit: Unit, kind: Kind, document: Document, delta: MemberDelta, resource_id: str | None = None) -> Stored:
    """Provision a user or a team and return it, under a new id unless one is given.

    A user that exists only here, or that is inactive, is the same person: it is linked or restored with its id.
    A team that an admin offered for linking is linked.

    Raises:
        UniquenessException: when the name or `externalId` is taken by anyone else.
        TeamNotOffered: when it is that of a team which holds Admin or above and was not offered.
        Refused: when no seat is left.
    """
    taken, former = resources.find_claimed(unit.connection, unit.org_id, kind, document)
    if taken and kind is USER and (taken.origin == "local" or not is_active(taken.load())):
        return _save(unit, kind, taken, {"active": True, **document}, delta)
    if taken and kind is TEAM and taken.origin == "offered":
        return _save(unit, kind, taken, document, delta)
    if taken:
        if kind is TEAM:
            link_requests.require_offered(unit, taken)
        resources.refuse_taken(unit.connection, unit.org_id, kind, document, None)
    if kind is USER:
        admission.admit(unit, seat=is_active(document), user_name=document[kind.unique])
    resource_id = resource_id or resources.fresh_id()
    change: dict[str, Any] = {"attributes": describe(None, document), "origin": "scim"}
    if former:
        change["former_id"] = former  # the history of the same name goes on from there
    changed = members.apply(unit, resource_id, delta)
    if changed:
        change["members"] = changed
    return resources.insert(unit, kind, document, _CREATED[kind], change, resource_id)


def update(unit: Unit, kind: Kind, resource_id: str, edit: Edit, *, leaving: bool = False) -> Stored:
    """Change a user or a team and return it; a change that changes nothing writes nothing.

    Args:
        unit: the write.
        kind: what is changed.
        resource_id: its id.
        edit: what is asked for.
        leaving: whether a user is told to have no access any more. That is done whatever else is asked for: a name
            or `externalId` that is taken stays as it was, and the event says so.

    Raises:
        NotFoundException: when there is no such resource.
        UniquenessException: when the new name or `externalId` is taken, by anyone but a leaver.
        TeamNotOffered: when it is a team which is not linked, holds Admin or above, and was not offered.
        PayloadTooLargeException: when the team would have more members than it may.
    """
    return change(unit, kind, resources.get(unit.connection, unit.org_id, kind, resource_id), edit, leaving=leaving)


def change(unit: Unit, kind: Kind, stored: Stored, edit: Edit, *, leaving: bool = False) -> Stored:
    """Change a user or a team that this write has found, as `update` does."""
    document, delta = edit(unit, stored)
    leaves = kind is USER and not is_active(document) and (leaving or is_active(stored.load()))
    return _save(unit, kind, stored, document, delta, leaves=leaves)


def delete(unit: Unit, kind: Kind, resource_id: str, check: Callable[[Stored], object]) -> None:
    """Remove a user or a team; it leaves every team, and its history stays.

    Raises:
        NotFoundException: when there is no such resource.
        Refused: when it is a team that exists only here; the identity provider does not own it.
    """
    stored = resources.get(unit.connection, unit.org_id, kind, resource_id)
    check(stored)
    if kind is TEAM and stored.origin != "scim":
        raise Refused(f"team {stored.load()[kind.unique]!r} is not linked to a group: link it first, by PUT or PATCH")
    with admins.telling_of_no_admin(unit):
        removal.remove(unit, kind, stored)


def _save(
    unit: Unit, kind: Kind, stored: Stored, document: Document, delta: MemberDelta, *, leaves: bool = False
) -> Stored:
    linking = stored.origin != "scim"
    if linking and kind is TEAM:
        link_requests.require_offered(unit, stored)
        delta = MemberDelta(reset=True).then(delta)
    before = stored.load()
    after = {"schemas": document["schemas"], "id": stored.id, **document}
    taken: dict[str, Any] = {}
    if leaves:
        after, taken = _with_free_names(unit, kind, before, after)
    attributes = describe(before, after)
    if attributes.keys() & {kind.unique, "externalId"}:
        resources.refuse_taken(unit.connection, unit.org_id, kind, after, stored.id)
    if kind is USER and is_active(after) and attributes.keys() & {kind.unique, "active"}:
        returns = not is_active(before)
        admission.admit(unit, seat=returns, user_name=after[kind.unique] if kind.unique in attributes else None)
    takes_away = delta.reset or delta.removed or (kind is USER and not is_active(after))
    with admins.telling_of_no_admin(unit) if takes_away else nullcontext():
        changed = members.apply(unit, stored.id, delta) if delta else {}
        if not (attributes or changed or linking):
            return stored  # a mere re-sending leaves version and log alone
        told = {"attributes": attributes, "members": changed, "origin": "scim" if linking else None, "taken": taken}
        change = {name: value for name, value in told.items() if value}
        return resources.update(unit, kind, stored, after, _updated(kind, before, after, linking=linking), change)


def _with_free_names(
    unit: Unit, kind: Kind, before: Document, after: Document
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a leaver's document with the names that others hold as they were before, and the names left out."""
    taken = {
        name: after[name]
        for name in (kind.unique, "externalId")
        if after.get(name) not in (None, before.get(name))
        and resources.find_taken(unit.connection, unit.org_id, kind, {name: after[name]}, but=before["id"])
    }
    kept = {name: before.get(name, value) if name in taken else value for name, value in after.items()}
    return {name: value for name, value in kept.items() if name in before or name not in taken}, taken


def _updated(kind: Kind, before: Document, after: Document, *, linking: bool) -> EventType:
    """Return what an update amounts to; gaining or losing access says more than a link or a new title."""
    if kind is USER and is_active(before) != is_active(after):
        return EventType.USER_REACTIVATED if is_active(after) else EventType.USER_DEACTIVATED
    if linking:
        return _LINKED[kind]
    return EventType.USER_UPDATED if kind is USER else EventType.TEAM_UPDATED
