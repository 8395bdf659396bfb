"""Makes a counter-example small: takes parts out of a document as long as both answers go on differing."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

from graphql import GraphQLSyntaxError, Node, SelectionSetNode, parse

from tests.graphql_api.documents import Asked

EMPTY = re.compile(r"\([\s,]*\)")
"""What is left of arguments when the last one has gone."""


async def shrunk(asked: Asked, differs: Callable[[Asked], Awaitable[bool]]) -> Asked:
    """The smallest document that this finds with the same variables for which `differs` holds."""
    smallest, tried = asked, {asked.text}
    progress = True
    while progress:
        progress = False
        for text in _smaller(smallest.text):
            candidate = Asked(text, smallest.variables, smallest.operation, smallest.scopes)
            if text not in tried and await differs(candidate):
                smallest, progress = candidate, True
                break
            tried.add(text)
    return smallest


def _smaller(text: str) -> Iterator[str]:
    """Documents with one part less, from the outside in."""
    waiting: list[Node] = [parse(text)]
    while waiting:
        node = waiting.pop(0)
        children = [
            child
            for key in node.keys
            for value in [getattr(node, key)]
            for child in (value if isinstance(value, list | tuple) else (value,))
            if isinstance(child, Node)
        ]
        waiting += children
        for child in children:
            if child.loc is None or isinstance(child, SelectionSetNode):
                continue
            candidate = EMPTY.sub("", text[: child.loc.start] + " " + text[child.loc.end :])
            with suppress(GraphQLSyntaxError):
                parse(candidate)
                yield candidate


__all__ = ["shrunk"]
