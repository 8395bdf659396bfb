"""Limits on documents and variables, counted with memory in linear time and before anything slower looks at them."""

from collections import Counter
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
)

from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.pricing import Price

MAXIMUM_BODY = 256 * 1024
BODY_SECONDS = 15.0
"""How long a body may take to come."""
MAXIMUM_TOKENS = 4000
MAXIMUM_DEPTH = 15
"""Levels of fields, and levels of objects and lists in a value."""
MAXIMUM_ALIASES = 60
MAXIMUM_ROOT_FIELDS = 20
MAXIMUM_FIELDS = 2000
"""Fields after fragments are followed: what the compiler will have to visit."""
MAXIMUM_PAIRS = 200_000
"""Pairs of fields of one name: validation compares each pair, to see whether they can be merged."""
MAXIMUM_VALUES = 5000
MAXIMUM_PARTS = 200
"""Objects and lists among the variables: each becomes a part of the statement."""
MAXIMUM_DIGITS = 100
MAXIMUM_DIRECTIVES = 100
"""Directives as they are written: each is looked at by several rules of validation."""
MAXIMUM_ROWS = 20_000
"""Rows that an answer can have at most: pages multiplied with the pages around them."""


class _Count:
    __slots__ = ("aliases", "depth", "fields")

    def __init__(self) -> None:
        self.depth = self.fields = self.aliases = 0


def _refuse(code: str, found: int, limit: int, what: str) -> None:
    if found > limit:
        raise Refusal(code, f"The document has {found} {what}; the limit is {limit}. Ask in several requests.")


def check_limits(document: DocumentNode) -> None:
    """Raise Refusal if the document is too deep or too wide. Each fragment is counted once and remembered."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    known: dict[str, _Count] = {}
    open_fragments: set[str] = set()
    names: Counter[str] = Counter()
    directives = sum(len(getattr(node, "directives", None) or ()) for node in document.definitions)

    def fragment(name: str) -> _Count:
        if name in known:
            return known[name]
        if name in open_fragments or name not in fragments:
            return _Count()  # cycles and unknown fragments are refused by validation
        open_fragments.add(name)
        known[name] = count(fragments[name].selection_set)
        open_fragments.discard(name)
        return known[name]

    def count(selection_set: SelectionSetNode | None) -> _Count:
        nonlocal directives
        total = _Count()
        for node in selection_set.selections if selection_set else ():
            directives += len(node.directives or ())
            if isinstance(node, FragmentSpreadNode):
                inner = fragment(node.name.value)
                total.depth = max(total.depth, inner.depth)
            else:
                is_field = isinstance(node, FieldNode)
                inner = count(node.selection_set) if isinstance(node, FieldNode | InlineFragmentNode) else _Count()
                total.depth = max(total.depth, inner.depth + is_field)
                total.fields += is_field
                if isinstance(node, FieldNode):
                    names[node.alias.value if node.alias else node.name.value] += 1
                    total.aliases += node.alias is not None
                    for argument in node.arguments or ():
                        _refuse("TOO_DEEP", _levels(argument.value), MAXIMUM_DEPTH, "levels in a value")
            total.fields += inner.fields
            total.aliases += inner.aliases
        return total

    totals = [count(node.selection_set) for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    for name in fragments:
        fragment(name)
    for total in totals:
        _refuse("TOO_DEEP", total.depth, MAXIMUM_DEPTH, "levels")
        _refuse("TOO_MANY_ALIASES", total.aliases, MAXIMUM_ALIASES, "aliases")
        _refuse("TOO_MANY_FIELDS", total.fields, MAXIMUM_FIELDS, "fields")
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            _refuse("TOO_MANY_ROOT_FIELDS", len(node.selection_set.selections), MAXIMUM_ROOT_FIELDS, "root fields")
            for variable in node.variable_definitions or ():
                _refuse("TOO_DEEP", _levels(variable.default_value), MAXIMUM_DEPTH, "levels in a value")
    _refuse("TOO_MANY_DIRECTIVES", directives, MAXIMUM_DIRECTIVES, "directives")
    _refuse("TOO_MANY_FIELDS", sum(times**2 for times in names.values()), MAXIMUM_PAIRS, "pairs of equal fields")


def check_price(price: Price, maximum_cost: int) -> None:
    """Raise Refusal if the operation costs more than one may, or its answer can have too many rows."""
    if price.points > maximum_cost:
        message = f"The operation costs {price.points} points; one may cost {maximum_cost}. Ask for smaller pages."
        raise Refusal("TOO_COSTLY", message, more={"cost": price.points, "limit": maximum_cost})
    if price.rows > MAXIMUM_ROWS:
        message = f"The answer can have {price.rows} rows; the limit is {MAXIMUM_ROWS}. Ask for smaller pages."
        raise Refusal("TOO_MANY_ROWS", message, more={"rows": price.rows, "limit": MAXIMUM_ROWS})


def _levels(value: ValueNode | None) -> int:
    """Levels of objects and lists. Raises Refusal for a number that is too long to be read."""
    if isinstance(value, ObjectValueNode):
        return 1 + max((_levels(member.value) for member in value.fields or ()), default=0)
    if isinstance(value, ListValueNode):
        return 1 + max((_levels(part) for part in value.values or ()), default=0)
    if value is not None and value.kind in ("int_value", "float_value"):
        _refuse("INVALID_VALUE", len(getattr(value, "value", "")), MAXIMUM_DIGITS, "digits in a number")
    return 0


def check_variables(variables: dict[str, Any]) -> None:
    """Raise Refusal if the variables are too deep or too many."""
    values = parts = depth = 0
    level: list[Any] = list(variables.values())
    while level:
        inside: list[Any] = []
        for value in level:
            values += 1
            if isinstance(value, dict | list):
                parts += 1
                inside += value.values() if isinstance(value, dict) else value
        depth += bool(inside)
        level = inside
    for code, found, limit, what in (
        ("TOO_DEEP", depth, MAXIMUM_DEPTH, "levels"),
        ("TOO_MANY_VALUES", values, MAXIMUM_VALUES, "values"),
        ("TOO_MANY_VALUES", parts, MAXIMUM_PARTS, "objects and lists"),
    ):
        if found > limit:
            raise Refusal(code, f"The variables have {found} {what}; the limit is {limit}. Ask in several requests.")
