"""A filter as terms over attributes, its values apart: what stays alike from one request to the next is the plan's.

The library parses and checks a filter (RFC 7644 §3.4.2.2); here its names become attributes and its values the form
that stored values have. Two filters that differ only in their values have equal terms.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from inspect import isclass
from typing import Any

from scim2_models import BaseModel, Extension, InvalidFilterException, ScimFilter
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
    coerce_value,
)

from scim_app.directory.kinds import Kind
from scim_app.directory.names import composed, fold, lower
from scim_app.store.db.stamps import instant


@dataclass(frozen=True, slots=True)
class Constant:
    """What holds, or does not, whatever is stored."""

    holds: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Terms of which all must hold, or any."""

    all: bool
    terms: "tuple[Term, ...]"


@dataclass(frozen=True, slots=True)
class Negation:
    """The opposite of a term; no term is ever NULL."""

    term: "Term"


@dataclass(frozen=True, slots=True)
class Assigned:
    """Whether an attribute has a value that is not empty; of a list, whether any element has one."""

    attribute: AttributeBinding | None
    """None stands for the element itself, where elements are plain values."""


@dataclass(frozen=True, slots=True)
class Unassigned:
    """Whether an attribute is missing; of a list, whether it is empty or an element misses the sub-attribute."""

    attribute: AttributeBinding | None


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison with a value, by `eq`, `gt`, `ge`, `lt`, `le`, `co`, `sw` or `ew`; a missing attribute has none."""

    attribute: AttributeBinding | None
    operator: CompareOperator
    value: str
    """Name of the parameter that carries the value."""


@dataclass(frozen=True, slots=True)
class Element:
    """Whether one element of a list meets a term about that element."""

    attribute: AttributeBinding
    term: "Term"


Term = Constant | Group | Negation | Assigned | Unassigned | Compare | Element
Values = dict[str, Any]
"""Values of a filter by the names of their parameters."""

_PARTS = (CompareOperator.co, CompareOperator.sw, CompareOperator.ew)


def read_terms(kind: Kind, scim_filter: ScimFilter[Any], values: Values) -> Term:
    """Return a filter as a term over the attributes of a kind.

    Args:
        kind: the kind of resource that is searched.
        scim_filter: a filter already checked against the kind's model.
        values: takes the filter's values by the names that the terms give them.

    Raises:
        InvalidFilterException: when a value does not fit its attribute.
    """
    return _Reader(kind.model, values, kind.unique).read(scim_filter.ast)


def scim_path(binding: AttributeBinding) -> list[str]:
    """Return the keys that lead to an attribute in a document, the extension's URN first where there is one."""
    schema = str(getattr(binding.model, "__schema__", ""))
    path = binding.urn.removeprefix(f"{schema}:").split(".")
    return [schema, *path] if issubclass(binding.model, Extension) else path


def is_exact(binding: AttributeBinding) -> bool:
    """Tell whether an attribute compares as it stands: `caseExact`, or no string at all."""
    kind = binding.target_type
    return binding.case_exact or not (isclass(kind) and issubclass(kind, str))


