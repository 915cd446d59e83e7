"""The two kinds of resource and, once for the whole project, the attributes that become columns.

SCIM's words (User, Group) stop here; the store and everything after it says user and team.
An attribute declared here is a column of the store, a fast filter, a column of the snapshots and a row in the docs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Union

import scim2_models
from pydantic import BeforeValidator, Field
from scim2_models import (
    CaseExact,
    ComplexAttribute,
    Extension,
    External,
    Mutability,
    Reference,
    Required,
    Resource,
    Returned,
)

from scim_app.directory.names import fold

Document = Mapping[str, Any]
"""A SCIM resource as JSON: what the client owns, plus `schemas` and `id`."""

ENTERPRISE = str(scim2_models.EnterpriseUser.__schema__)
CORE_NAMES = ("urn:ietf:params:scim:schemas:core:2.0", "urn:scim:schemas:core:2.0", "urn:scim:schemas:core:1.0")
"""Names of the core schema before RFC 7643 gave each kind of resource its own; templates still send them."""
ENTERPRISE_NAMES = (
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0",
    "urn:scim:schemas:extension:enterprise:2.0",
    "urn:scim:schemas:extension:enterprise:1.0",
)
"""Names of the enterprise extension before RFC 7643."""


class Email(scim2_models.Email):
    """An e-mail address as identity providers have it: `ada@corp` is one too."""

    value: str | None = None


Unassigned = BeforeValidator(lambda value: value or None)
"""An empty text says that there is no value, also where it would have to be an address."""


class User(scim2_models.User):  # pyright: ignore[reportMissingTypeArgument]
    """A user whose e-mail addresses need not be public internet addresses."""

    profile_url: Annotated[Reference[External] | None, Unassigned] = None
    emails: list[Email] | None = None  # pyright: ignore[reportIncompatibleVariableOverride]

    Emails: ClassVar[type[ComplexAttribute]] = Email


class Manager(scim2_models.Manager):
    """A manager by what identity providers send of one: id alone, or a name alone; all is optional (RFC 7643 §4.3)."""

    value: Annotated[str | None, Required.false, CaseExact.true] = None
    ref: Annotated[Reference["User"] | None, Required.false] = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        None, serialization_alias="$ref", validation_alias="$ref"
    )


class EnterpriseUser(scim2_models.EnterpriseUser):
    """The enterprise extension."""

    manager: Manager | None = None  # pyright: ignore[reportIncompatibleVariableOverride]


class GroupMember(scim2_models.GroupMember):
    """A member whose `display` is the user's own name: a client can't set it, and gets it on request."""

    display: Annotated[str | None, Mutability.read_only, Returned.request] = None


class Group(scim2_models.Group):
    """A group."""

    members: list[GroupMember] | None = None  # pyright: ignore[reportIncompatibleVariableOverride]

    Members: ClassVar[type[ComplexAttribute]] = GroupMember


@lru_cache(256)
def path_keys(path: str) -> tuple[str, ...]:
    """Return the keys that lead to the value at a dotted path; an extension's URN is one key."""
    head, separator, tail = path.rpartition(":")
    return (*([head] if separator else []), *tail.split("."))


def value_at(document: Document, path: str) -> Any:
    """Return the value at a dotted path; extension attributes are written `URN:attribute`. None when unassigned."""
    value: Any = document
    for key in path_keys(path):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def primary_email(document: Document) -> str | None:
    """Return the primary e-mail address, else the first one, else None."""
    emails = [e for e in document.get("emails") or () if isinstance(e, dict) and e.get("value")]
    chosen = next((e for e in emails if e.get("primary") is True), emails[0] if emails else None)
    return str(chosen["value"]) if chosen else None


