"""The person that a record of a file is about, as the rules of the directory weigh them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.directory.placement import PersonInFile, Placed
from app.directory.rules import Candidate, MatchDecision, candidate
from app.imports.formats.base import AttendanceRecord, ChampionRecord, CompletionRecord, RawRow, Record
from app.imports.kept_rows import KeptRow

DEFAULT_SOURCE = "elearning"
"""The system whose accounts a completions file names, where the import does not say."""

_SENTENCES = {
    "SAME_EMAIL_OTHER_NAME": "The address belongs to a learner of another name. Say whether it is the same person.",
    "SAME_NAME_AND_EMPLOYER": "Somebody of this name works there already. Say whether it is the same person.",
    "SHARED_MAILBOX": "The address is a shared mailbox, so it does not say who this is. Choose the person.",
    "NAME_ONLY": "There is only a name, and a name alone never decides. Choose the person, or say it is somebody new.",
    "NO_NAME": "The row has no name to go by. Choose the person, or leave the row out.",
    "SEVERAL_MATCH": "Several learners match. Choose the right one; if they are one person, merge them.",
}


def source_of(options: Mapping[str, Any]) -> str:
    """The system that accounts of the file belong to; the same account elsewhere is somebody else."""
    return str(options.get("source") or DEFAULT_SOURCE)


def candidate_of(record: Record, options: Mapping[str, Any], employer_id: UUID | None = None) -> Candidate | None:
    """Who the record is about; None where it is about nobody, or about somebody who gave a session."""
    person = person_of(record, options, employer_id)
    return person.candidate if person else None


def person_of(record: Record, options: Mapping[str, Any], employer_id: UUID | None = None) -> PersonInFile | None:
    """As `candidate_of`, with the names to show."""
    if isinstance(record, CompletionRecord):
        who = candidate(
            source=source_of(options),
            account=record.account,
            email=record.email,
            given_name=record.given_name,
            family_name=record.family_name,
        )
        return _person(who, employer_id, record.given_name, record.family_name)
    if isinstance(record, AttendanceRecord):
        if record.role in ("presenter", "organizer"):
            return None
        who = candidate(email=record.email, display_name=record.display_name)
        return _person(who, employer_id, display_name=record.display_name)
    if isinstance(record, ChampionRecord):
        who = candidate(email=record.email, given_name=record.given_name, family_name=record.family_name)
        return _person(who, employer_id, record.given_name, record.family_name)
    return None


def _person(
    who: Candidate,
    employer_id: UUID | None,
    given_name: str | None = None,
    family_name: str | None = None,
    display_name: str | None = None,
) -> PersonInFile:
    placed = Candidate(who.account, who.email, who.name, str(employer_id) if employer_id else "")
    return PersonInFile(placed, given_name, family_name, display_name)


def person_key(who: Candidate, shown: str | None = None) -> str:
    """The same for all rows of a file that name the same person in the same way.

    What is shown counts where nothing else tells: two telephone numbers are two people.
    """
    known = (who.account or "", who.email or "", who.name, who.employer)
    return "|".join(known if any(known) else (*known, shown or ""))


def review_row(raw: RawRow, person: PersonInFile, placed: Placed) -> KeptRow:
    """A row that waits for somebody to say who it is about."""
    code = main_reason(placed.decision)
    return KeptRow(
        "review",
        raw.number,
        raw.section,
        raw.cells,
        code,
        _SENTENCES[code],
        candidates=_suggestions(placed.decision.suggestions),
        person_key=person_key(person.candidate, person.display_name),
    )


def _suggestions(found: Sequence[tuple[UUID, float]]) -> list[dict[str, Any]]:
    return [{"learner_id": str(identifier), "score": score} for identifier, score in found]


def sentence_of(code: str) -> str:
    """What to do about a reason, in words."""
    return _SENTENCES[code]


def main_reason(decision: MatchDecision) -> str:
    """The reason that helps a person most."""
    return next(code for code in ("SEVERAL_MATCH", *_SENTENCES) if code in decision.reasons)
