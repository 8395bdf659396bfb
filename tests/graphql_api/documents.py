"""Makes documents of the contract: fragments, directives, aliases, merged fields, and variables in every place."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
    is_required_argument,
)

from tests.graphql_api.contract import NODE_SCOPES, TABLES, UNIONS
from tests.graphql_api.oracle import Cursors, Order, default_order, snake
from tests.graphql_api.world import Row, Rows

DEPTH = 5
FIELDS = 40
NOT_TRIED = ("MappingAnalysis.courses", "StrategicObjective.activity", "ReportSnapshot.figures")
"""Lists made for the purpose out of stored documents or of several tables, which have tests of their own."""
NOT_ASKED = {
    "impactSummary",
    *("bookingObstacles", "waitingReasons", "oversight", "competenceCoverage", "confidenceChanges", "openProgrammes"),
    *("championSummary", "retention"),
    *("coursesInUse", "topicsInUse", "courseReach", "accessGaps", "evidencedTopics", "evidencedCourses"),
    *("accreditedBy", "belowTierMinimum", "differences", "coversAll", "smallest", "programmeName"),
    *("funnel", "campaignReach"),
    *("kpis", "history", "governanceReport", "equity", "sessionCosts", "unitCosts", "licenceAccounts"),
}
"""Fields whose figures have tests of their own, against files and rows counted by hand."""
SCOPES = (
    "tenant:read",
    "directory:read",
    "training:read",
    "imports:read",
    "evidence:read",
    "people:read",
    "webhooks:write",
    "bookings:write",
    "finance:read",
    "governance:read",
    "messages:read",
)


@dataclass(frozen=True)
class Asked:
    """A document with its variables, the operation to run and the caller's scopes."""

    text: str
    variables: dict[str, Any]
    operation: str | None
    scopes: frozenset[str]