@dataclass(frozen=True, slots=True)
class Attribute:
    """One reported attribute: its column, its SCIM path and what it says."""

    column: str
    path: str
    description: str
    boolean: bool = False
    exact: bool = False
    """Compared with regard to case (`caseExact`)."""
    rule: Callable[[Document], Any] | None = None
    """How it is read where it is more than the value at the path; such a column serves no filter."""

    def read(self, document: Document) -> Any:
        """Return the column's value in a document, None when unassigned."""
        value = self.rule(document) if self.rule else value_at(document, self.path)
        return None if value == "" else value


def is_active(document: Document) -> bool:
    """Tell whether an account is active; an account that says nothing is."""
    return document.get("active") is not False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource: what SCIM calls it, what we call it, and which attributes become columns."""

    name: str
    """Our word: `user` or `team`."""
    scim_name: str
    """SCIM's word, also `meta.resourceType`."""
    endpoint: str
    declared: type[Resource[Any]]
    """Its model as the RFC has it."""
    unique: str
    """Name of the attribute that is unique in an organization, by folded comparison."""
    attributes: tuple[Attribute, ...]

    @property
    def model(self) -> type[Resource[Any]]:
        """Its model, with the extensions that the settings declare."""
        return _EXTENDED.get(self.name, self.declared)

    def columns(self, document: Document) -> dict[str, Any]:
        """Return the reported attributes of a document, keyed by column."""
        return {attribute.column: attribute.read(document) for attribute in self.attributes}


USER = Kind(
    name="user",
    scim_name="User",
    endpoint="Users",
    declared=User[EnterpriseUser],  # pyright: ignore[reportInvalidTypeArguments]
    unique="userName",
    attributes=(
        Attribute("user_name", "userName", "Name the account signs in with, as the identity provider wrote it"),
        Attribute("external_id", "externalId", "The identity provider's own id, opaque", exact=True),
        Attribute("active", "active", "Whether the account may sign in", boolean=True, rule=is_active),
        Attribute("display_name", "displayName", "Name shown to people"),
        Attribute("given_name", "name.givenName", "Given name"),
        Attribute("family_name", "name.familyName", "Family name"),
        Attribute("email", "emails", "Primary e-mail address, else the first", rule=primary_email),
        Attribute("title", "title", "Job title"),
        Attribute("user_type", "userType", "Relationship to the organization, such as Employee"),
        Attribute("department", f"{ENTERPRISE}:department", "Department"),
        Attribute("employee_number", f"{ENTERPRISE}:employeeNumber", "Employee number"),
        Attribute("manager_id", f"{ENTERPRISE}:manager.value", "Id of the manager", exact=True),
    ),
)

TEAM = Kind(
    name="team",
    scim_name="Group",
    endpoint="Groups",
    declared=Group,
    unique="displayName",
    attributes=(
        Attribute("display_name", "displayName", "Name of the team"),
        Attribute("external_id", "externalId", "The identity provider's own id, opaque", exact=True),
    ),
)

KINDS = {kind.scim_name: kind for kind in (USER, TEAM)}
ENDPOINTS = {kind.endpoint: kind for kind in KINDS.values()}
"""Kinds by the endpoint that serves them."""
_EXTENDED: dict[str, type[Resource[Any]]] = {}


def extend(extensions: Mapping[str, Sequence[type[Extension]]]) -> None:
    """Give users and groups the attributes of extensions, by SCIM's name of the kind; for the whole process, once."""
    _EXTENDED.clear()
    for name, models in extensions.items():
        kind, bare = (USER, User) if name == USER.scim_name else (TEAM, Group)
        known = (EnterpriseUser, *models) if kind is USER else tuple(models)
        _EXTENDED[kind.name] = bare[Union[known]]  # pyright: ignore  # noqa: UP007


def search_key(kind: Kind, document: Document) -> str:
    """Return what people find a user or a team by: the name shown, the unique name and the e-mail address, folded.

    Lists are sorted by it, so the name shown is first.
    """
    shown, name = document.get("displayName"), document.get(kind.unique)
    parts = (shown or name, name if kind is USER else None, primary_email(document) if kind is USER else None)
    return fold("\n".join(dict.fromkeys(str(part) for part in parts if part)))
