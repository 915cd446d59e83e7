"""Terms of a filter as SQL (RFC 7644 §3.4.2.2); the library's in-memory `match` is the oracle.

Every term becomes an expression that is true or false, never NULL, so `not` means in SQL what it means in SCIM.
"""

import operator
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from scim2_models import TooManyException
from scim2_models.path import AttributeBinding, CompareOperator

from scim_app.store.search.attributes import Attributes, Condition, Expression, Rows, sub_attribute
from scim_app.store.search.terms import (
    Assigned,
    Compare,
    Constant,
    Element,
    Group,
    Negation,
    Term,
    Unassigned,
    is_exact,
    scim_path,
)

MOST = 200
"""What a filter may cost for each resource: the sum of its comparisons, one of a column costing 1."""
LISTED, LINKED = 4, 20
"""What it costs to look through a list in a document, and through the members of a team or the teams of a user."""

_ORDERS: dict[CompareOperator, Callable[[Any, Any], Any]] = {
    CompareOperator.eq: operator.eq,
    CompareOperator.gt: operator.gt,
    CompareOperator.ge: operator.ge,
    CompareOperator.lt: operator.lt,
    CompareOperator.le: operator.le,
}


def condition_of(term: Term, attributes: Attributes) -> Condition:
    """Return a term as a condition on the table of a kind; values are parameters, by the names in the term.

    Raises:
        TooManyException: when it would cost more than `MOST` for each resource.
    """
    _check_cost(term, attributes)
    return _condition(term, attributes)


def _condition(term: Term, attributes: Attributes) -> Condition:
    match term:
        case Element(attribute, inner):
            rows = attributes.rows(attribute)
            return rows.any(_of_element(inner, rows, attributes))
        case Assigned(attribute) | Unassigned(attribute) | Compare(attribute) if attribute and attribute.is_multivalued:
            rows = attributes.rows(attribute)
            exact = isinstance(term, Compare | Unassigned) and is_exact(attribute)
            element = rows.read(sub_attribute(attribute), exact, attribute.target_type)
            any_meets = rows.any(_of_value(term, element, attributes))
            return sa.not_(rows.any(sa.true())) | any_meets if isinstance(term, Unassigned) else any_meets
        case Assigned(attribute) | Unassigned(attribute) | Compare(attribute) if attribute:
            return _of_value(term, attributes.single(attribute), attributes)
        case _:
            return _joined(term, lambda part: _condition(part, attributes))


def _of_element(term: Term, rows: Rows, attributes: Attributes) -> Condition:
    """Return a term about one element of a list."""
    match term:
        case Assigned(None) | Unassigned(None) | Compare(None):
            return _of_value(term, rows.read(None, True, str), attributes)
        case Assigned(AttributeBinding() as attribute):
            return _of_value(term, rows.read(scim_path(attribute)[-1], False, attribute.target_type), attributes)
        case Unassigned(AttributeBinding() as attribute) | Compare(AttributeBinding() as attribute):
            value = rows.read(scim_path(attribute)[-1], is_exact(attribute), attribute.target_type)
            return _of_value(term, value, attributes)
        case _:
            return _joined(term, lambda part: _of_element(part, rows, attributes))


def _joined(term: Term, condition: Callable[[Term], Condition]) -> Condition:
    match term:
        case Constant(holds):
            return sa.true() if holds else sa.false()
        case Negation(inner):
            return sa.not_(condition(inner))
        case Group(all=all_of, terms=terms):
            return (sa.and_ if all_of else sa.or_)(*map(condition, terms))
        case _:
            raise AssertionError(f"no term of this place: {term}")


def _of_value(term: Assigned | Unassigned | Compare, value: Expression, attributes: Attributes) -> Condition:
    match term:
        case Unassigned():
            return value.is_(None)
        case Assigned() if isinstance(value.type, sa.Boolean | sa.Numeric):
            return value.is_not(None)
        case Assigned():
            return sa.and_(value.is_not(None), sa.func.coalesce(value, "") != "")
        case Compare(operator=op, value=name):
            return sa.func.coalesce(_relation(value, op, name, attributes), sa.false())


def _relation(value: Expression, op: CompareOperator, name: str, attributes: Attributes) -> Expression:
    if op in _ORDERS:
        return _ORDERS[op](value, sa.bindparam(name, type_=value.type))
    text = sa.bindparam(name, type_=sa.Text)
    match op:
        case CompareOperator.co:
            return attributes.json.holds(value, text)
        case CompareOperator.sw:
            return sa.func.substr(value, 1, sa.func.length(text)) == text
        case _:
            return attributes.json.ends_with(value, text)


def _check_cost(term: Term, attributes: Attributes) -> None:
    if _cost(term, attributes) > MOST:
        most = f"at most {MOST // LINKED} comparisons of groups or members, {MOST // LISTED} of lists"
        raise TooManyException(detail=f"the filter compares too much for each resource: {most}; ask in parts")


def _cost(term: Term, attributes: Attributes) -> int:
    match term:
        case Group(terms=terms):
            return sum(_cost(part, attributes) for part in terms)
        case Negation(inner):
            return _cost(inner, attributes)
        case Element(attribute) | Assigned(attribute) | Unassigned(attribute) | Compare(attribute) if attribute:
            if not attribute.is_multivalued:
                return 1
            return LINKED if attributes.is_linked(attribute) else LISTED
        case _:
            return 0
