"""What a filter may cost: its length, its parts and its literals, checked before it becomes SQL."""

from typing import Any

from scim2_models import InvalidFilterException, InvalidPathException, InvalidValueException
from scim2_models.path import Comparison, FilterNode, LogicalExpr, Not, Path, ScimFilter, ValuePath

from scim_app.protocol import limits

FILTER_BYTES = 4 * 1024
FILTER_NODES = 200


def check_filter(text: str) -> str:
    """Return a filter that may be compiled; its depth is limited by the parser.

    Raises:
        InvalidFilterException: when it is not in the grammar, too long, has too many parts,
            or a literal that no attribute can have.
    """
    if _is_too_long(text):
        raise InvalidFilterException(detail=f"the filter is longer than {FILTER_BYTES} bytes; ask in parts")
    try:
        _check_tree(ScimFilter(text).ast)
    except InvalidFilterException as error:
        raise InvalidFilterException(detail=_with_advice(error.detail)) from error
    return text


def check_path(text: str) -> None:
    """Refuse the path of a PATCH operation whose filter is too large, or compares with what no attribute can hold.

    Raises:
        InvalidPathException: saying which, or that it is no path.
    """
    if _is_too_long(text):
        raise InvalidPathException(detail=f"the path is longer than {FILTER_BYTES} bytes; use several operations")
    try:
        node = Path[Any](text).ast
        if isinstance(node, ValuePath):
            _check_tree(node.val_filter)
    except (InvalidFilterException, InvalidPathException) as error:
        raise InvalidPathException(detail=_with_advice(error.detail)) from error


def _with_advice(problem: str | None) -> str:
    """Return what the parser found wrong, and what to do, where it does not say so."""
    words = problem or "this can't be read"
    if ";" in words:
        return words
    return f"{words}; {'ask in parts' if ' nests ' in words else 'write it as in RFC 7644 §3.4.2.2'}"


def _is_too_long(text: str) -> bool:
    return len(text) > FILTER_BYTES or len(text.encode(errors="replace")) > FILTER_BYTES


def _check_tree(root: FilterNode) -> None:
    waiting: list[FilterNode] = [root]
    for count in range(1, FILTER_NODES + 2):
        if not waiting:
            return
        if count > FILTER_NODES:
            break
        waiting += _below(waiting.pop())
    raise InvalidFilterException(detail=f"the filter has more than {FILTER_NODES} parts; ask in parts")


def _below(node: FilterNode) -> tuple[FilterNode, ...]:
    match node:
        case LogicalExpr(terms=terms):
            return terms
        case Not(expr=inner) | ValuePath(val_filter=inner):
            return (inner,)
        case Comparison(value=str() as text):
            try:
                limits.check_text(text)
            except InvalidValueException as error:
                raise InvalidFilterException(detail=error.detail) from error
        case Comparison(value=int() | float() as number) if not -limits.NUMBER <= number <= limits.NUMBER:
            raise InvalidFilterException(detail=f"a number is beyond {limits.NUMBER} (2^53); ask for a smaller one")
        case _:
            pass
    return ()
