"""What an operation may cost, and which fields it selects: told by its text, its page sizes and @skip/@include alone.

Points stand for work. A column is free; a row costs what its declaration says (`compiler/declare.py`), and a
connection one point more than its page of rows. Each fragment is priced once, so that the time is linear in the
length of the document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from medstead_graphql.bounded import Bounded
from medstead_graphql.compiler.connections import DEFAULT_PAGE, MAXIMUM_PAGE
from medstead_graphql.compiler.declare import COUNT_COST, Column, Declaration, Many, Mixed, declared

INTROSPECTION_COST = 1000
"""Points of `__schema` and of `__type`, which are executed field by field in this process."""
KNOWN_PRICES = 100
"""Prices of an operation that are remembered, for as many values of its variables."""
COMMAND_COST = 10
"""Points of a mutation beside those of its answer."""


@dataclass(frozen=True, slots=True)
class Price:
    """Points of an operation, and the rows that its answer can have at most."""

    points: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Page:
    """As many times as the variable says, or the default says if it is absent."""

    variable: str


@dataclass(frozen=True, slots=True)
class _If:
    """Once if the variable has this value, else not at all."""

    variable: str
    value: bool


@dataclass(frozen=True, slots=True)
class _Length:
    """As many times as the variable's list is long."""

    variable: str


_Times = int | _Page | _If | _Length


class _Part:
    """Price of a selection: a fixed part, and parts that count as often as variables say. A graph without cycles."""

    __slots__ = ("points", "repeated", "rows")

    def __init__(self, points: int = 0, rows: int = 0) -> None:
        self.points, self.rows = points, rows
        self.repeated: list[tuple[_Times, _Part]] = []

    def add(self, times: _Times, part: "_Part") -> None:
        """Count a part so many times."""
        if isinstance(times, int) and not part.repeated:
            self.points += times * part.points
            self.rows += times * part.rows
        elif times != 0:
            self.repeated.append((times, part))


class PricedOperation:
    """An operation's fields as `Type.field`, and its price for any variables."""

    __slots__ = ("_fixed", "_known", "_variables", "_whole", "fields")

    def __init__(self, whole: _Part, fields: frozenset[str]) -> None:
        self._whole, self.fields = whole, fields
        self._fixed = None if whole.repeated else Price(whole.points, whole.rows)
        self._variables = tuple(sorted(_variables(whole, set())))
        self._known: Bounded[tuple[Any, ...], Price] = Bounded(KNOWN_PRICES)

    def price(self, variables: Mapping[str, Any]) -> Price:
        """The price for these coerced variables."""
        if self._fixed is not None:
            return self._fixed
        key = tuple(_counted(variables.get(name)) for name in self._variables)
        found = self._known.get(key)
        if found is None:
            found = _total(self._whole, variables, {})
            self._known.put(key, found)
        return found


def _counted(value: Any) -> Any:
    """What of a variable's value a price depends on."""
    return ("length", len(value)) if isinstance(value, list) else value


def _variables(part: _Part, seen: set[int]) -> set[str]:
    """The variables that a price depends on; each part of the graph is entered once."""
    if id(part) in seen:
        return set()
    seen.add(id(part))
    found = {times.variable for times, _ in part.repeated if not isinstance(times, int)}
    return found.union(*[_variables(inner, seen) for _, inner in part.repeated])


def _total(part: _Part, variables: Mapping[str, Any], known: dict[int, Price]) -> Price:
    found = known.get(id(part))
    if found is None:
        points, rows = part.points, part.rows
        for times, repeated in part.repeated:
            number = _number(times, variables)
            if number:
                inner = _total(repeated, variables, known)
                points += number * inner.points
                rows += number * inner.rows
        found = known[id(part)] = Price(points, rows)
    return found


def _number(times: _Times, variables: Mapping[str, Any]) -> int:
    if isinstance(times, int):
        return times
    value = variables.get(times.variable)
    if isinstance(times, _If):
        return int(value is times.value)
    if isinstance(times, _Length):
        return len(value) if isinstance(value, list) else 1
    return _page_size(DEFAULT_PAGE if value is None else value)


def _page_size(asked: int) -> int:
    """What is out of range is refused later on; until then it counts as the nearest that is allowed."""
    return min(max(asked, 1), MAXIMUM_PAGE)


def priced(schema: GraphQLSchema, document: DocumentNode, definition: OperationDefinitionNode) -> PricedOperation:
    """Price one operation of a valid document."""
    root = schema.mutation_type if definition.operation is OperationType.MUTATION else schema.query_type
    assert root is not None
    pricing = _Pricing(schema, document)
    whole = pricing.selection(definition.selection_set, root)
    return PricedOperation(whole, frozenset(pricing.fields))


