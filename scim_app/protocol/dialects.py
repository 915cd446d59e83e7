"""Who speaks which dialect of SCIM: the quirks that each identity provider is allowed.

A token names its identity provider; where it names none, the user agent is a hint. A client that is known is held to
its own quirks. One that is not gets the quirks of all, none of which can be mistaken for a legal request; but a value
without quotes in a filter is a guess, and not made for it. A token of the dialect `strict` gets none.
"""

from dataclasses import dataclass
from functools import cache

from scim2_models import ScimPolicy

from scim_app.directory.kinds import Kind
from scim_app.protocol import quirks
from scim_app.protocol.quirks import FilterQuirk, Json, Quirk
from scim_app.protocol.wire import PATCHING


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one identity provider is allowed beyond the RFC."""

    name: str
    agents: tuple[str, ...] = ()
    """What its user agent holds, in lower case."""
    quirks: tuple[Quirk, ...] = ()
    filters: tuple[FilterQuirk, ...] = ()
    removes_by_value: bool = False
    """Members are removed by path `members` and a list of values; the RFC wants a filter (RFC 7644 §3.5.2.2)."""
    creates_by_filter: bool = False
    """A path filter on `type` or `primary` that matches nothing makes the element; the RFC refuses (§3.5.2.3)."""
    patches_groups_blindly: bool = False
    """A PATCH of a group is answered 204; otherwise small groups come back with 200 (RFC 7644 §3.5.2 allows both)."""

    def normalise(self, kind: Kind, body: Json) -> Json:
        """Return a body in the form the RFC asks for."""
        for quirk in (quirks.schemas_in_any_case, quirks.names_of_operations, *self.quirks):
            body = quirk(kind, body)
        return body

    def filter(self, text: str) -> str:
        """Return a filter in the form the grammar asks for."""
        for quirk in self.filters:
            text = quirk(text)
        return text

    def policy(self, *, describes: bool = False) -> ScimPolicy:
        """Return what the library tolerates in a PATCH operation.

        Args:
            describes: whether the path's filter describes an element, so that one can be made of it.
        """
        return _policy(self.removes_by_value, self.creates_by_filter and describes)


@cache
def _policy(by_value: bool, made: bool) -> ScimPolicy:
    values, unmatched = ScimPolicy.RemoveValue, ScimPolicy.UnmatchedPathFilter
    return PATCHING.model_copy(
        update={
            "remove_value_as_filter": values.apply if by_value else values.forbid,
            "unmatched_path_filter": unmatched.create if made else unmatched.forbid,
        }
    )


_ENTRA = (
    quirks.labels_of_operations,
    quirks.filters_as_keys,
    quirks.forms_of_manager,
    quirks.removal_with_value,
)
STRICT = Dialect("strict")
DIALECTS = (
    Dialect("okta", ("okta",)),
    Dialect(
        "entra",
        ("microsoft", "azure ad", "entra"),
        _ENTRA,
        (quirks.unquoted_filter_value, quirks.manager_in_filter),
        removes_by_value=True,
        creates_by_filter=True,
        patches_groups_blindly=True,
    ),
    Dialect(
        "onelogin",
        ("onelogin",),
        (quirks.names_of_older_schemas, quirks.emails_as_object),
        removes_by_value=True,
    ),
    Dialect("jumpcloud", ("jumpcloud",), filters=(quirks.unquoted_filter_value,), removes_by_value=True),
    Dialect("google", ("google",)),
    Dialect("ping", ("pingfederate", "pingone", "apache-httpclient"), (quirks.member_as_text,), removes_by_value=True),
    Dialect("rippling", ("rippling",), (quirks.members_without_path, quirks.member_as_text), removes_by_value=True),
    STRICT,
)
ANY = Dialect(
    "any",
    quirks=(
        quirks.names_of_older_schemas,
        *_ENTRA,
        quirks.emails_as_object,
        quirks.members_without_path,
        quirks.member_as_text,
    ),
    filters=(quirks.manager_in_filter,),  # a value without quotes is a guess, and nobody knows that they mean it
    removes_by_value=True,
    creates_by_filter=True,
)
_BY_NAME = {dialect.name: dialect for dialect in DIALECTS} | {"entra id": DIALECTS[1], "azure": DIALECTS[1]}


def dialect_of(idp: str | None, user_agent: str | None) -> Dialect:
    """Return the dialect of a request: what its token says, else what its user agent hints at, else all of them."""
    if idp is not None and (known := _BY_NAME.get(idp.strip().lower())):
        return known
    agent = (user_agent or "").lower()
    return next((one for one in DIALECTS if any(hint in agent for hint in one.agents)), ANY)
