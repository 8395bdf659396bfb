"""The base taxonomy as files: national guidance in our own words, regulations, and 40 topics with references.

`VERSION` rises whenever a file changes, so that a tenant's rows can be brought up to date.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VERSION = 1
FOLDER = Path(__file__).resolve().parent / "base_taxonomy"

CARE_HOMES = ("care_home_with_nursing", "care_home_without_nursing")
HOME_CARE = ("extra_care", "supported_living", "domiciliary", "shared_lives")

APPLIES = {
    "all": (*CARE_HOMES, *HOME_CARE),
    "care homes": CARE_HOMES,
    "home care": HOME_CARE,
    "learning disability": (),
    "delegated tasks": (),
    "seniors": (),
    "champions": (),
    "local": (),
}
"""The settings in which a topic is mandatory for everybody, by whom it applies to."""


@dataclass(frozen=True, slots=True)
class BaseDocument:
    """A document of the base."""

    code: str
    title: str
    kind: str
    edition: str
    url: str


@dataclass(frozen=True, slots=True)
class BaseTopic:
    """A topic of the base; `references` are (document, number)."""

    code: str
    title: str
    theme: str
    audience: str
    mandatory_in: tuple[str, ...]
    references: tuple[tuple[str, str], ...]


def documents() -> list[BaseDocument]:
    """Documents in the order of the file."""
    return [BaseDocument(**row) for row in _rows("documents.csv")]


def clauses() -> list[tuple[str, str, str]]:
    """Document, number and summary of each clause."""
    return [(row["document"], row["number"], row["summary"]) for row in _rows("clauses.csv")]


def topics() -> list[BaseTopic]:
    """Topics in the order of their codes."""
    return [
        BaseTopic(
            row["code"],
            row["title"],
            row["theme"],
            row["applies"],
            APPLIES[row["applies"]],
            tuple(_reference(text) for text in row["references"].split("; ") if text),
        )
        for row in _rows("topics.csv")
    ]


def _reference(text: str) -> tuple[str, str]:
    document, _, number = text.partition(" ")
    return document, number


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