class _Pricing:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        self.fields: set[str] = set()
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, _Part] = {}

    def selection(self, selection_set: SelectionSetNode | None, type_: GraphQLCompositeType) -> _Part:
        """What one object of `type_` costs; of an abstract type, the dearest that it can be."""
        part = _Part()
        dearest: dict[str, _Part] = {}
        for node in selection_set.selections if selection_set else ():
            times = _included(node.directives or ())
            if isinstance(node, FieldNode):
                self._field(part, times, node, type_)
                continue
            condition, inner = self._fragment(node, type_)
            if is_abstract_type(type_) and not is_abstract_type(self.schema.type_map[condition]):
                dearest.setdefault(condition, _Part()).add(times, inner)
            else:
                part.add(times, inner)
        return _with_dearest(part, dearest)

    def _fragment(self, node: SelectionNode, type_: GraphQLCompositeType) -> tuple[str, _Part]:
        """The type that a fragment is for, and what it costs there."""
        if isinstance(node, FragmentSpreadNode):
            name, fragment = node.name.value, self._fragments[node.name.value]
            condition = fragment.type_condition.name.value
            if name not in self._known:
                self._known[name] = self.selection(fragment.selection_set, self._composite(condition))
            return condition, self._known[name]
        assert isinstance(node, InlineFragmentNode)
        condition = node.type_condition.name.value if node.type_condition else type_.name
        return condition, self.selection(node.selection_set, self._composite(condition))

    def _composite(self, name: str) -> GraphQLCompositeType:
        found = self.schema.type_map[name]
        assert is_composite_type(found)
        return found

    def _field(self, part: _Part, times: _Times, node: FieldNode, type_: GraphQLCompositeType) -> None:
        name = node.name.value
        if name in ("__schema", "__type"):
            part.add(times, _Part(points=INTROSPECTION_COST))
            return
        if name == "__typename":
            return
        self.fields.add(f"{type_.name}.{name}")
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        field = type_.fields[name]
        target = get_named_type(field.type)
        declaration = _declaration(field)
        if isinstance(declaration, Many | Mixed):
            assert isinstance(target, GraphQLObjectType)
            part.add(times, self._connection(node, target, declaration))
            return
        inner = self.selection(node.selection_set, target) if is_composite_type(target) else _Part()
        if declaration is not None:
            own = _Part(declaration.cost, rows=int(not isinstance(declaration, Column)))
        elif type_ is self.schema.mutation_type:
            own = _Part(COMMAND_COST)
        else:
            own = _Part(int(is_composite_type(target)), rows=int(is_composite_type(target)))
        own.add(1, inner)
        if (count := _listed(node)) != 1:
            several = _Part()
            several.add(count, own)
            own = several
        part.add(times, own)

    def _connection(self, node: FieldNode, type_: GraphQLObjectType, declaration: Many | Mixed) -> _Part:
        """A connection: one point, its page of rows if it is wanted, and its count if that is wanted."""
        whole, row = _Part(points=1), _Part(points=declaration.cost, rows=1)
        pages = False
        entered: set[tuple[str, _Times]] = set()

        def walk(selection_set: SelectionSetNode | None, times: _Times, of: GraphQLObjectType) -> None:
            nonlocal pages
            for inner in selection_set.selections if selection_set else ():
                own = _included(inner.directives or ())
                often = times if own == 1 else own
                if 0 in (times, own):
                    continue
                if isinstance(inner, FragmentSpreadNode):
                    if (inner.name.value, often) in entered:
                        continue
                    entered.add((inner.name.value, often))
                    walk(self._fragments[inner.name.value].selection_set, often, of)
                elif isinstance(inner, InlineFragmentNode):
                    walk(inner.selection_set, often, of)
                elif isinstance(inner, FieldNode) and inner.name.value != "__typename":
                    name = inner.name.value
                    self.fields.add(f"{of.name}.{name}")
                    target = get_named_type(of.fields[name].type)
                    pages = pages or name != "totalCount"
                    if name == "totalCount":
                        whole.add(often, _Part(points=COUNT_COST))
                    elif name == "edges":
                        assert isinstance(target, GraphQLObjectType)
                        walk(inner.selection_set, often, target)
                    elif name in ("nodes", "node"):
                        assert is_composite_type(target)
                        row.add(often, self.selection(inner.selection_set, target))
                    elif name == "pageInfo":
                        self.selection(inner.selection_set, target)

        walk(node.selection_set, 1, type_)
        if pages:
            whole.add(_page(node), row)
        return whole


def _declaration(field: GraphQLField) -> Declaration | None:
    """Where a field is read from; None for fields of payloads and of page information."""
    try:
        return declared(field)
    except LookupError:
        return None


def _with_dearest(part: _Part, dearest: Mapping[str, _Part]) -> _Part:
    """The part and the dearest of what the object may be. Where variables decide which, all of them count."""
    if all(not option.repeated for option in dearest.values()):
        part.points += max((option.points for option in dearest.values()), default=0)
        part.rows += max((option.rows for option in dearest.values()), default=0)
    else:
        for option in dearest.values():
            part.add(1, option)
    return part


def _included(directives: tuple[DirectiveNode, ...] | Any) -> _Times:
    """Whether @skip and @include let a selection in: 0, 1, or what a variable says."""
    found: _Times = 1
    for directive in directives:
        value = next((given.value for given in directive.arguments or () if given.name.value == "if"), None)
        wanted = directive.name.value == "include"
        if directive.name.value not in ("skip", "include") or value is None:
            continue
        if isinstance(value, BooleanValueNode):
            if value.value is not wanted:
                return 0
        elif isinstance(value, VariableNode):
            found = _If(value.name.value, wanted)
    return found


def _listed(node: FieldNode) -> _Times:
    """How many objects a field gives that is asked for several `ids`; else 1."""
    for argument in node.arguments or ():
        if argument.name.value == "ids":
            if isinstance(argument.value, VariableNode):
                return _Length(argument.value.name.value)
            if isinstance(argument.value, ListValueNode):
                return len(argument.value.values or ())
    return 1


def _page(node: FieldNode) -> _Times:
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            if isinstance(argument.value, VariableNode):
                return _Page(argument.value.name.value)
            if isinstance(argument.value, IntValueNode):
                return _page_size(int(argument.value.value))
    return DEFAULT_PAGE


__all__ = ["Price", "PricedOperation", "priced"]
