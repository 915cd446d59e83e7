"""What the API reads: bodies, strict; and the cursors that pages go by."""

import base64
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from scim_app.directory.permissions import SCOPES
from scim_app.directory.providers import IdentityProvider
from scim_app.directory.roles import Role, Scope, ScopeKind
from scim_app.directory.thresholds import THRESHOLDS

_PRINTED = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256, pattern=_PRINTED)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000, pattern=_PRINTED)]


class Body(BaseModel):
    """A body: what it does not declare is refused, so that no field is ignored unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewUser(Body):
    """A user to add by hand."""

    user_name: Name
    given_name: Text = ""
    family_name: Text = ""
    display_name: Text | None = None


class UserChanges(Body):
    """What to change of a user; what is left out stays."""

    user_name: Name | None = None
    given_name: Text | None = None
    family_name: Text | None = None
    display_name: Text | None = None


class TeamName(Body):
    """The name of a team."""

    display_name: Name


class Link(Body):
    """The group that a team is to be linked to, where its id is known."""

    external_id: Name | None = None


class GroupMembers(Body):
    """User names in a group, for a preview."""

    user_names: Annotated[list[Text], Field(max_length=10_000)]


class NewGrant(Body):
    """A role to grant."""

    holder_kind: Annotated[str, Field(pattern="^(user|team)$")]
    holder_id: Name
    role: Role
    scope_kind: ScopeKind = ScopeKind.ORGANIZATION
    scope_id: Name | None = None
    reason: Text | None = None

    @property
    def scope(self) -> Scope:
        """Where it is to hold."""
        return Scope(self.scope_kind, self.scope_id)


class NewDeployment(Body):
    """A deployment to add."""

    name: Name
    kind: Annotated[str, Field(pattern="^(full|branch)$")] = "full"


class NewCodeLocation(Body):
    """A code location to add to a deployment."""

    name: Name


class Description(Body):
    """What a token is for."""

    description: Text


class NewToken(Body):
    """A SCIM token to make."""

    description: Text = ""
    idp: IdentityProvider | None = None
    days: Annotated[int, Field(ge=1, le=730)] = 365


class Rotation(Body):
    """How a token is replaced."""

    overlap_hours: Annotated[int, Field(ge=0, le=720)] = 24
    days: Annotated[int, Field(ge=1, le=730)] = 365


class NewKey(Body):
    """A key of the API to make."""

    scopes: Annotated[list[str], Field(min_length=1, description=f"One or more of {', '.join(SCOPES)}")]
    description: Text = ""
    days: Annotated[int, Field(ge=1, le=730)] = 365


def _limits(name: str) -> Any:
    """Return a field with the limits and words of a threshold."""
    threshold = THRESHOLDS[name]
    return Field(ge=threshold.least, le=threshold.most, description=threshold.words)


class Changes(Body):
    """Settings to change; what is left out stays."""

    name: Name | None = None
    time_zone: Name | None = None
    default_role: Role | None = None
    seat_limit: Annotated[int, Field(ge=1)] | None = None
    user_name_policy: Annotated[str, Field(pattern="^(flag|strict)$")] | None = None
    deprovision_sla_seconds: Annotated[int, _limits("deprovision_sla_seconds")] | None = None
    dormant_days: Annotated[int, _limits("dormant_days")] | None = None
    review_days: Annotated[int, _limits("review_days")] | None = None
    grace_days: Annotated[int, _limits("grace_days")] | None = None
    rubber_stamp_seconds: Annotated[int, _limits("rubber_stamp_seconds")] | None = None
    rubber_stamp_least: Annotated[int, _limits("rubber_stamp_least")] | None = None


class Switch(Body):
    """Whether SCIM provisioning is on."""

    enabled: bool


class Password(Body):
    """The password of the emergency account."""

    password: Annotated[str, StringConstraints(min_length=16, max_length=256)]


def seal(cursor: tuple[Any, ...] | None) -> str | None:
    """Return a page's cursor as one opaque text, None on the last page."""
    return None if cursor is None else base64.urlsafe_b64encode(orjson.dumps(cursor)).decode()


def unseal(text: str | None) -> tuple[str, str] | None:
    """Return the cursor in a text.

    Raises:
        ValueError: when it is not one that a page gave.
    """
    if not text:
        return None
    try:
        key, row_id = orjson.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, TypeError) as error:
        raise ValueError("`after` is not a cursor that a page gave as `next`") from error
    return str(key), str(row_id)