@dataclass
class Maker:
    """Makes one document; everything random comes from `chance`."""

    schema: GraphQLSchema
    seen: Rows
    foreign: Rows
    cursors: Cursors
    chance: random.Random
    _scopes: frozenset[str] = frozenset(SCOPES)
    _declared: list[str] = field(default_factory=list)
    _variables: dict[str, Any] = field(default_factory=dict)
    _fragments: list[str] = field(default_factory=list)
    _reusable: dict[str, list[str]] = field(default_factory=dict)
    _names: int = 0
    _left: int = FIELDS

    def make(self) -> Asked:
        """A document that is valid, or nearly always so."""
        root = self.schema.query_type
        assert root is not None
        if self._maybe(0.25):
            self._scopes -= frozenset(self.chance.sample(SCOPES, self.chance.randint(1, 2)))
        body = self._selection(root, DEPTH)
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        parts = [f"query Asked{declared} {body}", *self._fragments]
        name = self.chance.choice((None, "Asked"))
        if self._maybe(0.1):
            parts.insert(self.chance.randint(0, 1), "query Other { tenant { slug } }")
            name = "Asked"
        return Asked("\n".join(parts), self._variables, name, self._scopes)

    # --- selections -----------------------------------------------------------------------------------------------

    def _maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def _name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def _selection(self, type_: Any, depth: int) -> str:
        """A selection set in braces."""
        parts: list[str] = []
        for _ in range(self.chance.randint(1, 4)):
            parts += self._part(type_, depth)
        return f"{{ {' '.join(parts) or '__typename'} }}"

    def _part(self, type_: Any, depth: int) -> list[str]:
        if self._maybe(0.08):
            return [f"__typename{self._directive()}"]
        if self._maybe(0.15) and depth > 1:
            return [f"...{self._condition(type_)}{self._directive()} {self._selection(type_, depth - 1)}"]
        if self._maybe(0.12) and depth > 1:
            return [f"...{self._fragment(type_, depth - 1)}{self._directive()}"]
        if isinstance(type_, GraphQLUnionType) or (isinstance(type_, GraphQLInterfaceType) and self._maybe(0.8)):
            possible = self.chance.choice(sorted(kind.name for kind in self.schema.get_possible_types(type_)))
            if possible not in NODE_SCOPES:
                return ["__typename"]
            return [f"... on {possible} {self._selection(self.schema.type_map[possible], depth - 1)}"]
        return self._field(type_, depth)

    def _condition(self, type_: Any) -> str:
        names = ["", f" on {type_.name}"]
        if isinstance(type_, GraphQLObjectType) and type_.interfaces:
            names.append(f" on {type_.name}")
        return self.chance.choice(names)

    def _fragment(self, type_: Any, depth: int) -> str:
        known = self._reusable.setdefault(type_.name, [])
        if known and self._maybe(0.5):
            return self.chance.choice(known)
        name = self._name("Part")
        body = self._selection(type_, depth)
        self._fragments.append(f"fragment {name} on {type_.name} {body}")
        known.append(name)
        return name

    def _directive(self) -> str:
        if self._maybe(0.85):
            return ""
        text = ""
        for name in self.chance.choice((("skip",), ("include",), ("skip", "include"), ("include", "skip"))):
            text += f" @{name}(if: {self._value(self._maybe(0.6), GraphQLNonNull(GraphQLBoolean))})"
        return text

    def _field(self, type_: Any, depth: int) -> list[str]:
        fields = [
            (name, definition)
            for name, definition in type_.fields.items()
            if name not in NOT_ASKED
            and f"{type_.name}.{name}" not in NOT_TRIED
            and (depth > 1 or is_leaf_type(get_named_type(definition.type)))
        ]
        if not fields or self._left <= 0:
            return ["__typename"]
        self._left -= 1
        name, definition = self.chance.choice(fields)
        target = get_named_type(definition.type)
        arguments = self._arguments(definition)
        alias = f"{self._name('x')}: " if arguments or self._maybe(0.15) else ""
        head = f"{alias}{name}{arguments}"
        if is_leaf_type(target):
            return [head + self._directive()]
        first = f"{head}{self._directive()} {self._selection(target, depth - 1)}"
        if not self._maybe(0.2):
            return [first]
        second = f"{head} {self._selection(target, depth - 1)}"
        return [first, self.chance.choice((second, f"... {{ {second} }}", f"... on {type_.name} {{ {second} }}"))]

    # --- arguments ------------------------------------------------------------------------------------------------

    def _arguments(self, definition: GraphQLField) -> str:
        if "first" in definition.args:
            given = self._of_connection(definition)
        elif "id" in definition.args:
            given = {"id": self._id(get_named_type(definition.type).name)}
        elif "ids" in definition.args:
            given = {"ids": [self._id("Node") for _ in range(self.chance.choice((0, 1, 2, 2, 5)))]}
        else:
            return ""
        texts = []
        for name, value in given.items():
            argument = definition.args[name]
            if value is None and is_required_argument(argument):
                continue
            if (text := self._value(value, argument.type)) is not None:
                texts.append(f"{name}: {text}")
        self.chance.shuffle(texts)
        return f"({', '.join(texts)})" if texts else ""

    def _of_connection(self, definition: GraphQLField) -> dict[str, Any]:
        name = get_named_type(definition.type).name.removesuffix("Connection")
        given: dict[str, Any] = {}
        mixed = name in UNIONS
        order = () if mixed else default_order(name, self._scopes)
        if not mixed and self._maybe(0.5):
            members = self.orders(name)
            chosen = self.chance.choice([*members, *[(one,) for one in _members(self.schema, name)]])
            given["orderBy"] = list(chosen)
            order = chosen or order
        elif not mixed and self._maybe(0.1):
            given["orderBy"] = self.chance.choice((None, []))
        if self._maybe(0.6):
            given[self.chance.choice(("first", "last"))] = self.chance.choice((1, 1, 2, 3, 5, 20, 100))
        for word in ("after", "before"):
            known = self.cursors.given.get((name, order))
            if known and self._maybe(0.3):
                given[word] = self.chance.choice(sorted(known.values()))
            elif self._maybe(0.05):
                given[word] = None
        if not mixed and self._maybe(0.45):
            filter_type = self.schema.type_map[f"{name}Filter"]
            assert isinstance(filter_type, GraphQLInputObjectType)
            given["where"] = self._filter(filter_type, TABLES[name], 3)
        return given

    def orders(self, name: str) -> list[Order]:
        """Orders of several members that documents use."""
        members = _members(self.schema, name)
        pairs = [(one, other) for one in members for other in members if one != other]
        return [(), *pairs[:6]]

    def _filter(self, type_: GraphQLInputObjectType, table: str, depth: int) -> Any:
        asked: dict[str, Any] = {}
        for name in self.chance.sample(sorted(type_.fields), self.chance.randint(0, 2)):
            if self._maybe(0.05):
                asked[name] = None
            elif name in ("and", "or"):
                count = self.chance.randint(0, 3) if depth else 0
                asked[name] = [self._filter(type_, table, depth - 1) for _ in range(count)]
            elif name == "not":
                asked[name] = self._filter(type_, table, depth - 1) if depth else {}
            else:
                inner = get_named_type(type_.fields[name].type)
                assert isinstance(inner, GraphQLInputObjectType)
                asked[name] = self._condition_on(inner, table, name, depth)
        return asked

    def _condition_on(self, type_: GraphQLInputObjectType, table: str, name: str, depth: int) -> Any:
        """Operators on a column, a filter of the row linked, or filters of some, none or every row listed."""
        listed = type_.name.endswith("ListFilter")
        target = type_.name.removesuffix("Filter").removesuffix("List")
        if target not in TABLES:
            return self._operators(type_, table, snake(name))
        inner = self.schema.type_map[f"{target}Filter"]
        assert isinstance(inner, GraphQLInputObjectType)
        if not listed:
            return self._filter(inner, TABLES[target], depth - 1) if depth else {}
        words = self.chance.sample(("some", "none", "every"), self.chance.choice((0, 1, 1, 1, 2)))
        return {word: self._filter(inner, TABLES[target], depth - 1) if depth else {} for word in words}

    def _operators(self, type_: GraphQLInputObjectType, table: str, column: str) -> Any:
        asked: dict[str, Any] = {}
        for operator in self.chance.sample(sorted(type_.fields), self.chance.choice((0, 1, 1, 1, 2))):
            if self._maybe(0.06):
                asked[operator] = None
            elif operator == "isNull":
                asked[operator] = self._maybe(0.5)
            elif operator == "oneOf":
                asked[operator] = [
                    self._operand(type_, table, column, operator) for _ in range(self.chance.randint(0, 3))
                ]
            else:
                asked[operator] = self._operand(type_, table, column, operator)
        return asked

    def _operand(self, type_: GraphQLInputObjectType, table: str, column: str, operator: str) -> Any:
        rows = self.foreign[table] if self._maybe(0.1) else self.seen[table]
        values = [row[column] for row in rows if row[column] is not None]
        value: Any = self.chance.choice(values) if values else _SOME[type_.name]
        if isinstance(value, bool | int):
            return value
        if isinstance(value, UUID):
            return f"{self.chance.choice(('Learner', 'Course', 'Anything'))}:{value}"
        if isinstance(value, datetime):
            return (value + timedelta(microseconds=self.chance.choice((-1, 0, 0, 1)))).isoformat()
        if isinstance(value, date):
            return (value + timedelta(days=self.chance.choice((-1, 0, 0, 1)))).isoformat()
        if isinstance(value, Decimal):
            return str(value)
        text = str(value)
        if operator in ("contains", "startsWith"):
            start = self.chance.randint(0, len(text)) if operator == "contains" else 0
            text = text[start : start + self.chance.randint(0, 6)]
            text = self.chance.choice((text, text.upper(), text.lower()))
        return text

    def _id(self, name: str) -> str:
        kind = self.chance.choice(sorted(NODE_SCOPES)) if name == "Node" else name
        rows: Sequence[Row] = (self.foreign if self._maybe(0.15) else self.seen)[TABLES[kind]]
        key = self.chance.choice(rows)["id"] if rows else UUID(int=0)
        if self._maybe(0.1):
            kind = self.chance.choice((*sorted(NODE_SCOPES), "Nothing"))
        return f"{kind}:{key}"

    # --- values ---------------------------------------------------------------------------------------------------

    def _value(self, value: Any, type_: Any) -> str | None:
        """The value as a literal, or as a variable; None when the variable is one too many: an absent one."""
        if self._maybe(0.3):
            return self._variable(value, type_)
        if value is None:
            return "null"
        inner = get_nullable_type(type_)
        if isinstance(inner, GraphQLList):
            if len(value) == 1 and self._maybe(0.3):
                return self._value(value[0], inner.of_type)
            return f"[{', '.join(filter(None, (self._value(part, inner.of_type) for part in value)))}]"
        if isinstance(inner, GraphQLInputObjectType):
            members = [f"{name}: {self._value(part, inner.fields[name].type)}" for name, part in value.items()]
            return f"{{{', '.join(members)}}}"
        if isinstance(inner, GraphQLEnumType):
            return str(value)
        return _literal(value)

    def _variable(self, value: Any, type_: Any) -> str:
        name = self._name("v")
        shown = str(type_)
        if value is None:
            if self._maybe(0.5):
                self._variables[name] = None
        elif not is_non_null_type(type_) and self._maybe(0.2):
            shown += "!"
            self._variables[name] = value
        elif self._maybe(0.15):
            shown = f"{get_nullable_type(type_)} = {plain(value, type_)}"
        else:
            self._variables[name] = value
        self._declared.append(f"${name}: {shown}")
        return f"${name}"


_SOME: Mapping[str, Any] = {
    "StringFilter": "nothing like it",
    "IDFilter": UUID(int=1),
    "IntFilter": 7,
    "BooleanFilter": True,
    "DateFilter": date(2026, 1, 1),
    "DateTimeFilter": datetime(2026, 1, 1, tzinfo=UTC),
}
"""Operands for a column that holds nothing."""


def plain(value: Any, type_: Any) -> str:
    """A value as a literal without variables."""
    inner = get_nullable_type(type_)
    if value is None:
        return "null"
    if isinstance(inner, GraphQLList):
        return f"[{', '.join(plain(part, inner.of_type) for part in value)}]"
    if isinstance(inner, GraphQLInputObjectType):
        return f"{{{', '.join(f'{name}: {plain(part, inner.fields[name].type)}' for name, part in value.items())}}}"
    return str(value) if isinstance(inner, GraphQLEnumType) else _literal(value)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}
    return f'"{"".join(escapes.get(letter, letter) for letter in str(value))}"'


def _members(schema: GraphQLSchema, name: str) -> list[str]:
    type_ = schema.type_map[f"{name}Order"]
    assert isinstance(type_, GraphQLEnumType)
    return list(type_.values)
