"""PATCH operations on a group's members, taken apart into set changes: a model of the group is never built."""

from dataclasses import dataclass
from typing import Any

from scim2_models import (
    Group,
    InvalidPathException,
    InvalidValueException,
    MutabilityException,
    NoTargetException,
    PayloadTooLargeException,
)
from scim2_models.path import (
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Path,
    ScimFilter,
    ValuePath,
)

from scim_app.directory import membership
from scim_app.directory.kinds import KINDS
from scim_app.directory.membership import MemberDelta
from scim_app.protocol import encode
from scim_app.protocol.quirks import Json
from scim_app.store.db import allowance
from scim_app.store.log.event_log import Reading, Unit
from scim_app.store.resources import members, resources, team_size

_NAMES = ("members", f"{Group.__schema__}:members".lower())

MEMBERS_OF_VALUE = 300
"""So many members of a change are put together with another one in the time that the library reads one value."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Take out the members that a filter selects, where the filter must be asked of each of them."""

    filter: str
    changes: bool = False
    """Whether they were to be changed, not taken out: that is refused, by what there is."""


Step = MemberDelta | Selection


def split(operations: list[Any], *, by_value: bool) -> tuple[list[Any], list[Step]]:
    """Return the operations that are not about members, and the steps that are, each in order.

    Args:
        operations: the operations of a PATCH.
        by_value: whether `remove` may name members by their value, as Entra ID does.
    """
    rest: list[Any] = []
    steps: list[Step] = []
    for operation in operations:
        if not isinstance(operation, dict):
            rest.append(operation)
        elif _is_about_members(operation.get("path")):
            steps.append(_step(operation, by_value=by_value))
        elif operation.get("path") in (None, "") and isinstance(operation.get("value"), dict):
            kept = {name: value for name, value in operation["value"].items() if name.lower() not in _NAMES}
            named = [value for name, value in operation["value"].items() if name.lower() in _NAMES]
            if named and str(operation.get("op")).lower() == "remove" and not by_value:
                raise NoTargetException(detail="a remove operation needs a path")
            steps += [_step(operation | {"path": "members", "value": value}, by_value=by_value) for value in named]
            if kept or not named:
                rest.append(operation | {"value": kept})
        else:
            rest.append(operation)
    return rest, steps


