"""The SCIM service as the protocol library describes it: models, discovery, tolerance and errors."""

from functools import cache
from typing import Any

from pydantic import ValidationError
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Error,
    ETag,
    Filter,
    Patch,
    ResourceType,
    SCIMException,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    default_comparison_key,
)
from scim2_server.service import ScimService

from scim_app.directory.kinds import KINDS, USER, EnterpriseUser, Kind, User
from scim_app.directory.names import fold
from scim_app.errors import StoreUnavailable

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

PATCHING = READING.model_copy(update={"unknown": ScimPolicy.Unknown.forbid})
"""What is tolerated in a PATCH: an unknown path is refused, so that no change is dropped unseen."""

STRICT_TARGET = PATCHING.model_copy(update={"unmatched_path_filter": ScimPolicy.UnmatchedPathFilter.forbid})
"""As `PATCHING`, but a path filter that matches nothing is `noTarget`."""

CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=PAGE_LIMIT),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="SCIM token",
            description="A token made by an organization admin, sent as a bearer token (RFC 6750)",
            primary=True,
        )
    ],
)


@cache
def scim_service() -> ScimService:
    """Return the protocol service: it reads requests and shapes answers, and never touches the store."""
    models = [User, EnterpriseUser, *(kind.model for kind in KINDS.values() if kind is not USER)]
    types = [ResourceType.from_resource(kind.model) for kind in KINDS.values()]
    return ScimService(ScimProvider(models=models, resource_types=types, config=CONFIG, policy=READING))


def kind_of(resource_type: ResourceType) -> Kind:
    """Return our kind for a resource type of the provider."""
    return KINDS[str(resource_type.name)]


def scim_error(problem: Exception) -> SCIMException | None:
    """Return a client's error as the protocol knows it, None when the problem is our own."""
    if isinstance(problem, SCIMException):
        return problem
    if isinstance(problem, ValidationError):
        return SCIMException.from_error(Error.from_validation_errors(problem)[0])
    if isinstance(problem, StoreUnavailable):
        unavailable = SCIMException(detail=str(problem))
        unavailable.status = 503
        return unavailable
    return None
