"""Refusals of the read compiler, each with a stable code in `extensions.code`."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError


class Refusal(GraphQLError):
    """An error that the caller can mend; the message says how."""

    def __init__(
        self, code: str, message: str, path: list[str | int] | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, path=path, extensions={"code": code, **(more or {})})
        self.code = code


class ForbiddenField(Refusal):
    """A field whose scope the caller does not hold."""

    def __init__(self, field: str, scope: str, path: list[str | int]) -> None:
        super().__init__(
            "FORBIDDEN", f"You may not read {field}: it needs the scope {scope}. Ask the tenant to grant it.", path
        )
