"""Limits on documents, counted with memory in linear time: tokens, depth, fields, aliases, root fields."""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from medstead_graphql.compiler.errors import Refusal

MAXIMUM_BODY = 256 * 1024
MAXIMUM_TOKENS = 4000
MAXIMUM_DEPTH = 15
MAXIMUM_ALIASES = 60
MAXIMUM_ROOT_FIELDS = 20
MAXIMUM_FIELDS = 2000
"""Fields after fragments are followed: what the compiler will have to visit."""


class _Count:
    __slots__ = ("aliases", "depth", "fields")

    def __init__(self) -> None:
        self.depth = self.fields = self.aliases = 0


def check_limits(document: DocumentNode) -> None:
    """Raise Refusal if the document is too deep or too wide. Each fragment is counted once and remembered."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    known: dict[str, _Count] = {}
    open_fragments: set[str] = set()

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
        total = _Count()
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FragmentSpreadNode):
                inner = fragment(node.name.value)
                total.depth = max(total.depth, inner.depth)
            else:
                is_field = isinstance(node, FieldNode)
                inner = count(node.selection_set) if isinstance(node, FieldNode | InlineFragmentNode) else _Count()
                total.depth = max(total.depth, inner.depth + is_field)
                total.fields += is_field
                total.aliases += isinstance(node, FieldNode) and node.alias is not None
            total.fields += inner.fields
            total.aliases += inner.aliases
        return total

    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        total = count(node.selection_set)
        for code, found, limit, what in (
            ("TOO_DEEP", total.depth, MAXIMUM_DEPTH, "levels deep"),
            ("TOO_MANY_ALIASES", total.aliases, MAXIMUM_ALIASES, "aliases"),
            ("TOO_MANY_FIELDS", total.fields, MAXIMUM_FIELDS, "fields"),
            ("TOO_MANY_ROOT_FIELDS", len(node.selection_set.selections), MAXIMUM_ROOT_FIELDS, "root fields"),
        ):
            if found > limit:
                raise Refusal(code, f"The document has {found} {what}; the limit is {limit}. Ask in several requests.")
