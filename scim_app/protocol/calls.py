"""One SCIM request on its way: who asks for what, and how a refusal is remembered."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson
from scim2_models import ForbiddenException, ResponseParameters, SCIMException, UnauthorizedException
from scim2_server.conditions import Conditions
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Target

from scim_app.directory.events import Actor, Event, EventType
from scim_app.directory.failures import SCIM_OFF
from scim_app.directory.kinds import ENDPOINTS, USER, Kind
from scim_app.directory.leaving import asks_to_leave
from scim_app.protocol import limits
from scim_app.protocol.dialects import Dialect
from scim_app.protocol.wire import Service, kind_of
from scim_app.store.credentials.tokens import Caller
from scim_app.store.lifecycle.link_requests import TeamNotOffered
from scim_app.store.log.event_log import InUnit, Unit
from scim_app.store.resources import resources

T = TypeVar("T")
_WHOLE: ResponseParameters[Any] = ResponseParameters()

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HIDDEN = "[redacted]"
KEPT_BYTES = 8192
"""Longest body that is remembered."""


@dataclass(slots=True)
class Reply:
    """An answer, its body JSON already."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, response: ScimResponse) -> "Reply":
        """Return an answer that the library shaped."""
        body = b"" if response.body is None else orjson.dumps(response.body)
        # The endpoint writes the media type of every answer.
        headers = {name: value for name, value in response.headers.items() if name != "Content-Type"}
        return cls(int(response.status), body, headers)


@dataclass(slots=True)
class Call:
    """A request whose caller is known."""

    service: Service
    request: ScimRequest
    target: Target
    caller: Caller
    actor: Actor
    dialect: Dialect
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    """The JSON body as it was sent, once it is read."""
    refused_body: dict[str, Any] = field(default_factory=dict[str, Any])
    """The JSON body where it was refused before it was read as SCIM: it may tell somebody to leave all the same."""
    note: str = ""
    """What its answer does not tell and an admin should know: how a request outside the RFC was understood."""
    weight: int = 0
    """What it costs to read the body, in values."""
    in_bulk: bool = False
    """Whether it is one operation of a bulk request, whose outcome tells no more than status, place and version."""

    @property
    def base_url(self) -> str:
        """SCIM base address of the organization."""
        return self.request.base_url

    @property
    def kind(self) -> Kind:
        """The kind of resource that is asked for.

        Raises:
            NotFoundException: when there is none at this endpoint.
        """
        return self._kind or kind_of(self.service.resource_type_at(self.target.endpoint or ""))

    @property
    def _kind(self) -> Kind | None:
        """The kind of resource that is asked for, None when there is none at this endpoint."""
        endpoint = self.target.endpoint or ""
        return ENDPOINTS.get(endpoint) or ENDPOINTS.get(endpoint.capitalize())

    @property
    def resource_id(self) -> str:
        """The id of the resource that is asked for."""
        return self.target.resource_id or ""

    @property
    def leaving(self) -> bool:
        """Whether it tells the user that it is for to leave."""
        to_user = self._kind is USER and self.target.resource_id is not None
        return to_user and asks_to_leave(self.request.method, self.body or self.refused_body)

    @property
    def conditions(self) -> Conditions:
        """`If-Match` and `If-None-Match` (RFC 7644 §3.14)."""
        return self.service.read_conditions(self.request)

    @property
    def wanted(self) -> ResponseParameters[Any]:
        """`attributes` and `excludedAttributes` (RFC 7644 §3.9)."""
        if not self.request.query:
            return _WHOLE
        limits.check_names(self.request.query)
        resource_type = self.service.resource_type_at(self.target.endpoint or "")
        return self.service.read_response_parameters(resource_type, self.request.query)

    def like(self, request: ScimRequest, target: Target, body: dict[str, Any]) -> "Call":
        """Return another request of the same caller: one operation of a bulk request."""
        actor = replace(self.actor, method=request.method, path=request.path)
        return Call(self.service, request, target, self.caller, actor, self.dialect, body, in_bulk=True)

    def unit(self, work: Callable[[Unit], T]) -> InUnit[T]:
        """Return a write of this caller's organization for the store's writer."""
        return InUnit(self.caller.org_id, self.actor, work)

    def refusal(self, error: SCIMException, unit: Unit) -> Event:
        """Return the event that remembers a refused write: what was asked of whom, and why it was refused."""
        kind = self._kind
        target = error.team_id if isinstance(error, TeamNotOffered) else self.target.resource_id
        named = self.body.get(kind.unique) if kind else None
        if kind and target and named is None:
            held = resources.find(unit.connection, unit.org_id, kind, target)
            named = held.load()[kind.unique] if held else None
        told = {"asked_to_leave": self.leaving} if kind is USER else {}
        return Event(
            type=EventType.WRITE_REJECTED,
            subject_kind=kind.name if kind else "organization",
            subject_id=target,
            subject_name=named if isinstance(named, str) else None,
            change={"request": {"values": self.weight} if self.weight > KEPT_BYTES else kept(self.body), **told},
            status=error.status,
            scim_type=error.scim_type or None,
            detail=str(error)[:KEPT_BYTES],
        )


def unauthorized() -> SCIMException:
    """Return the refusal of credentials. What is wrong with them is not said: nothing can be learned from it."""
    return UnauthorizedException(
        detail="a valid SCIM token of this organization is needed: Authorization: Bearer scim_…"
    )


def switched_off() -> SCIMException:
    """Return the refusal of an organization that does not provision by SCIM now."""
    return ForbiddenException(detail=f"{SCIM_OFF} for this organization")


def kept(body: dict[str, Any]) -> Any:
    """Return a body without passwords, or its size where it is long."""
    return redact(body) if len(repr(body)) <= KEPT_BYTES else {"characters": len(repr(body))}


def redact(value: Any) -> Any:
    """Return a JSON value with every password hidden, also where a PATCH sets one."""
    if isinstance(value, list):
        return [redact(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "password" in str(value.get("path", "")).lower() and "value" in value:
        return value | {"value": _HIDDEN}
    return {name: _HIDDEN if name.lower().endswith("password") else redact(held) for name, held in value.items()}
