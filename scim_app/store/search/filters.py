"""SCIM filters and sorting as SQL (RFC 7644 §3.4.2.2, §3.4.2.3).

Every comparison compiles to an expression that is true or false, never NULL, so `not` and `ne` mean in SQL
what they mean in SCIM. The library's in-memory `match` is the oracle.
"""

import operator
from collections.abc import Callable
from datetime import datetime
from inspect import isclass
from typing import Any

import sqlalchemy as sa
from scim2_models import BaseModel, SearchRequest
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ScimFilter,
    ValuePath,
)

from scim_app.directory.kinds import USER, Kind
from scim_app.store.db.json_sql import Json
from scim_app.store.resources import emails
from scim_app.store.search.attributes import Attributes, Condition, Expression, Rows, is_exact, scim_path, sub_attribute
from scim_app.store.search.filter_cost import FilterCost
from scim_app.store.search.operands import operand

_ORDERS: dict[CompareOperator, Callable[[Any, Any], Any]] = {
    CompareOperator.eq: operator.eq,
    CompareOperator.gt: operator.gt,
    CompareOperator.ge: operator.ge,
    CompareOperator.lt: operator.lt,
    CompareOperator.le: operator.le,
}
_PARTS = (CompareOperator.co, CompareOperator.sw, CompareOperator.ew)


def compile_filter(kind: Kind, scim_filter: ScimFilter[Any], base_url: str, dialect: str, org_id: str) -> Condition:
    """Return a filter as a condition on the kind's table.

    Args:
        kind: the kind of resource that is searched.
        scim_filter: a filter already checked against the kind's model.
        base_url: SCIM base address, for comparisons with `meta.location` and `$ref`.
        dialect: name of the database's SQLAlchemy dialect.
        org_id: the organization that is searched.

    Raises:
        InvalidFilterException: when an operator does not fit its attribute.
        TooManyException: when it would cost more than `FILTER_COST` for each resource.
    """
    condition = _Compiler(Attributes(kind, base_url, dialect)).visit(scim_filter.ast)
    email = emails.asked(scim_filter.ast) if kind is USER else None
    return condition if email is None else emails.having(org_id, email, dialect) & condition


def compile_sort(kind: Kind, request: SearchRequest[Any], base_url: str, dialect: str) -> Expression | None:
    """Return what a search sorts resources by, in the form it compares in; None when the kind has no such attribute."""
    binding = request.sort_binding(kind.model) if request.sort_by else None
    return None if binding is None else Attributes(kind, base_url, dialect).sorted(binding)


class _Logic(FilterVisitor[Condition]):
    """The parts of a filter that are the same for a resource and for one element of an attribute."""

    def __init__(self, model: type[BaseModel], json: Json) -> None:
        self._json = json
        self._names: ScimFilter[Any] = ScimFilter[model]("id pr")  # pyright: ignore[reportInvalidTypeArguments]

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        """Join the terms."""
        join = sa.and_ if node.op == LogicalOperator.and_ else sa.or_
        return join(*(self.visit(term) for term in node.terms))

    def visit_not(self, node: Not) -> Condition:
        """Negate; nothing below is NULL, so this is the logical not."""
        return sa.not_(self.visit(node.expr))

    def bind(self, path: AttrPath, *, comparing: bool = False) -> AttributeBinding | None:
        """Return the attribute that a path names; what only another kind has matches nothing (RFC 7644 §3.4.2.1)."""
        resolve = self._names.resolve_comparison if comparing else self._names.resolve
        return resolve(path, strict=False)

    def _compare(self, found: Expression, op: CompareOperator, value: Any) -> Condition:
        """Return a comparison that is never NULL: a missing value equals null and differs from all else."""
        if value is None:
            return _compare_to_null(found.is_(None), op)
        if op == CompareOperator.ne:
            return sa.not_(sa.func.coalesce(found == value, sa.false()))
        return sa.func.coalesce(self._relation(found, op, value), sa.false())

    def _relation(self, found: Expression, op: CompareOperator, value: Any) -> Expression:
        if op in _ORDERS:
            return _ORDERS[op](found, value)
        if not isinstance(value, str):
            return sa.false()
        match op:
            case CompareOperator.co:
                return self._json.holds(found, value)
            case CompareOperator.sw:
                return sa.func.substr(found, 1, len(value)) == value
            case _:
                return self._json.ends_with(found, value) if value else found.is_not(None)


