"""Objects of the answer as SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, func, literal_column

from medstead_graphql.compiler.errors import Refusal

MAXIMUM_PAIRS = 50
"""PostgreSQL functions take at most 100 arguments: 50 names with their values."""


def json_object(values: Mapping[str, ColumnElement[Any]], path: Sequence[str | int]) -> ColumnElement[Any]:
    """A JSON object of response keys and values. Raises Refusal `TOO_MANY_FIELDS`."""
    if len(values) > MAXIMUM_PAIRS:
        message = f"Ask for at most {MAXIMUM_PAIRS} fields of one object, under all aliases."
        raise Refusal("TOO_MANY_FIELDS", message, [*path])
    arguments: list[ColumnElement[Any]] = []
    for key, value in values.items():
        arguments += [literal_column(f"'{key}'", Text()), value]
    return func.json_build_object(*arguments)
