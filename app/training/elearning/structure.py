"""Course structures of cmi5 (`cmi5.xml`): the course, its blocks and its assignable units, with their titles."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from defusedxml import DefusedXmlException, ElementTree

from app.training.elearning.checks import iri
from app.training.elearning.errors import Malformed
from app.training.errors import TrainingRefusal

LARGEST = 1024 * 1024
MOST = 1000
LONGEST_TITLE = 300
MOVE_ON = ("Passed", "Completed", "CompletedAndPassed", "CompletedOrPassed", "NotApplicable")
_NAMESPACE = re.compile(r"\{https?://w3id\.org/xapi/profiles/cmi5/[^}]*CourseStructure\.xsd\}(\w+)")


@dataclass(frozen=True, slots=True)
class Part:
    """An activity of the structure. `move_on` is what an assignable unit asks for."""

    iri: str
    kind: str
    title: str
    move_on: str


def read_structure(content: bytes) -> list[Part]:
    """The course first, then its parts in their order.

    Raises TrainingRefusal `STRUCTURE_UNREADABLE` with the field `file`.
    """
    if content.startswith(b"PK"):
        raise _unreadable("This is a package. Unpack it, and send the file cmi5.xml that is in it.")
    if not content.strip() or len(content) > LARGEST:
        raise _unreadable("Choose the file cmi5.xml of the course, of at most 1 MB.")
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise _unreadable("The file is not sound XML without a DTD. Export the course anew.") from error
    if _name(root) != "courseStructure":
        raise _unreadable("The file is not a course structure of cmi5. Choose the file cmi5.xml of the course.")
    parts = list(_parts(root))
    if [part.kind for part in parts].count("course") != 1 or not any(part.kind == "au" for part in parts):
        raise _unreadable("The structure must have one course with at least one au. Export the course anew.")
    if len(parts) > MOST:
        raise _unreadable(f"The structure has more than {MOST} parts. Split the course.")
    seen: set[str] = set()
    for part in parts:
        if part.iri in seen:
            raise _unreadable(f"The id {part.iri[:200]} stands there twice. Give each part its own.")
        seen.add(part.iri)
    return sorted(parts, key=lambda part: part.kind != "course")


def _parts(element: Any) -> Iterator[Part]:
    for child in element:
        name = _name(child)
        if name in ("course", "block", "au"):
            yield _part(child, name)
        if name == "block":
            yield from _parts(child)


def _part(element: Any, kind: str) -> Part:
    identifier = (element.get("id") or "").strip()
    try:
        iri(identifier, "id")
    except Malformed as error:
        raise _unreadable(f"A {kind} has no IRI for its id. Export the course anew.") from error
    move_on = element.get("moveOn") or "NotApplicable"
    if kind == "au" and move_on not in MOVE_ON:
        raise _unreadable(f"moveOn of an au must be one of {', '.join(MOVE_ON)}. Correct the structure.")
    return Part(
        identifier,
        kind,
        _title(element) or identifier[:LONGEST_TITLE],
        move_on if kind == "au" else "CompletedOrPassed",
    )


def _title(element: Any) -> str:
    """The title in English, else in the first language."""
    texts = [
        (text.get("lang") or "", " ".join((text.text or "").split()))
        for title in element
        if _name(title) == "title"
        for text in title
        if _name(text) == "langstring"
    ]
    english = [words for language, words in texts if language.casefold().startswith("en")]
    return next(iter([*english, *(words for _, words in texts)]), "")[:LONGEST_TITLE]


def _name(element: Any) -> str:
    found = _NAMESPACE.fullmatch(str(element.tag))
    return found[1] if found else ""


def _unreadable(message: str) -> TrainingRefusal:
    return TrainingRefusal("STRUCTURE_UNREADABLE", message, "file")
