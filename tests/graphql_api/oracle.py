"""A slow, plain executor of the committed contract: graphql-core walks it over rows in memory, one row at a time.

It shares no code with the compiler: tables, links and connections are told once more, as a person would read them.
Cursors are those that the service itself gave for a row in an order; what they do is decided here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from tests.graphql_api.contract import (
    COLUMNS,
    DEFAULT_ORDERS,
    MIXED,
    NODE_SCOPES,
    SCOPES,
    TABLES,
    UNIONS,
)
from tests.graphql_api.contract_links import CONNECTIONS, LINKS
from tests.graphql_api.counted import COMPUTED
from tests.graphql_api.world import Row, Rows

CONTRACT = Path(__file__).resolve().parents[2] / "graphql" / "schema.graphql"

Order = tuple[str, ...]


@dataclass
class Cursors:
    """Cursors that the service gave, by type, order and row."""

    given: dict[tuple[str, Order], dict[Any, str]] = field(default_factory=dict)

    def of(self, type_name: str, order: Order, row: Row) -> str:
        """The cursor of a row in an order."""
        return self.given[type_name, order][row["id"]]

    def row_of(self, type_name: str, order: Order, cursor: str) -> Any:
        """The id of the row that a cursor was given for."""
        return next(row_id for row_id, given in self.given[type_name, order].items() if given == cursor)


@dataclass(frozen=True)
class Answer:
    """Data and errors: path without positions in lists, and code."""

    data: Any
    errors: list[tuple[tuple[str, ...], str]]


def contract() -> GraphQLSchema:
    """The committed contract, without any resolver."""
    return build_schema(CONTRACT.read_text(encoding="utf-8"))


class Oracle:
    """Answers documents as one tenant."""

    def __init__(self, rows: Rows, tenant_id: UUID, cursors: Cursors) -> None:
        self.rows, self.tenant_id, self.cursors = rows, tenant_id, cursors
        self.schema = contract()
        self.scopes: frozenset[str] = frozenset()
        self._imagined = False
        self._named: dict[tuple[str | int, ...], list[str]] = {}
        """Path of `nodes(ids:)` in the data → the types of its ids."""
        for type_ in self.schema.type_map.values():
            if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
                for name, definition in type_.fields.items():
                    definition.resolve = self._resolver(type_, name)

    def execute(
        self, document: DocumentNode, variables: Mapping[str, Any], name: str | None, scopes: frozenset[str]
    ) -> Answer:
        """The data from the rows; the errors from one imagined row wherever rows could be, so each field once.

        What may not be read is null whether or not there are rows, or an empty list would tell that there are none.
        """
        self.scopes = scopes
        self._named = {}
        self._imagined = False
        read = execute_sync(self.schema, document, variable_values=dict(variables), operation_name=name)
        self._imagined = True
        imagined = execute_sync(self.schema, document, variable_values=dict(variables), operation_name=name)
        for error in [*(read.errors or ()), *(imagined.errors or ())]:
            if not (error.extensions or {}).get("code"):
                raise error.original_error or error
        data = read.data
        for error in imagined.errors or ():
            data = self._nulled(data, _null_at(imagined.data, error.path or []), ())
        return Answer(data, sorted(_told(error) for error in imagined.errors or ()))

    def _nulled(self, value: Any, path: list[str | int], here: tuple[str | int, ...]) -> Any:
        """The data with null at every place that the path of an imagined row stands for."""
        if not path or value is None:
            return None
        first, *rest = path
        if isinstance(first, str):
            return value | {first: self._nulled(value[first], rest, (*here, first))} if first in value else value
        named = self._named.get(here)
        kind = sorted(set(named))[first] if named else None
        return [
            self._nulled(member, rest, (*here, position)) if named is None or named[position] == kind else member
            for position, member in enumerate(value)
        ]

    # --- fields ---------------------------------------------------------------------------------------------------

    def _resolver(self, type_: GraphQLObjectType, name: str) -> Callable[..., Any]:
        where = f"{type_.name}.{name}"
        target = get_named_type(type_.fields[name].type)

        def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            if not self._may(where, target.name):
                raise GraphQLError("forbidden", extensions={"code": "FORBIDDEN"})
            if type_.name.endswith("Connection") or type_.name.endswith("Edge") or type_.name == "PageInfo":
                return source[name]()
            if target.name.endswith("Connection"):
                return self._connection(where, target.name.removesuffix("Connection"), source, arguments)
            if where == "Query.node":
                return self._node(arguments["id"])
            if where == "Query.nodes":
                if not self._imagined:
                    self._named[tuple(info.path.as_list())] = [one.partition(":")[0] for one in arguments["ids"]]
                return self._nodes(arguments["ids"])
            if self._imagined:
                return _imagined(type_.fields[name].type, target)
            if where == "Query.tenant":
                return next(row for row in self.rows["tenant"] if row["id"] == self.tenant_id)
            if type_.name == "Query":
                return self._by_id(target.name, arguments["id"])
            if where in LINKS:
                own, other = LINKS[where]
                return next((row for row in self.rows[TABLES[target.name]] if row[other] == source[own]), None)
            if where in ("Organisation.codes", "Organisation.successors", "Organisation.predecessors"):
                return self._about_organisation(name, source)
            if where in COMPUTED:
                return _leaf(type_.name, target, COMPUTED[where](self.rows, source))
            return _leaf(type_.name, target, source[COLUMNS.get(where, snake(name))])

        return resolve

    def _may(self, where: str, leads_to: str) -> bool:
        """Whether the field itself, and the type of the rows that it leads to, may be read."""
        kind = leads_to.removesuffix("Connection")
        needed = (SCOPES.get(where), *[NODE_SCOPES.get(name) for name in UNIONS.get(kind, (kind,))])
        inside = where.partition(".")[0].endswith(("Connection", "Edge"))
        return inside or all(scope is None or scope in self.scopes for scope in needed)

    def _nodes(self, global_ids: list[str]) -> list[Any]:
        """Each by its id; where rows are imagined, one of each type that is named, forbidden ones telling so."""
        if self._imagined:
            return [self._node_or_error(f"{name}:") for name in sorted({one.partition(":")[0] for one in global_ids})]
        return [self._node(one) if self._may("Query.nodes", one.partition(":")[0]) else None for one in global_ids]

    def _node_or_error(self, global_id: str) -> Any:
        try:
            return self._node(global_id)
        except GraphQLError as error:
            return error

    def _node(self, global_id: str) -> Any:
        name = global_id.partition(":")[0]
        if name not in NODE_SCOPES:
            return None
        if not self._may("Query.node", name):
            raise GraphQLError("forbidden", extensions={"code": "FORBIDDEN"})
        if self._imagined:
            return {"__typename": name}
        row = self._by_id(name, global_id)
        return None if row is None else row | {"__typename": name}

    def _by_id(self, name: str, global_id: str) -> Row | None:
        kind, _, key = global_id.partition(":")
        if kind != name:
            return None
        rows = [row for row in self.rows[TABLES[name]] if name != "Tenant" or row["id"] == self.tenant_id]
        return next((row for row in rows if str(row["id"]) == key), None)

    def _about_organisation(self, name: str, organisation: Row) -> list[Row]:
        codes = self.rows["organisation_code"]
        if name == "codes":
            own = [code for code in codes if code["organisation_id"] == organisation["id"]]
            own.sort(key=lambda code: (code["valid_from"], code["scheme"], code["code"]))
            return own
        here, there = ("predecessor_id", "successor_id") if name == "successors" else ("successor_id", "predecessor_id")
        names = {row["id"]: row["name"] for row in self.rows["organisation"]}
        steps: list[Row] = []
        for step in self.rows["organisation_succession"]:
            if step[here] == organisation["id"]:
                ods = [c["code"] for c in codes if c["organisation_id"] == step[there] and c["scheme"] == "ods"]
                steps += [step | {"name": names[step[there]], "ods_code": code} for code in ods or [None]]
        return sorted(steps, key=lambda step: (step["happened_on"], step["name"]))

    # --- connections ----------------------------------------------------------------------------------------------

    def _connection(self, where: str, name: str, source: Any, arguments: Mapping[str, Any]) -> Any:
        order = tuple(arguments.get("orderBy") or ())
        tells_names = name == "Learner" and any(one.startswith("NAME_KEY") for one in order)
        filter_ = arguments.get("where") or {}
        if (tells_names and "people:read" not in self.scopes) or not self._may_ask(name, filter_):
            raise GraphQLError("forbidden", extensions={"code": "FORBIDDEN"})
        if self._imagined:
            return _imagined_connection(UNIONS.get(name))
        if where in MIXED:
            return self._mixed(MIXED[where], name, source, arguments)
        rows = self.rows[TABLES[name]]
        order = order or default_order(name, self.scopes)
        rank = {row["id"]: position for position, row in enumerate(ordered(rows, order))}
        back = CONNECTIONS.get(where)
        listed = [row for row in rows if back is None or row[back] == source["id"]]
        listed = [row for row in listed if self.holds(name, row, filter_)]
        listed.sort(key=lambda row: rank[row["id"]])
        return self._page(name, order, listed, rank, arguments)

    def _mixed(self, back: str, name: str, source: Any, arguments: Mapping[str, Any]) -> Any:
        """Rows of the parts with the moment of each, latest first, ties by the greater id."""
        starts = {session["id"]: session["starts_at"] for session in self.rows["training_session"]}
        rows = [
            row
            | {"__typename": part, "moment": row["completed_at"] if part == "Completion" else starts[row["session_id"]]}
            for part in UNIONS[name]
            for row in self.rows[TABLES[part]]
        ]
        rows.sort(key=lambda row: (row["moment"], row["id"]), reverse=True)
        rank = {row["id"]: position for position, row in enumerate(rows)}
        return self._page(name, (), [row for row in rows if row[back] == source["id"]], rank, arguments)

    def _leads_to(self, where: str) -> str | None:
        """The type that a link or a connection leads to; None for a column."""
        if where not in LINKS and where not in CONNECTIONS:
            return None
        type_name, name = where.split(".")
        owner = self.schema.type_map[type_name]
        assert isinstance(owner, GraphQLObjectType)
        return str(get_named_type(owner.fields[name].type).name).removesuffix("Connection")

    def _may_ask(self, type_name: str, conditions: Mapping[str, Any]) -> bool:
        """Whether a filter looks at nothing that the caller may not read."""
        for name, asked in conditions.items():
            target = self._leads_to(f"{type_name}.{name}")
            if asked is None:
                continue
            if name in ("and", "or", "not"):
                parts = [asked] if name == "not" else asked
                allowed = all(self._may_ask(type_name, part) for part in parts)
            elif target is None:
                named = type_name == "Learner" and name in ("displayName", "familyName")
                allowed = not named or "people:read" in self.scopes
            else:
                listed = f"{type_name}.{name}" in CONNECTIONS
                parts = [part for part in asked.values() if part is not None] if listed else [asked]
                allowed = self._may(f"{type_name}.{name}", target) and all(self._may_ask(target, p) for p in parts)
            if not allowed:
                return False
        return True

    def holds(self, type_name: str, row: Row, conditions: Mapping[str, Any]) -> bool:
        """Whether a row meets a filter: everything that is given must hold, and what is null is not given."""
        given = {name: asked for name, asked in conditions.items() if asked is not None}
        return all(self._member(type_name, row, name, asked) for name, asked in given.items())

    def _member(self, type_name: str, row: Row, name: str, asked: Any) -> bool:
        if name == "and":
            return all(self.holds(type_name, row, part) for part in asked)
        if name == "or":
            return any(self.holds(type_name, row, part) for part in asked)
        if name == "not":
            return not self.holds(type_name, row, asked)
        where = f"{type_name}.{name}"
        target = self._leads_to(where)
        if target is None:
            value = row[COLUMNS.get(where, snake(name))]
            return all(_operator(value, name, operand) for name, operand in asked.items() if operand is not None)
        own, other = LINKS.get(where) or ("id", CONNECTIONS[where])
        found = [one for one in self.rows[TABLES[target]] if one[other] == row[own] and row[own] is not None]
        if where in LINKS:
            return any(self.holds(target, one, asked) for one in found)
        quantifiers: dict[str, Callable[[list[bool]], bool]] = {
            "some": any,
            "none": lambda met: not any(met),
            "every": all,
        }
        return all(
            quantifiers[word]([self.holds(target, one, part) for one in found])
            for word, part in asked.items()
            if part is not None
        )

    def _page(
        self, name: str, order: Order, listed: list[Row], rank: Mapping[Any, int], arguments: Mapping[str, Any]
    ) -> Any:
        """Relay's algorithm, line by line; without `first` and `last` the page has 50 rows."""
        first, last = arguments.get("first"), arguments.get("last")
        edges, earlier, later = listed, False, False
        if (after := arguments.get("after")) is not None:
            bound = rank[self.cursors.row_of(name, order, after)]
            earlier = any(rank[row["id"]] <= bound for row in listed)
            edges = [row for row in edges if rank[row["id"]] > bound]
        if (before := arguments.get("before")) is not None:
            bound = rank[self.cursors.row_of(name, order, before)]
            later = any(rank[row["id"]] >= bound for row in listed)
            edges = [row for row in edges if rank[row["id"]] < bound]
        if last is not None:
            shown, has_next, has_previous = edges[-last:], later, len(edges) > last
        else:
            size = 50 if first is None else first
            shown, has_next, has_previous = edges[:size], len(edges) > size, earlier

        def cursor(row: Row) -> Callable[[], str]:
            return lambda: self.cursors.of(name, order, row)

        def node(row: Row) -> Callable[[], Row]:
            return lambda: row

        return {
            "edges": lambda: [{"node": node(row), "cursor": cursor(row)} for row in shown],
            "nodes": lambda: shown,
            "totalCount": lambda: len(listed),
            "pageInfo": lambda: {
                "hasNextPage": lambda: has_next,
                "hasPreviousPage": lambda: has_previous,
                "startCursor": lambda: self.cursors.of(name, order, shown[0]) if shown else None,
                "endCursor": lambda: self.cursors.of(name, order, shown[-1]) if shown else None,
            },
        }


