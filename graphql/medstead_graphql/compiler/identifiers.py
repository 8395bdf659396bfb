"""Global ids: the type's name, a colon and the row's own id. Clients treat them as opaque."""

from collections.abc import Callable
from uuid import UUID

from medstead_graphql.compiler.errors import Refusal

Key = UUID | str


def parse(text: object) -> tuple[str, str]:
    """Type name and row id of a global id. Raises Refusal `INVALID_ID`."""
    name, found, key = str(text).partition(":")
    if not found or not name or not key or len(key) > 64 or "\0" in key:
        raise Refusal("INVALID_ID", f"{str(text)[:80]!r} is not an id of this API. Use ids as this API gave them.")
    return name, key


def key_of(text: object, type_name: str, convert: Callable[[str], Key]) -> Key | None:
    """The row id in a global id of `type_name`; None if the id is of another type or cannot be one."""
    name, key = parse(text)
    if name != type_name:
        return None
    try:
        return convert(key)
    except ValueError:
        return None