class _Reader:
    """Reads the filter of a resource, or of an element: then `model` is the element's.

    Args:
        model: whose attributes are named.
        values: takes the values.
        unique: the attribute that names compare by, if the model has one.
    """

    def __init__(self, model: type[BaseModel], values: Values, unique: str = "") -> None:
        self._model, self._values, self._unique = model, values, unique

    def read(self, node: FilterNode) -> Term:
        match node:
            case LogicalExpr(op=op, terms=terms):
                return Group(op == LogicalOperator.and_, tuple(self.read(term) for term in terms))
            case Not(expr=inner):
                return Negation(self.read(inner))
            case Present(attr_path=path):
                return self._present(path)
            case Comparison():
                return self._comparison(node)
            case ValuePath(attr_path=path, val_filter=inner):
                return self._element(path, inner)
            case _:
                raise AssertionError(f"the grammar has no {type(node).__name__}")

    def _present(self, path: AttrPath) -> Term:
        binding = _attribute(self._model, path, comparing=False)
        return Constant(False) if binding is None else Assigned(binding)

    def _comparison(self, node: Comparison) -> Term:
        binding = _attribute(self._model, node.attr_path, comparing=True)
        if binding is None:
            return Constant(False)
        holds = _decided(binding, node)
        return holds or self._compare(binding, node.op, self._operand(binding, node))

    def _element(self, path: AttrPath, inner: FilterNode) -> Term:
        binding = _attribute(self._model, path, comparing=False)
        if binding is None:
            return Constant(False)
        model = binding.field_type
        if isclass(model) and issubclass(model, BaseModel):
            return Element(binding, _Reader(model, self._values).read(inner))
        return Element(binding, _ValueReader(BaseModel, self._values).read(inner))

    def _compare(self, binding: AttributeBinding | None, op: CompareOperator, value: Any) -> Term:
        """Return a comparison: `ne` is the opposite of `eq`, and only those two say anything of null."""
        if op == CompareOperator.ne:
            return Negation(self._compare(binding, CompareOperator.eq, value))
        if value is None:
            return Unassigned(binding) if op == CompareOperator.eq else Constant(False)
        if op in _PARTS and not isinstance(value, str):
            return Constant(False)
        if op == CompareOperator.ew and not value:  # every text ends with an empty one, as it begins with one
            op = CompareOperator.sw
        name = f"value_{len(self._values)}"
        self._values[name] = value
        return Compare(binding, op, name)

    def _operand(self, binding: AttributeBinding, node: Comparison) -> Any:
        """Return what a filter compares with, in the form that the stored value has."""
        value = coerce_value(binding, node.value, node.op)
        if isinstance(value, str) and "\0" in value:
            raise InvalidFilterException(detail="a filter can't compare with the character NUL (U+0000); leave it out")
        if isinstance(value, bytes):
            return b64encode(value).decode()  # the form that the library stores (RFC 4648 §4)
        if isinstance(value, datetime):
            return _moment(value)
        return self._form(binding)(value) if isinstance(value, str) else value

    def _form(self, binding: AttributeBinding) -> Callable[[str], str]:
        if is_exact(binding):
            return composed
        return fold if self._unique and scim_path(binding) == [self._unique] else lower


class _ValueReader(_Reader):
    """Reads the filter inside `attribute[…]` where the elements are plain texts, called `value`."""

    def _present(self, path: AttrPath) -> Term:
        return Assigned(None) if _is_value(path) else Constant(False)

    def _comparison(self, node: Comparison) -> Term:
        if not _is_value(node.attr_path):
            return Constant(False)
        if node.value is not None and not isinstance(node.value, str):
            return Constant(node.op == CompareOperator.ne)
        return self._compare(None, node.op, node.value)


@lru_cache(maxsize=1024)
def _attribute(model: type[BaseModel], path: AttrPath, *, comparing: bool) -> AttributeBinding | None:
    """Return the attribute that a path names; what only another kind has matches nothing (RFC 7644 §3.4.2.1)."""
    names = _names(model)
    return (names.resolve_comparison if comparing else names.resolve)(path, strict=False)


@lru_cache(maxsize=64)
def _names(model: type[BaseModel]) -> ScimFilter[Any]:
    return ScimFilter[model]("id pr")  # pyright: ignore[reportInvalidTypeArguments]


def _is_value(path: AttrPath) -> bool:
    return path.attr.lower() == "value" and path.sub_attr is None


def _decided(binding: AttributeBinding, node: Comparison) -> Constant | None:
    """Return what a comparison gives whatever is stored: no object equals a scalar, no instant holds a text."""
    kind = binding.target_type
    if node.value is None or not isclass(kind):
        return None
    if issubclass(kind, BaseModel):
        return Constant(node.op == CompareOperator.ne)
    return Constant(False) if node.op in _PARTS and issubclass(kind, (datetime, int, float)) else None


def _moment(value: datetime) -> str:
    try:
        return instant(value)
    except OverflowError as error:
        raise InvalidFilterException(detail="in UTC, that is before the year 1 or after 9999") from error