def resolve(where: Unit | Reading, base_url: str, team_id: str, steps: list[Step]) -> MemberDelta:
    """Return the one change that the steps amount to.

    Args:
        where: the write, or where it is made before its turn.
        base_url: SCIM base address of the organization: members are selected by what a client is shown.
        team_id: the team.
        steps: what `split` has made of the operations.
    """
    delta = MemberDelta()
    for step in steps:
        allowance.spend((len(delta.added) + len(delta.removed)) // MEMBERS_OF_VALUE)
        delta = delta.then(_selected(where, base_url, team_id, step, delta) if isinstance(step, Selection) else step)
    return delta


def values(members_value: Any) -> list[str]:
    """Return the ids in a `members` value: a list of objects with `value`, one such object, or nothing.

    Raises:
        InvalidValueException: when anything else is there.
        PayloadTooLargeException: when there are more than a group may have; they are never cut.
    """
    if members_value is None:
        return []
    given: list[Any] = members_value if isinstance(members_value, list) else [members_value]
    found: list[Any] = [_id(member) if isinstance(member, dict) else member for member in given]
    if not {str}.issuperset(map(type, found)) or "" in found:
        raise InvalidValueException(detail='each member needs a "value" with the id of a user or a group')
    if len(found) > membership.TEAM_MEMBERS:
        most = f"a group may have {membership.TEAM_MEMBERS} members, not {len(found)}"
        raise PayloadTooLargeException(detail=f"{most}; make several groups of it")
    return found


def _id(member: Json) -> Any:
    """Return a member's `value`, whatever the case of that name (RFC 7643 §2.1)."""
    if "value" in member:
        return member["value"]
    return next((held for name, held in member.items() if name.lower() == "value"), None)


def _is_about_members(path: Any) -> bool:
    if not isinstance(path, str):
        return False
    head = path.split("[", 1)[0].strip().lower()
    return head in _NAMES or any(head.startswith(f"{name}.") for name in _NAMES)


def _step(operation: Json, *, by_value: bool) -> Step:
    path, op = Path[Group](operation["path"]), str(operation.get("op", "")).lower()
    node = path.ast
    value = operation.get("value")
    if isinstance(node, ValuePath):
        path.get(Group())  # raises where the filter names what no member has
        return _filtered_step(op, node, value)
    if "." in operation["path"].rpartition(":")[2]:
        raise MutabilityException(detail="a member can't be changed, only added and removed", attribute="members")
    if (op == "replace" and "value" not in operation) or (op == "add" and value is None) or value == "":
        raise InvalidValueException(detail=f"{op} of members needs a value: a list, empty to take all members out")
    match op:
        case "add":
            return MemberDelta.add(*values(value))
        case "replace":
            return MemberDelta.replace(*values(value))
        case "remove" if value is not None and not by_value:
            raise InvalidValueException(detail='remove members by a filter: members[value eq "…"]')
        case "remove":
            return MemberDelta(reset=True) if value is None else MemberDelta.remove(*values(value))
        case _:
            raise InvalidValueException(
                detail=f"{operation.get('op')!r} is not a PATCH operation: add, remove or replace"
            )


def _filtered_step(op: str, node: ValuePath, value: Any) -> Step:
    if op != "remove" or node.sub_attr is not None:
        return Selection(str(node.val_filter), changes=True)
    if value not in (None, []):
        raise InvalidPathException(detail="a filter in the path says what to remove; leave the value out")
    named = _named(node.val_filter)
    return Selection(str(node.val_filter)) if named is None else MemberDelta.remove(*named)


def _named(condition: FilterNode) -> list[str] | None:
    """Return the ids that `value eq "…"`, or several joined by `or`, names; None for any other filter."""
    if isinstance(condition, LogicalExpr) and condition.op == LogicalOperator.or_:
        parts = [_named(term) for term in condition.terms]
        return None if None in parts else [value for part in parts for value in part or ()]
    if isinstance(condition, Comparison) and condition.op == CompareOperator.eq and isinstance(condition.value, str):
        return [condition.value] if str(condition.attr_path).lower() == "value" else None
    return None


def _selected(where: Unit | Reading, base_url: str, team_id: str, step: Selection, before: MemberDelta) -> MemberDelta:
    """Return what a filter selects of the members as the operations before it left them."""
    wanted = ScimFilter[Group.Members](step.filter)  # pyright: ignore[reportInvalidTypeArguments]
    size = 0 if before.reset else team_size.of(where.connection, where.org_id, team_id)
    allowance.spend((size + len(before.added)) // 2)
    stored = [] if before.reset else members.of_team(where.connection, where.org_id, team_id)
    there = {held["value"]: encode.member(base_url, held) for held in stored if held["value"] not in before.removed}
    there |= {one: encode.member(base_url, _added(where, one)) for one in before.added if one not in there}
    chosen = [m for m, shown in there.items() if wanted.match(Group.Members.model_validate(shown))]
    if step.changes and not chosen:
        raise NoTargetException(detail="no member matches the filter in the path")
    if step.changes:
        raise MutabilityException(detail="a member can't be changed, only added and removed", attribute="members")
    return MemberDelta.remove(*chosen)


def _added(where: Unit | Reading, member_id: str) -> Json:
    """Return a member that is being added as `members.of_team` will have it."""
    for kind in KINDS.values():
        if held := resources.find(where.connection, where.org_id, kind, member_id):
            document = held.load()
            display = document.get("displayName") or document.get(kind.unique)
            place = f"{kind.endpoint}/{member_id}"
            return {"value": member_id, "$ref": place, "type": kind.scim_name, "display": display}
    return {"value": member_id}
