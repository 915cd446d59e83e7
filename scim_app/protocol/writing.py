"""The writes of SCIM: each reads a request whole, then gives the work that a transaction is to do."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
from scim2_models import ResponseParameters
from scim2_server.routing import Operation

from scim_app.directory.kinds import TEAM, USER, Kind
from scim_app.protocol import decode, encode
from scim_app.protocol.calls import Call, Reply
from scim_app.protocol.dialects import Dialect
from scim_app.store import resources, team_names, team_size, writes
from scim_app.store.event_log import Unit
from scim_app.store.resources import Stored
from scim_app.store.team_names import Teams
from scim_app.store.writes import Edit

Work = Callable[[Unit], Reply]
"""What is done in the transaction; the answer may be sent once it is durable."""


def create(call: Call, resource_id: str | None = None) -> Work:
    """Create a user or a group: 201 with the resource (RFC 7644 §3.3).

    Args:
        call: the request.
        resource_id: the id that a bulk request promised to the operations that refer to this one.
    """
    kind, wanted = call.kind, call.wanted
    document, delta = decode.read_creation(kind, call.body, call.dialect)

    def work(unit: Unit) -> Reply:
        stored = writes.create(unit, kind, document, delta, resource_id)
        # Nobody can have put a new id in a team, unless it was promised to others of the same request.
        teams: Teams | None = [] if kind is USER and resource_id is None and stored.version == 1 else None
        return resource_reply(unit.connection, call, kind, stored, wanted, HTTPStatus.CREATED, teams=teams)

    return work


def replace(call: Call) -> Work:
    """Replace a resource and return it (RFC 7644 §3.5.1)."""
    return _change(call, decode.read_replacement(call.kind, call.body, call.dialect))


def patch(call: Call) -> Work:
    """Change a resource and return it; 204 for a large group, unless its attributes are asked for (RFC 7644 §3.5.2).

    Nobody who adds one member wants to read thousands; clients whose dialect is so get 204 for every group.
    """
    return _change(call, decode.read_patch(call.kind, call.body, call.dialect, call.base_url))


def delete(call: Call) -> Work:
    """Remove a resource: 204, and 404 from then on (RFC 7644 §3.6)."""
    kind = call.kind

    def work(unit: Unit) -> Reply:
        writes.delete(unit, kind, call.resource_id, lambda stored: call.conditions.check(stored.etag, "DELETE"))
        return Reply(HTTPStatus.NO_CONTENT)

    return work


GROUP_SHOWN = 100
"""Members up to which a group comes back with the answer to its PATCH; a larger one would cost more than the change."""


def _is_told_nothing(unit: Unit, call: Call, stored: Stored) -> bool:
    return call.dialect.patches_groups_blindly or team_size.of(unit.connection, unit.org_id, stored.id) > GROUP_SHOWN


_ONE_MEMBER = re.compile(r'members\[value eq "[^"\\]+"\]', re.IGNORECASE)
SHORT = 100
"""Most values of a short change of members."""


def is_short(call: Call) -> bool:
    """Tell whether a write takes no longer than a look-up: a user's, or a few members more or less for a group."""
    if call.target.operation is Operation.delete:
        return False
    if call.kind is USER:
        return True
    if call.target.operation is not Operation.patch:
        return False
    operations = call.body.get("Operations")
    if not isinstance(operations, list) or len(operations) > SHORT:
        return False
    return all(_changes_few(operation, call.dialect) for operation in operations)


def _changes_few(operation: Any, dialect: Dialect) -> bool:
    if not isinstance(operation, dict):
        return False
    op, path, value = str(operation.get("op")).lower(), operation.get("path"), operation.get("value")
    if op == "remove" and isinstance(path, str) and _ONE_MEMBER.fullmatch(path):
        return True
    by_value = op == "add" or (op == "remove" and dialect.removes_by_value)
    return by_value and path == "members" and isinstance(value, list) and 0 < len(value) <= SHORT


WORK: dict[Operation, Callable[[Call], Work]] = {
    Operation.create: create,
    Operation.replace: replace,
    Operation.patch: patch,
    Operation.delete: delete,
}


def resource_reply(
    connection: sa.Connection,
    call: Call,
    kind: Kind,
    stored: Stored,
    wanted: ResponseParameters[Any],
    status: HTTPStatus = HTTPStatus.OK,
    *,
    teams: Teams | None = None,
) -> Reply:
    """Return the answer that carries a resource, with its ETag and its address; without it where nobody reads it.

    Args:
        connection: an open transaction.
        call: the request.
        kind: kind of the resource.
        stored: the resource.
        wanted: `attributes` and `excludedAttributes` of the request.
        status: how it went.
        teams: a user's teams, where they are known.
    """
    headers = _place(call, kind, stored)
    if status == HTTPStatus.CREATED:
        headers["Location"] = headers["Content-Location"]
    if call.in_bulk:
        return Reply(status, headers=headers)
    if teams is None:
        (body,) = encode.render(connection, call.caller.org_id, call.base_url, kind, [stored], wanted)
    else:
        body = encode.render_user(call.base_url, stored, teams, wanted)
    return Reply(status, body.encode(), headers)


def _place(call: Call, kind: Kind, stored: Stored) -> dict[str, str]:
    return {"ETag": stored.etag, "Content-Location": encode.location(call.base_url, kind, stored.id)}


def _change(call: Call, edit: Edit) -> Work:
    kind, wanted, leaving = call.kind, call.wanted, call.leaving
    patching = kind is TEAM and call.target.operation is Operation.patch and not call.request.query

    def checked(unit: Unit, stored: Stored) -> Any:
        call.conditions.check(stored.etag, call.request.method)
        return edit(unit, stored)

    def work(unit: Unit) -> Reply:
        stored, teams = _found(unit, call)
        stored = writes.change(unit, kind, stored, checked, leaving=leaving)
        if patching and _is_told_nothing(unit, call, stored):
            return Reply(HTTPStatus.NO_CONTENT, headers=_place(call, kind, stored))
        return resource_reply(unit.connection, call, kind, stored, wanted, teams=teams)

    return work


def _found(unit: Unit, call: Call) -> tuple[Stored, Teams | None]:
    """Return what is to be changed; a user together with its teams, which no change of a user changes."""
    if call.kind is TEAM or call.in_bulk:
        return resources.get(unit.connection, unit.org_id, call.kind, call.resource_id), None
    return team_names.get_with_teams(unit.connection, unit.org_id, call.resource_id)
