"""The SCIM service as the protocol library describes it: models, discovery, tolerance and errors."""

from functools import cached_property
from typing import Any

from pydantic import ValidationError
from scim2_models import (
    Attribute,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    Error,
    ETag,
    Filter,
    ForbiddenException,
    InvalidValueException,
    Mutability,
    Pagination,
    Patch,
    Required,
    ResourceType,
    Returned,
    Schema,
    SCIMException,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
    default_comparison_key,
)
from scim2_server.requests import ScimRequest
from scim2_server.routing import Operation, Target
from scim2_server.service import ScimService

from scim_app.directory.kinds import ENDPOINTS, KINDS, Group, Kind, User
from scim_app.directory.names import fold
from scim_app.errors import Refused, StoreUnavailable, Unstorable
from scim_app.protocol import limits

PAGE_LIMIT = 200
"""Most resources on one page; also the page size when a request gives none."""


def comparison_key(binding: Any, value: str) -> str:
    """Return the form in which the library compares a string: unique names as the store folds them."""
    if binding.urn == f"{User.__schema__}:userName":
        return fold(value)
    return default_comparison_key(binding, value)


READING = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
    comparison_key=comparison_key,
)
"""What is tolerated in whole resources: attributes that no schema declares are left out."""

WHOLE = READING.model_copy(update={"comparison_key": default_comparison_key})
"""As `READING`, for bodies that are compared with nothing; our form of comparison takes every text anyhow."""

PATCHING = READING.model_copy(update={"unknown": ScimPolicy.Unknown.forbid})
"""What is tolerated in a PATCH: an unknown path is refused, so that no change is dropped unseen."""

STORED = READING.model_copy(update={"unknown": ScimPolicy.Unknown.keep})
"""How stored documents are read: what an extension left behind that is no longer declared is kept."""

CURSOR_SECONDS = 24 * 60 * 60
"""How long a cursor is good for; a position never grows stale, but a leaked cursor should."""

CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=True, max_operations=limits.BULK_OPERATIONS, max_payload_size=limits.BULK.body),
    filter=Filter(supported=True, max_results=PAGE_LIMIT),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    pagination=Pagination(
        cursor=True,
        index=True,
        default_pagination_method=Pagination.DefaultPaginationMethod.index,
        default_page_size=PAGE_LIMIT,
        max_page_size=PAGE_LIMIT,
        cursor_timeout=CURSOR_SECONDS,
    ),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="SCIM token",
            description="A token made by an organization admin, sent as a bearer token (RFC 6750)",
            primary=True,
        )
    ],
)


_WRITES = {
    ("POST", False): Operation.create,
    ("PUT", True): Operation.replace,
    ("PATCH", True): Operation.patch,
    ("DELETE", True): Operation.delete,
}
"""The operation of a method at an endpoint, and of one that names a resource."""


class Service(ScimService):
    """The protocol, the cursors of its searches, and the routes of writes without trying every pattern."""

    @staticmethod
    def match(request: ScimRequest) -> Target:
        """Return what a request asks for, as the library finds it."""
        endpoint, slash, key = request.path[1:].partition("/")
        operation = _WRITES.get((request.method, bool(key)))
        if operation is None or endpoint not in ENDPOINTS or "/" in key or key == ".search" or bool(slash) != bool(key):
            return ScimService.match(request)
        return Target(operation, endpoint, key or None)

    def seal(self, types: list[ResourceType], request: SearchRequest[Any], position: Any) -> str | None:
        """Return the cursor of a place in the results of a search."""
        return self._seal(types, request, position)


EXTERNAL_ID = Attribute(
    name="externalId",
    type=Attribute.Type.string,
    multi_valued=False,
    description="The identity provider's own id of the resource, opaque",
    required=Required.false,
    case_exact=CaseExact.true,
    mutability=Mutability.read_write,
    returned=Returned.default,
    uniqueness=Uniqueness.server,
)
"""An attribute of every resource (RFC 7643 §3.1), which no schema has to list; Microsoft's schema test asks for it."""


class _Provider(ScimProvider):
    @cached_property
    def schemas(self) -> tuple[Schema, ...]:
        """The schemas as they are announced: those of resources list `externalId` too."""
        return tuple(_announced(schema) for schema in super().schemas)


def _announced(schema: Schema) -> Schema:
    if schema.id not in [str(kind.model.__schema__) for kind in KINDS.values()]:
        return schema
    return schema.model_copy(update={"attributes": [EXTERNAL_ID, *(schema.attributes or ())]})


def scim_service(secret: bytes) -> Service:
    """Return the protocol service: it reads requests and shapes answers, and never touches the store.

    Args:
        secret: what the keys of cursors are derived from, the same in every process.
    """
    extensions = [model for kind in KINDS.values() for model in kind.model.get_extension_models().values()]
    models = [User, Group, *extensions]
    types = [ResourceType.from_resource(kind.model) for kind in KINDS.values()]
    provider = _Provider(models=models, resource_types=types, config=CONFIG, policy=READING)
    return Service(provider, secret=secret)


def kind_of(resource_type: ResourceType) -> Kind:
    """Return our kind for a resource type of the provider."""
    return KINDS[str(resource_type.name)]


def scim_error(problem: Exception) -> SCIMException | None:
    """Return a client's error as the protocol knows it, None when the problem is our own."""
    if isinstance(problem, SCIMException):
        # The library words some refusals of a PATCH as its validator does, for programmers.
        return scim_error(problem.__cause__) if isinstance(problem.__cause__, ValidationError) else problem
    if isinstance(problem, ValidationError):
        return SCIMException.from_error(Error.from_validation_errors(problem)[0])
    if isinstance(problem, Refused):
        return ForbiddenException(detail=str(problem))
    if isinstance(problem, Unstorable):
        return InvalidValueException(detail=str(problem))
    if isinstance(problem, UnicodeEncodeError):
        return InvalidValueException(detail="the request holds half a surrogate pair, which is no character")
    if isinstance(problem, (StoreUnavailable, TimeoutError)):
        unavailable = SCIMException(detail=str(problem) or "this takes too long now; try again")
        unavailable.status = 503
        return unavailable
    return None
