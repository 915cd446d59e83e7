"""The writes of SCIM: each reads a request whole, then gives the work that a transaction is to do."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
from scim2_models import ResponseParameters
from scim2_server.routing import Operation

from scim_app.directory.kinds import TEAM, USER, Document, Kind
from scim_app.directory.membership import MemberDelta
from scim_app.protocol import decode, encode
from scim_app.protocol.calls import Call, Reply
from scim_app.protocol.dialects import Dialect
from scim_app.store.db import allowance
from scim_app.store.lifecycle import writes
from scim_app.store.lifecycle.writes import Edit
from scim_app.store.log.event_log import Reading, Unit
from scim_app.store.resources import resources, team_names, team_size
from scim_app.store.resources.resources import Stored
from scim_app.store.resources.team_names import Teams

SHORT_WEIGHT = 300
"""Heaviest body of a short write, in values; it is read within 10 ms."""


class Ahead:
    """An edit that may be made before the turn of its write has come, of the resource as it is then."""

    def __init__(self, call: Call, edit: Edit) -> None:
        self._call, self._edit = call, edit
        self._made: tuple[int, tuple[Document, MemberDelta]] | None = None

    def make(self, connection: sa.Connection) -> None:
        """Make the edit; raises to refuse it."""
        org_id = self._call.caller.org_id
        stored = resources.get(connection, org_id, self._call.kind, self._call.resource_id)
        self._made = stored.version, self._edit(Reading(connection, org_id), stored)

    def __call__(self, unit: Unit | Reading, stored: Stored) -> tuple[Document, MemberDelta]:
        """Return the edit as it was made, or make it now where the resource has changed since."""
        if self._made is not None and self._made[0] == stored.version:
            return self._made[1]
        return self._edit(unit, stored)


@dataclass(frozen=True, slots=True)
class Work:
    """What is done in the transaction; the answer may be sent once it is durable."""

    run: Callable[[Unit], Reply]
    ahead: Ahead | None = None
    """The edit that it makes, where that may take long."""


def create(call: Call, resource_id: str | None = None) -> Work:
    """Create a user or a group: 201 with the resource (RFC 7644 §3.3).

    Args:
        call: the request.
        resource_id: the id that a bulk request promised to the operations that refer to this one.
    """
    kind, wanted = call.kind, call.wanted
    document, delta = decode.read_creation(kind, call.body, call.dialect)

    def run(unit: Unit) -> Reply:
        stored = writes.create(unit, kind, document, delta, resource_id)
        # Nobody can have put a new id in a team, unless it was promised to others of the same request.
        teams: Teams | None = [] if kind is USER and resource_id is None and stored.version == 1 else None
        return resource_reply(unit.connection, call, kind, stored, wanted, HTTPStatus.CREATED, teams=teams)

    return Work(run)


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

    def run(unit: Unit) -> Reply:
        writes.delete(unit, kind, call.resource_id, lambda stored: call.conditions.check(stored.etag, "DELETE"))
        return Reply(HTTPStatus.NO_CONTENT)

    return Work(run)


GROUP_SHOWN = 100
"""Members up to which a group comes back with the answer to its PATCH; a larger one would cost more than the change."""


def _is_told_nothing(unit: Unit, call: Call, stored: Stored) -> bool:
    return call.dialect.patches_groups_blindly or team_size.of(unit.connection, unit.org_id, stored.id) > GROUP_SHOWN


_ONE_MEMBER = re.compile(r'members\[value eq "[^"\\]+"\]', re.IGNORECASE)
SHORT = 100
"""Most members of a short change, of all its operations together."""


def is_short(call: Call) -> bool:
    """Tell whether a write takes no longer than a look-up: a user's, or a few members more or less for a group."""
    if call.target.operation is Operation.delete or call.weight > SHORT_WEIGHT:
        return False
    if call.kind is USER:
        return True
    if call.target.operation is not Operation.patch:
        return False
    operations = call.body.get("Operations")
    if not isinstance(operations, list) or len(operations) > SHORT:
        return False
    return sum(_members_of(operation, call.dialect) for operation in operations) <= SHORT


def _members_of(operation: Any, dialect: Dialect) -> int:
    """Return how many members an operation puts in or takes out, too many where that can't be seen at once."""
    if not isinstance(operation, dict):
        return SHORT + 1
    op, path, value = str(operation.get("op")).lower(), operation.get("path"), operation.get("value")
    if op == "remove" and isinstance(path, str) and _ONE_MEMBER.fullmatch(path):
        return 1
    by_value = op == "add" or (op == "remove" and dialect.removes_by_value)
    return len(value) if by_value and path == "members" and isinstance(value, list) and value else SHORT + 1


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

    ahead = Ahead(call, edit)

    def checked(unit: Unit | Reading, stored: Stored) -> Any:
        call.conditions.check(stored.etag, call.request.method)
        return ahead(unit, stored)

    def run(unit: Unit) -> Reply:
        stored, teams = _found(unit, call)
        allowance.spend(len(stored.document) // allowance.BYTES_OF_VALUE)
        stored = writes.change(unit, kind, stored, checked, leaving=leaving)
        if patching and _is_told_nothing(unit, call, stored):
            return Reply(HTTPStatus.NO_CONTENT, headers=_place(call, kind, stored))
        return resource_reply(unit.connection, call, kind, stored, wanted, teams=teams)

    return Work(run, ahead)


def _found(unit: Unit, call: Call) -> tuple[Stored, Teams | None]:
    """Return what is to be changed; a user together with its teams, which no change of a user changes."""
    if call.kind is TEAM or call.in_bulk:
        return resources.get(unit.connection, unit.org_id, call.kind, call.resource_id), None
    return team_names.get_with_teams(unit.connection, unit.org_id, call.resource_id)
