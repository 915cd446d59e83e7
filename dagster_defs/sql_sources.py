"""What columns are made from, as read from the SQL that makes them. Pure.

A column is made from the columns that the expression of its value names. What joins, filters, groups or orders rows
chooses which values there are, and is not among them.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple, cast

from sqlglot import exp, parse
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

DIALECT = "duckdb"


class Source(NamedTuple):
    """A column that another is made from."""

    asset: str
    """Key of the asset, its parts divided by slashes."""
    column: str


Sources = Mapping[str, frozenset[Source]]
"""Columns of a relation, each with what it is made from."""
_Column = tuple[str, frozenset[Source]]
Relations = Mapping[str, Sources]
"""Relations by name, without schema."""


def of_script(text: str, relations: Relations, into: str, structs: Mapping[str, Iterable[str]]) -> Sources:
    """Return what the columns of the relation `into` are made from: by statements that fill it, or the SELECT it is.

    Args:
        text: SQL of DuckDB.
        relations: what it reads. One that it fills as well is not its own source.
        into: name of the relation.
        structs: macros that return a struct of columns made from their argument, which is unfolded.

    Raises:
        KeyError: the SQL reads a relation that is not in `relations`.
        OptimizeError: it reads a column that its relations lack.
    """
    known = dict(relations)
    for statement in filter(None, parse(text, dialect=DIALECT)):
        _simplify(statement, structs)
        target, query = _filled(statement, into)
        if query is not None:
            found = _of_query(query, known)
            names = statement.this.expressions if isinstance(statement, exp.Insert) else ()
            columns = [(name.name, made) for name, (_, made) in zip(names, found, strict=True)] if names else found
            known[target] = _merged([*known.get(target, {}).items(), *columns])
    return known[into]


def _filled(statement: exp.Expr, into: str) -> tuple[str, exp.Query | None]:
    """Return the name of the relation that a statement fills, and with what."""
    match statement:
        case exp.Query():
            return into, statement
        case exp.Insert() | exp.Create() if isinstance(statement.expression, exp.Query):
            (target,) = islice(statement.find_all(exp.Table), 1)
            return target.name, statement.expression
        case exp.Update():
            values = [exp.alias_(one.expression, one.this.name) for one in statement.expressions]
            return statement.this.name, exp.select(*values).from_(statement.args["from_"].this)
        case _:
            return "", None


def _simplify(statement: exp.Expr, structs: Mapping[str, Iterable[str]]) -> None:
    """Take from a statement the schemas and all that only chooses rows; unfold the structs that macros return."""
    for node in list(statement.walk()):
        match node:
            case exp.Table():
                node.set("db", None)
                node.set("catalog", None)
            case exp.Window():
                node.set("partition_by", None)
                node.set("order", None)
            case exp.Filter() | exp.ArgMax() | exp.ArgMin():
                node.replace(node.this)
            case exp.Order() if isinstance(node.parent, exp.AggFunc):
                node.replace(node.this)
            case exp.Explode(this=exp.Anonymous() as call) if call.name in structs:
                _unfold(node, call, structs[call.name])
            case _:
                pass


def _unfold(node: exp.Expr, call: exp.Anonymous, columns: Iterable[str]) -> None:
    (argument,) = call.expressions
    select = cast("exp.Select", node.parent)
    rest = [one for one in select.expressions if one is not node]
    select.set("expressions", [*rest, *(exp.alias_(argument.copy(), column) for column in columns)])


def _of_query(query: exp.Query, relations: Relations) -> list[_Column]:
    schema: dict[str, object] = {name: dict.fromkeys(known, "unknown") for name, known in relations.items() if known}
    full = qualify(query, schema=schema, dialect=DIALECT, validate_qualify_columns=False, identify=False)
    return _of_scope(cast("Scope", build_scope(full)), relations)


def _of_scope(scope: Scope, relations: Relations) -> list[_Column]:
    query = scope.expression
    if isinstance(query, exp.SetOperation):
        first, *others = (_of_scope(branch, relations) for branch in scope.set_operation_scopes)
        if not query.args.get("by_name"):
            others = [[(name, made) for (name, _), (_, made) in zip(first, one, strict=True)] for one in others]
        return list(_merged(chain(first, *others)).items())
    if query.args.get("from_") and not scope.selected_sources:
        # The step of a recursion reads what it made before, which was made like the rest.
        return [(one.alias_or_name, frozenset()) for one in query.expressions]
    read = {
        name: _merged(_of_scope(source, relations)) if isinstance(source, Scope) else relations[source.name]
        for name, (_, source) in scope.selected_sources.items()
    }
    return [(one.alias_or_name, frozenset(_named(one, read, relations))) for one in query.expressions]


def _named(expression: exp.Expr, read: Relations, relations: Relations) -> Iterator[Source]:
    for column in expression.find_all(exp.Column):
        yield from read[column.table][column.name]
    for call in expression.find_all(exp.Anonymous):
        if call.name == "getvariable":
            yield from relations["getvariable"][call.expressions[0].name]


def _merged(columns: Iterable[_Column]) -> Sources:
    merged: dict[str, frozenset[Source]] = {}
    for name, made in columns:
        merged[name] = merged.get(name, frozenset()) | made
    return merged
