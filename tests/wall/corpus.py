"""Documents that together select every field of every type that can be read, made by walking the schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

DEPTH = 4
"""Levels of a document: enough to reach every field, few enough for the service's limits."""
ARGUMENTS = {
    "period": '{from: "2026-01-01", to: "2026-12-31"}',
    "on": '"2026-11-24"',
    "by": "PROVIDER",
    "tierId": '"Tier:00000000-0000-7000-8000-000000000000"',
    "locationId": '"Location:00000000-0000-7000-8000-000000000000"',
}
FieldOfType = tuple[str, str]


@dataclass
class Corpus:
    """Makes documents and notes which fields they select."""

    schema: GraphQLSchema
    selected: set[FieldOfType] = field(default_factory=set)
    ids: Mapping[str, str] = field(default_factory=dict)

    def documents(self, ids: Mapping[str, str]) -> Iterator[str]:
        """A document for each root field; one for each type of node. `ids` are global ids by type name."""
        root = self.schema.query_type
        assert root is not None
        self.ids = ids
        for name, definition in root.fields.items():
            kind = get_named_type(definition.type)
            if isinstance(kind, GraphQLInterfaceType):
                for possible in self.schema.get_possible_types(kind):
                    if possible.name in ids:
                        # What lies behind a row is walked once, by its id; among several, the row itself is enough.
                        body = self._body(possible, DEPTH if "id" in definition.args else 1, set())
                        asked = f'"{ids[possible.name]}"'
                        given = f"id: {asked}" if "id" in definition.args else f"ids: [{asked}]"
                        yield f"{{ {name}({given}) {{ ... on {possible.name} {body} }} }}"
                self.selected.add((root.name, name))
            else:
                self.selected.add((root.name, name))
                yield f"{{ {self._field(name, definition, DEPTH, set(), ids.get(kind.name))} }}"

    def readable(self) -> set[FieldOfType]:
        """Every field that can be reached from the root of queries."""
        root = self.schema.query_type
        assert root is not None
        found: set[FieldOfType] = set()
        waiting: list[GraphQLOutputType] = [root]
        while waiting:
            kind = get_named_type(waiting.pop())
            if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
                waiting += self.schema.get_possible_types(kind)
            elif isinstance(kind, GraphQLObjectType):
                new = {(kind.name, name) for name in kind.fields} - found
                found |= new
                waiting += [kind.fields[name].type for _, name in new]
        return found

    def _field(
        self, name: str, definition: GraphQLField, depth: int, opened: set[str], node_id: str | None = None
    ) -> str:
        given = []
        for argument, details in definition.args.items():
            if argument == "first":
                given.append("first: 3")
            elif is_required_argument(details):
                given.append(f'id: "{node_id}"' if argument == "id" else f"{argument}: {self._argument(argument)}")
        arguments = f"({', '.join(given)})" if given else ""
        return f"{name}{arguments} {self._body(get_named_type(definition.type), depth - 1, opened)}"

    def _argument(self, name: str) -> str:
        """A value: for `bookingId` the id of a booking, for `learnerIds` a list of one, else one that is told here."""
        type_name = name.removesuffix("s").removesuffix("Id")
        type_name = type_name[0].upper() + type_name[1:]
        if name in ARGUMENTS or type_name not in self.ids:
            return ARGUMENTS[name]
        return f'["{self.ids[type_name]}"]' if name.endswith("Ids") else f'"{self.ids[type_name]}"'

    def _body(self, kind: object, depth: int, opened: set[str]) -> str:
        """The selection of a type: all its fields, unless it has been selected on the way here or is too deep."""
        if is_leaf_type(kind):
            return ""
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            branches = [
                f"... on {possible.name} {self._body(possible, depth - 1, opened)}"
                for possible in self.schema.get_possible_types(kind)
            ]
            return f"{{ __typename {' '.join(branches)} }}"
        assert isinstance(kind, GraphQLObjectType)
        chosen = ["__typename"]
        for name, definition in kind.fields.items():
            if is_leaf_type(get_named_type(definition.type)):
                chosen.append(name)
            elif kind.name not in opened and depth > 1:
                chosen.append(self._field(name, definition, depth, opened | {kind.name}))
            else:
                continue
            self.selected.add((kind.name, name))
        return f"{{ {' '.join(chosen)} }}"