class _Compiler(_Logic):
    """Compiles a filter against a resource."""

    def __init__(self, attributes: Attributes) -> None:
        super().__init__(attributes.kind.model, attributes.json)
        self._unique = attributes.kind.unique
        self._attributes = attributes
        self._cost = FilterCost()

    def visit_present(self, node: Present) -> Condition:
        """Tell whether an attribute has a value."""
        binding = self.bind(node.attr_path)
        if binding is None:
            return sa.false()
        if not binding.is_multivalued:
            return _present(self._single(binding))
        rows = self._rows(binding)
        return rows.any(_present(rows.read(sub_attribute(binding), False, binding.target_type)))

    def visit_comparison(self, node: Comparison) -> Condition:
        """Compare; a multi-valued attribute matches when any element does, and `ne` when none is equal.

        Null equals an element that has no such value, and an attribute without elements.
        """
        binding = self.bind(node.attr_path, comparing=True)
        if binding is None:
            return sa.false()
        value = operand(binding, node, unique=self._unique)
        if (decided := _decided(binding, node.op, value)) is not None:
            return decided
        if not binding.is_multivalued:
            return self._compare(self._single(binding), node.op, value)
        rows = self._rows(binding)
        element = rows.read(sub_attribute(binding), is_exact(binding), binding.target_type)
        if value is None:
            unassigned = sa.not_(rows.any(sa.true())) | rows.any(element.is_(None))
            return _compare_to_null(unassigned, node.op)
        if node.op == CompareOperator.ne:
            return sa.not_(rows.any(self._compare(element, CompareOperator.eq, value)))
        return rows.any(self._compare(element, node.op, value))

    def visit_value_path(self, node: ValuePath) -> Condition:
        """Tell whether one element meets the whole inner filter."""
        binding = self.bind(node.attr_path)
        if binding is None:
            return sa.false()
        rows = self._rows(binding)
        model = binding.field_type
        if isclass(model) and issubclass(model, BaseModel):
            return rows.any(_ElementCompiler(rows, model, self._json).visit(node.val_filter))
        return rows.any(_ScalarCompiler(rows, BaseModel, self._json).visit(node.val_filter))

    def _single(self, binding: AttributeBinding) -> Expression:
        self._cost.pay(1)
        return self._attributes.single(binding)

    def _rows(self, binding: AttributeBinding) -> Rows:
        rows = self._attributes.rows(binding)
        self._cost.pay(rows.cost)
        return rows


class _ElementCompiler(_Logic):
    """Compiles the filter inside `attribute[…]` against one element."""

    def __init__(self, rows: Rows, model: type[BaseModel], json: Json) -> None:
        super().__init__(model, json)
        self._rows = rows

    def visit_present(self, node: Present) -> Condition:
        """Tell whether the element has a value there."""
        binding = self.bind(node.attr_path)
        if binding is None:
            return sa.false()
        return _present(self._rows.read(scim_path(binding)[-1], False, binding.target_type))

    def visit_comparison(self, node: Comparison) -> Condition:
        """Compare a sub-attribute of the element."""
        binding = self.bind(node.attr_path, comparing=True)
        if binding is None:
            return sa.false()
        if (decided := _decided(binding, node.op, node.value)) is not None:
            return decided
        element = self._rows.read(scim_path(binding)[-1], is_exact(binding), binding.target_type)
        return self._compare(element, node.op, operand(binding, node))


class _ScalarCompiler(_Logic):
    """Compiles the filter inside `attribute[…]` where the elements are plain values, called `value`."""

    def __init__(self, rows: Rows, model: type[BaseModel], json: Json) -> None:
        super().__init__(model, json)
        self._rows = rows

    def visit_present(self, node: Present) -> Condition:
        """Tell whether the element has a value."""
        return _present(self._rows.read(None, True, str)) if _is_value(node) else sa.false()

    def visit_comparison(self, node: Comparison) -> Condition:
        """Compare the element itself."""
        if not _is_value(node):
            return sa.false()
        if node.value is not None and not isinstance(node.value, str):
            return sa.true() if node.op == CompareOperator.ne else sa.false()  # the elements are strings
        return self._compare(self._rows.read(None, True, str), node.op, node.value)


def _is_value(node: Comparison | Present) -> bool:
    return node.attr_path.attr.lower() == "value" and node.attr_path.sub_attr is None


def _decided(binding: AttributeBinding, op: CompareOperator, value: Any) -> Condition | None:
    """Return what a comparison gives whatever is stored: no object equals a scalar, no instant holds a text."""
    kind = binding.target_type
    if value is None or not isclass(kind):
        return None
    if issubclass(kind, BaseModel):
        return sa.true() if op == CompareOperator.ne else sa.false()
    return sa.false() if op in _PARTS and issubclass(kind, (datetime, int, float)) else None


def _present(value: Expression) -> Condition:
    if isinstance(value.type, sa.Boolean | sa.Numeric):
        return value.is_not(None)
    return sa.and_(value.is_not(None), sa.func.coalesce(value, "") != "")


def _compare_to_null(unassigned: Condition, op: CompareOperator) -> Condition:
    match op:
        case CompareOperator.eq:
            return unassigned
        case CompareOperator.ne:
            return sa.not_(unassigned)
        case _:
            return sa.false()
