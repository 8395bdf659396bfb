"""Trusted documents: those of `graphql/documents/`, known by the SHA-256 of their exact text."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

_PLACES = (Path(__file__).parent / "documents", Path(__file__).parents[1] / "documents")
"""Within the installed package, and beside it where it runs from the source."""


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A document of ours, with the variables that it is tried out with."""

    name: str
    text: str
    variables: dict[str, Any]

    @property
    def id(self) -> str:
        """What clients ask for it by."""
        return f"sha256:{hashlib.sha256(self.text.encode()).hexdigest()}"


def _read() -> Iterator[TrustedDocument]:
    folder = next(place for place in _PLACES if place.is_dir())
    for path in sorted(folder.glob("*.graphql")):
        variables = path.with_suffix(".variables.json")
        given = orjson.loads(variables.read_bytes()) if variables.exists() else {}
        yield TrustedDocument(path.stem, path.read_text(encoding="utf-8"), given)


@cache
def trusted_documents() -> tuple[TrustedDocument, ...]:
    """All of them, by name."""
    return tuple(_read())