def _null_at(data: Any, path: list[str | int]) -> list[str | int]:
    """The beginning of the path up to where null has come to rest."""
    for length, part in enumerate(path):
        if data is None:
            return path[:length]
        data = data[part]
    return path


def _told(error: GraphQLError) -> tuple[tuple[str, ...], str]:
    return tuple(part for part in error.path or () if isinstance(part, str)), str((error.extensions or {})["code"])


def _imagined(type_: Any, target: Any) -> Any:
    """Something of the type, whatever it is."""
    if is_leaf_type(target):
        one: Any = next(iter(target.values)) if isinstance(target, GraphQLEnumType) else 1
    else:
        one = {}
    return [one] if isinstance(get_nullable_type(type_), GraphQLList) else one


def _imagined_connection(kinds: Iterable[str] | None) -> Any:
    """A connection with one row of which nothing is known, or one of each kind."""
    nodes: list[Any] = [{"__typename": kind} for kind in kinds] if kinds else [{}]

    def edge(node: Any) -> dict[str, Callable[[], Any]]:
        return {"node": lambda: node, "cursor": lambda: ""}

    return {
        "edges": lambda: [edge(node) for node in nodes],
        "nodes": lambda: nodes,
        "totalCount": lambda: 1,
        "pageInfo": lambda: dict.fromkeys(
            ("hasNextPage", "hasPreviousPage", "startCursor", "endCursor"), lambda: False
        ),
    }


