"""Filters: conditions on columns, on linked rows and on listed rows, joined by `and`, `or` and `not`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from graphql import GraphQLObjectType
from sqlalchemy import ColumnElement, Text, Uuid, and_, any_, false, func, literal_column, not_, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.type_api import TypeEngine

from medstead_graphql.compiler import identifiers
from medstead_graphql.compiler.declare import Many, One, Row, declared
from medstead_graphql.compiler.listing import Listing, listing_of
from medstead_graphql.compiler.values import Traced, Variables

if TYPE_CHECKING:
    from medstead_graphql.compiler.plan import Compilation, Path


def condition(
    compilation: "Compilation", listing: Listing, row: Row, where: Traced, path: "Path"
) -> ColumnElement[bool]:
    """The filter `where` over a row of `listing`, refused at `path` if it tells what the caller may not read."""
    conditions: list[ColumnElement[bool]] = [true()]
    for name, value in where.items():
        if value.value is None:
            continue
        if name == "and":
            parts = [condition(compilation, listing, row, part, path) for part in value.elements()]
            conditions.append(and_(true(), *parts))
        elif name == "or":
            parts = [condition(compilation, listing, row, part, path) for part in value.elements()]
            conditions.append(or_(false(), *parts))
        elif name == "not":
            conditions.append(_is_false(condition(compilation, listing, row, value, path)))
        elif name in listing.links or name in listing.lists:
            conditions += _related(compilation, listing, name, row, value, path)
        else:
            column = next(field for field in listing.filters if camel(field) == name)
            need_scope(compilation, listing, column, path)
            conditions += [
                _compared(compilation, listing, column, row, operator, operand)
                for operator, operand in value.items()
                if operand.value is not None
            ]
    return and_(*conditions)


def may_use(compilation: "Compilation", listing: Listing, column: str) -> bool:
    """Whether the caller may read the column."""
    return column not in listing.scopes or listing.scopes[column] in compilation.scopes


def need_scope(compilation: "Compilation", listing: Listing, column: str, path: "Path") -> None:
    """Which rows match, their order and their cursors tell what a column holds, so they need what reading it needs."""
    if not may_use(compilation, listing, column):
        compilation.refuse(f"{listing.name}.{camel(column)}", listing.scopes[column], path)


def camel(name: str) -> str:
    """A column's name as GraphQL spells it."""
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _is_false(met: ColumnElement[bool]) -> ColumnElement[bool]:
    """A filter that is not met; where nothing is known, it is not."""
    return not_(func.coalesce(met, false()))


def _related(
    compilation: "Compilation", listing: Listing, name: str, row: Row, value: Traced, path: "Path"
) -> list[ColumnElement[bool]]:
    """Conditions on the row that a link leads to, or on `some`, `none` or `every` row of a list."""
    owner = compilation.operation.schema.type_map[listing.name]
    assert isinstance(owner, GraphQLObjectType)
    declaration = declared(owner.fields[name])
    assert isinstance(declaration, One | Many)
    compilation.need(owner, name, path)
    target = listing_of(listing.links.get(name) or listing.lists[name])

    def some(asked: Traced, met: Callable[[ColumnElement[bool]], ColumnElement[bool]]) -> ColumnElement[bool]:
        child = compilation.alias(target.table)
        found: Any = (
            select(literal_column("1")).select_from(child).where(compilation.within_tenant(target.table, child))
        )
        if declaration.join is not None:
            found = found.where(declaration.join(row, child, compilation))
        found = found.where(met(condition(compilation, target, child, asked, path))).correlate(row)
        exists: ColumnElement[bool] = found.exists()
        return exists

    if isinstance(declaration, One):
        return [some(value, lambda met: met)]
    quantified: dict[str, Callable[[Traced], ColumnElement[bool]]] = {
        "some": lambda asked: some(asked, lambda met: met),
        "none": lambda asked: not_(some(asked, lambda met: met)),
        "every": lambda asked: not_(some(asked, _is_false)),
    }
    return [quantified[quantifier](asked) for quantifier, asked in value.items() if asked.value is not None]


def _compared(
    compilation: "Compilation", listing: Listing, name: str, row: Row, operator: str, operand: Traced
) -> ColumnElement[bool]:
    column, type_ = row.c[name], listing.column(name).type
    if operator == "isNull":
        return column.is_(None) if operand.value else column.is_not(None)
    if isinstance(operand.value, bool):
        # Yes and no decide the plan (values.shape), so they need no parameter.
        return column == literal_column(str(operand.value).lower())
    if operator == "oneOf":
        return column == any_(compilation.bind(_many(operand, type_), ARRAY(type_)))
    if operator in {"startsWith", "contains"}:
        pattern = _pattern(operand, anywhere=operator == "contains")
        # Both sides by the database: Python knows a final sigma and letters that become two.
        return func.lower(column).like(func.lower(compilation.bind(pattern, Text())), escape="\\")
    value = compilation.bind(_single(operand, type_), type_)
    return {
        "equals": lambda: column == value,
        "atLeast": lambda: column >= value,
        "atMost": lambda: column <= value,
        "from": lambda: column >= value,
        "before": lambda: column < value,
    }[operator]()


def _single(operand: Traced, type_: TypeEngine[Any]) -> Any:
    if isinstance(type_, Uuid):
        return lambda variables: _uuid(operand.get(variables))
    return operand.get


def _many(operand: Traced, type_: TypeEngine[Any]) -> Any:
    if isinstance(type_, Uuid):
        return lambda variables: [found for text in operand.get(variables) if (found := _uuid(text)) is not None]
    return operand.get


def _uuid(text: object) -> Any:
    """The row id of a global id, whatever its type: the column says which rows can match."""
    try:
        return UUID(identifiers.parse(text)[1])
    except ValueError:
        return None


def _pattern(operand: Traced, *, anywhere: bool) -> Any:
    def pattern(variables: Variables) -> str:
        text = str(operand.get(variables))
        for special in ("\\", "%", "_"):
            text = text.replace(special, f"\\{special}")
        return f"%{text}%" if anywhere else f"{text}%"

    return pattern


__all__ = ["camel", "condition", "may_use", "need_scope"]