def default_order(name: str, scopes: frozenset[str]) -> Order:
    """The order where none is asked for; the order of learners' names would tell the names."""
    return () if name == "Learner" and "people:read" not in scopes else DEFAULT_ORDERS[name]


def ordered(rows: Iterable[Row], order: Order) -> list[Row]:
    """Rows in an order, ties by id the way of the last column. Rising puts nulls last, falling puts them first."""
    found = sorted(rows, key=lambda row: row["id"], reverse=bool(order) and order[-1].endswith("_DESC"))
    for member in reversed(order):
        column, _, way = member.lower().rpartition("_")
        found.sort(key=lambda row: (row[column] is None, row[column]), reverse=way == "desc")
        # A stable sort keeps ties in their order when it is reversed, too.
    return found


def _operator(value: Any, operator: str, operand: Any) -> bool:
    if operator == "isNull":
        return (value is None) is operand
    if value is None:
        return False
    if operator == "oneOf":
        return any(_operator(value, "equals", part) for part in operand)
    if isinstance(value, UUID):
        return str(value) == str(operand).partition(":")[2]
    if operator in ("startsWith", "contains"):
        found = small(value).find(small(operand))
        return found == 0 if operator == "startsWith" else found >= 0
    if isinstance(value, datetime):
        operand = datetime.fromisoformat(operand)
    elif isinstance(value, date):
        operand = date.fromisoformat(operand)
    elif isinstance(value, Decimal):
        operand = Decimal(str(operand))
    return bool(
        {
            "equals": lambda: value == operand,
            "atLeast": lambda: value >= operand,
            "from": lambda: value >= operand,
            "atMost": lambda: value <= operand,
            "before": lambda: value < operand,
        }[operator]()
    )


def small(text: str) -> str:
    """Text in small letters, letter by letter, as the database's builtin C.UTF-8 has it."""
    return "".join(letter.lower()[0] for letter in text)


def _leaf(owner: str, target: Any, value: Any) -> Any:
    """A value as JSON carries it; moments as the database writes them, without zeros at the end of a fraction."""
    if value is None:
        return None
    if target.name == "ID":
        return f"{owner}:{value}"
    if isinstance(target, GraphQLEnumType):
        return snake(str(value)).lstrip("_").upper()
    if isinstance(value, datetime):
        head, _, fraction = value.strftime("%Y-%m-%dT%H:%M:%S.%f").partition(".")
        fraction = fraction.rstrip("0")
        return f"{head}.{fraction}+00:00" if fraction else f"{head}+00:00"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value


def snake(name: str) -> str:
    """The column that a field is named after."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def canonical(data: Any) -> bytes:
    """JSON of an answer's data, fields in their order."""
    return orjson.dumps(data)
